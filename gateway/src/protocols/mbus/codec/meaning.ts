import { hexByte } from './failure.js'
import { durations, fbMeanings, fdMeanings, primaryMeanings, secondLevelMeanings, type VifMeaning } from './value-information.js'
import { extensionName, unsignedExtensions, vifeMeaning } from './value-qualifier.js'

/** What VIF and VIFEs together say about the data of a record. */
export interface Meaning extends VifMeaning {
  readonly qualifiers: readonly string[]
  /** the record carries an error instead of its value */
  readonly invalid: boolean
  /** 10^n of the unit, added to the value */
  readonly offsets: readonly number[]
}

const plain = { qualifiers: [], invalid: false, offsets: [] } as const satisfies Partial<Meaning>

/** A VIF without a meaning of its own, or one in plain text. */
export function unnamed(quantity: string): Meaning {
  return { quantity, unit: '', scaler: 0, times: 1n, coding: 'number', ...plain }
}

function complete(meanings: readonly (VifMeaning | undefined)[], prefix: string): readonly Meaning[] {
  return meanings.map((meaning, code) => (meaning === undefined ? unnamed(`vif-${prefix}${hexByte(code)}`) : { ...meaning, ...plain }))
}

/** Every VIF of 7 bits, and behind it every code after FD, FB and FD FD: 512 meanings made once. */
const tables: readonly Meaning[] = [
  ...complete(primaryMeanings, ''),
  ...complete(fdMeanings, 'FD-'),
  ...complete(fbMeanings, 'FB-'),
  ...complete(secondLevelMeanings, 'FD-FD-')
]
export const afterFd = 0x80
export const afterFb = 0x100
export const afterFdFd = 0x180

/** @param code 7 bits of a VIF; of an extended one the code behind FD, FB or FD FD plus `afterFd`, `afterFb` or `afterFdFd` */
export function meaningOf(code: number): Meaning {
  return tables[code] ?? unnamed('')
}

/** Nearly every record has no VIFE or one; those with one are kept, at most 512 x 128 of them. */
const withOne = new Map<number, Meaning>()

/** The same with one VIFE of 7 bits. */
export function meaningWith(code: number, vife: number): Meaning {
  const key = code * 0x80 + vife
  let meaning = withOne.get(key)
  if (meaning === undefined) {
    meaning = qualify(meaningOf(code), [vife])
    withOne.set(key, meaning)
  }
  return meaning
}

/** Applies the VIFEs to the value information, in their order. */
export function qualify(base: VifMeaning, codes: readonly number[]): Meaning {
  let meaning: VifMeaning = base
  let invalid = false
  const qualifiers: string[] = []
  const offsets: number[] = []
  for (let index = 0; index < codes.length; index++) {
    const step = vifeMeaning(codes[index] ?? 0)
    if (step.kind === 'manufacturer') {
      qualifiers.push('manufacturer-specific')
      break
    }
    if (step.kind === 'scale') meaning = { ...meaning, scaler: meaning.scaler + step.exponent }
    else if (step.kind === 'offset') offsets.push(step.exponent)
    else if (step.kind === 'extension') {
      index += 1
      const extension = codes[index] ?? 0
      // These say how the number is written, and not what is counted.
      if (unsignedExtensions.includes(extension)) meaning = { ...meaning, coding: 'unsigned' }
      else qualifiers.push(extensionName(extension))
    } else {
      if (step.name !== '') qualifiers.push(step.name)
      if (step.kind === 'invalid') invalid = true
      if (step.kind === 'date') meaning = { ...meaning, unit: '', scaler: 0, times: 1n, coding: 'date' }
      if (step.kind === 'duration') meaning = { ...meaning, ...durationOf(step.step) }
    }
  }
  return { ...meaning, qualifiers, invalid, offsets }
}

function durationOf(step: number): Pick<VifMeaning, 'unit' | 'scaler' | 'times' | 'coding'> {
  const duration = durations[step] ?? durations[0]
  return { unit: duration.unit, scaler: 0, times: duration.times, coding: 'number' }
}
