import { fixedMediumName, identificationText } from './header.js'
import type { Meaning } from './meaning.js'
import { MbusRecord } from './record.js'

/** Two counters with one unit byte each: what meters sent before the variable structure (EN 1434-3). */
export const fixedStructureSize = 16

interface FixedUnit {
  readonly quantity: string
  readonly unit: string
  readonly scaler: number
}

/** Codes in runs, each ten times the one before, in the unit that the standard's table names. */
const ladders: readonly (FixedUnit & { readonly first: number; readonly count: number })[] = [
  { first: 0x02, count: 3, quantity: 'energy', unit: 'Wh', scaler: 0 },
  { first: 0x05, count: 6, quantity: 'energy', unit: 'kWh', scaler: 0 },
  { first: 0x0b, count: 3, quantity: 'energy', unit: 'J', scaler: 3 },
  { first: 0x0e, count: 6, quantity: 'energy', unit: 'MJ', scaler: 0 },
  { first: 0x14, count: 9, quantity: 'power', unit: 'W', scaler: 0 },
  { first: 0x1d, count: 9, quantity: 'power', unit: 'J/h', scaler: 3 },
  { first: 0x26, count: 6, quantity: 'volume', unit: 'L', scaler: -3 },
  { first: 0x2c, count: 3, quantity: 'volume', unit: 'm3', scaler: 0 },
  { first: 0x2f, count: 9, quantity: 'volume-flow', unit: 'm3/h', scaler: -6 },
  { first: 0x38, count: 1, quantity: 'temperature', unit: '°C', scaler: -3 },
  { first: 0x39, count: 1, quantity: 'heat-cost-allocation', unit: 'HCA', scaler: 0 }
]

/** Marks a value of a past fixed date. It has no date, so it is never a reading. */
export const storedAtFixedDate = 'stored-at-fixed-date'
/** The second counter holds the first one's value at a fixed date. */
const sameButHistoric = 0x3e
const clockUnits: readonly string[] = ['time-of-day', 'date']

export interface FixedStructure {
  readonly id: string
  readonly medium: string
  readonly access: number
  readonly status: number
  readonly records: readonly MbusRecord[]
}

/**
 * @param bytes exactly `fixedStructureSize` of them
 * @param highByteFirst mode 2 (CI 77), where the high byte of each part comes first
 */
export function readFixedStructure(bytes: Uint8Array, base: number, highByteFirst: boolean): FixedStructure {
  const part = (start: number, end: number): Uint8Array =>
    highByteFirst ? bytes.subarray(start, end).toReversed() : bytes.subarray(start, end)
  const [access = 0, status = 0] = bytes.subarray(4)
  const [first = 0, second = 0] = part(6, 8)
  const type = (status & 1) === 0 ? 'bcd' : 'integer'
  const stored = (status & 2) !== 0
  const firstUnit = fixedUnit(first & 0x3f)
  const historic = (second & 0x3f) === sameButHistoric
  const secondUnit = historic ? firstUnit : fixedUnit(second & 0x3f)
  return {
    id: identificationText(part(0, 4)),
    medium: fixedMediumName((first >> 6) | ((second >> 6) << 2)),
    access,
    // The two lowest bits of this status say how the counters are coded, not how the application feels.
    status: status & 0xfc,
    records: [
      new MbusRecord({ ...place, offset: base + 8 }, meaningOfUnit(firstUnit, stored), type, part(8, 12)),
      new MbusRecord({ ...place, offset: base + 12 }, meaningOfUnit(secondUnit, stored || historic), type, part(12, 16))
    ]
  }
}

/** This structure knows no storage numbers; what was stored is told by a qualifier, and nobody tells when. */
const place = { function: 'instantaneous', storage: 0, tariff: 0, subunit: 0 } as const

function fixedUnit(code: number): FixedUnit {
  const ladder = ladders.find((each) => code >= each.first && code < each.first + each.count)
  if (ladder !== undefined) return { ...ladder, scaler: ladder.scaler + code - ladder.first }
  return { quantity: clockUnits[code] ?? 'dimensionless', unit: '', scaler: 0 }
}

function meaningOfUnit({ quantity, unit, scaler }: FixedUnit, stored: boolean): Meaning {
  const qualifiers = stored ? [storedAtFixedDate] : []
  return { quantity, unit, scaler, times: 1n, coding: 'unsigned', qualifiers, invalid: false, offsets: [] }
}
