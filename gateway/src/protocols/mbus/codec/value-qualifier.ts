/** What a VIFE after the value information does to the record (EN 13757-3:2018, table 15). */
export type VifeMeaning =
  | { readonly kind: 'qualifier'; readonly name: string }
  /** the record's own value could not be given */
  | { readonly kind: 'invalid'; readonly name: string }
  /** the value is multiplied by a power of ten */
  | { readonly kind: 'scale'; readonly exponent: number }
  /** 10^exponent of the unit is added to the value */
  | { readonly kind: 'offset'; readonly exponent: number }
  /** the data are a date, or a duration, about the quantity instead of the quantity itself */
  | { readonly kind: 'date'; readonly name: string }
  | { readonly kind: 'duration'; readonly name: string; readonly step: number }
  /** every VIFE behind it has the maker's meaning */
  | { readonly kind: 'manufacturer' }
  /** the next VIFE is of the third extension */
  | { readonly kind: 'extension' }

interface VifeRow {
  readonly first: number
  readonly names: readonly string[]
  readonly kind: 'qualifier' | 'invalid'
}

/** Errors that a meter reports for a record instead of its value, and plain qualifiers. */
const named: readonly VifeRow[] = [
  {
    first: 0x01,
    kind: 'invalid',
    names: [
      'too-many-dife',
      'storage-not-implemented',
      'unit-not-implemented',
      'tariff-not-implemented',
      'function-not-implemented',
      'data-class-not-implemented',
      'data-size-not-implemented'
    ]
  },
  {
    first: 0x0b,
    kind: 'invalid',
    names: ['too-many-vife', 'illegal-vif-group', 'illegal-vif-exponent', 'vif-dif-mismatch', 'unimplemented-action']
  },
  { first: 0x12, kind: 'qualifier', names: ['average', 'inverse-compact-profile', 'relative-deviation'] },
  { first: 0x15, kind: 'invalid', names: ['no-data', 'overflow', 'underflow', 'data-error'] },
  { first: 0x1c, kind: 'invalid', names: ['premature-end-of-record'] },
  { first: 0x1d, kind: 'qualifier', names: ['standard-conform-content', 'compact-profile-with-registers', 'compact-profile'] },
  {
    first: 0x20,
    kind: 'qualifier',
    names: ['per-second', 'per-minute', 'per-hour', 'per-day', 'per-week', 'per-month', 'per-year', 'per-measurement']
  },
  { first: 0x28, kind: 'qualifier', names: ['per-input-pulse-0', 'per-input-pulse-1', 'per-output-pulse-0', 'per-output-pulse-1'] },
  {
    first: 0x2c,
    kind: 'qualifier',
    names: ['per-litre', 'per-m3', 'per-kg', 'per-kelvin', 'per-kwh', 'per-gj', 'per-kw', 'per-kelvin-litre']
  },
  { first: 0x34, kind: 'qualifier', names: ['per-volt', 'per-ampere', 'times-second', 'times-second-per-volt', 'times-second-per-ampere'] },
  {
    first: 0x3a,
    kind: 'qualifier',
    names: ['uncorrected', 'forward-only', 'backward-only', 'other-unit-system', 'base-conditions', 'obis']
  },
  { first: 0x40, kind: 'qualifier', names: ['lower-limit', 'exceeds-of-lower-limit'] },
  { first: 0x48, kind: 'qualifier', names: ['upper-limit', 'exceeds-of-upper-limit'] },
  { first: 0x68, kind: 'qualifier', names: ['during-lower-limit-exceed', 'leakage'] },
  { first: 0x6c, kind: 'qualifier', names: ['during-upper-limit-exceed', 'overflow-of-limit'] },
  { first: 0x7e, kind: 'qualifier', names: ['future'] }
]

/** Behind FC (EN 13757-3:2018, table 16): where and in which direction it was measured; codes without a name here are shown by their number. */
const extensionNames: readonly (readonly [first: number, names: readonly string[]])[] = [
  [0x01, ['phase-l1', 'phase-l2', 'phase-l3', 'neutral', 'phase-l1-l2', 'phase-l2-l3', 'phase-l3-l1']],
  [0x08, ['quadrant-1', 'quadrant-2', 'quadrant-3', 'quadrant-4', 'import-less-export']],
  [0x10, ['forward-and-backward']],
  [0x14, ['to-meter', 'from-meter']]
]
/** Behind FC too: the data are of type C or D, numbers and bits without a sign, whatever the VIF. */
export const unsignedExtensions: readonly number[] = [0x11, 0x12]

function expand(): readonly (VifeMeaning | undefined)[] {
  const meanings = new Array<VifeMeaning | undefined>(0x80).fill(undefined)
  for (const row of named)
    row.names.forEach((name, index) => {
      meanings[row.first + index] = { kind: row.kind, name }
    })
  meanings[0x39] = { kind: 'date', name: 'start-date' }
  for (const code of [0x42, 0x43, 0x46, 0x47, 0x4a, 0x4b, 0x4e, 0x4f]) meanings[code] = { kind: 'date', name: limitName(code, 'date') }
  for (let code = 0x50; code <= 0x5f; code++) meanings[code] = { kind: 'duration', name: limitName(code, 'duration'), step: code & 3 }
  for (let code = 0x60; code <= 0x67; code++)
    meanings[code] = { kind: 'duration', name: `${(code & 4) === 0 ? 'first' : 'last'}-duration`, step: code & 3 }
  for (const code of [0x6a, 0x6b, 0x6e, 0x6f])
    meanings[code] = { kind: 'date', name: `${(code & 4) === 0 ? 'first' : 'last'}-${(code & 1) === 0 ? 'begin' : 'end'}` }
  for (let code = 0x70; code <= 0x77; code++) meanings[code] = { kind: 'scale', exponent: (code & 7) - 6 }
  for (let code = 0x78; code <= 0x7b; code++) meanings[code] = { kind: 'offset', exponent: (code & 3) - 3 }
  meanings[0x7c] = { kind: 'extension' }
  meanings[0x7d] = { kind: 'scale', exponent: 3 }
  meanings[0x7f] = { kind: 'manufacturer' }
  meanings[0x00] = { kind: 'qualifier', name: '' }
  return meanings
}

/** E1ud uf1b and E101 ufnn: upper or lower limit, first or last time, begin or end. */
function limitName(code: number, what: 'date' | 'duration'): string {
  const limit = (code & 8) === 0 ? 'lower' : 'upper'
  const which = (code & 4) === 0 ? 'first' : 'last'
  if (what === 'duration') return `${which}-${limit}-limit-exceed`
  return `${which}-${limit}-limit-exceed-${(code & 1) === 0 ? 'begin' : 'end'}`
}

const meanings = expand()
const extension = new Map(extensionNames.flatMap(([first, names]) => names.map((name, index) => [first + index, name] as const)))

/** The meaning of a VIFE without its extension bit; a code without one is a qualifier named by its number. */
export function vifeMeaning(code: number): VifeMeaning {
  return meanings[code] ?? { kind: 'qualifier', name: `vife-${code.toString(16).padStart(2, '0')}` }
}

export function extensionName(code: number): string {
  return extension.get(code) ?? `vife-fc-${code.toString(16).padStart(2, '0')}`
}
