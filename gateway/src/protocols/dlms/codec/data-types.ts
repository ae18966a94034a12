import type { CosemDate, CosemDateTime, CosemTime } from './date-time.js'

/**
 * The CHOICE `Data` of the Green Book (9.5) as a table: tag, name, and how the contents are laid out. Decoder, encoder and
 * tests walk this table; nothing else knows a tag.
 */
export const dataTypes = [
  { tag: 0, name: 'null-data', layout: 'empty' },
  { tag: 1, name: 'array', layout: 'list' },
  { tag: 2, name: 'structure', layout: 'list' },
  { tag: 3, name: 'boolean', layout: 'boolean' },
  { tag: 4, name: 'bit-string', layout: 'bits' },
  { tag: 5, name: 'double-long', layout: 'integer', bytes: 4, signed: true },
  { tag: 6, name: 'double-long-unsigned', layout: 'integer', bytes: 4, signed: false },
  { tag: 9, name: 'octet-string', layout: 'octets' },
  { tag: 10, name: 'visible-string', layout: 'text' },
  { tag: 12, name: 'utf8-string', layout: 'text' },
  { tag: 13, name: 'bcd', layout: 'integer', bytes: 1, signed: true },
  { tag: 15, name: 'integer', layout: 'integer', bytes: 1, signed: true },
  { tag: 16, name: 'long', layout: 'integer', bytes: 2, signed: true },
  { tag: 17, name: 'unsigned', layout: 'integer', bytes: 1, signed: false },
  { tag: 18, name: 'long-unsigned', layout: 'integer', bytes: 2, signed: false },
  { tag: 19, name: 'compact-array', layout: 'compact' },
  { tag: 20, name: 'long64', layout: 'long', bytes: 8, signed: true },
  { tag: 21, name: 'long64-unsigned', layout: 'long', bytes: 8, signed: false },
  { tag: 22, name: 'enum', layout: 'integer', bytes: 1, signed: false },
  { tag: 23, name: 'float32', layout: 'float', bytes: 4 },
  { tag: 24, name: 'float64', layout: 'float', bytes: 8 },
  { tag: 25, name: 'date-time', layout: 'date-time' },
  { tag: 26, name: 'date', layout: 'date' },
  { tag: 27, name: 'time', layout: 'time' },
  { tag: 28, name: 'delta-integer', layout: 'integer', bytes: 1, signed: true },
  { tag: 29, name: 'delta-long', layout: 'integer', bytes: 2, signed: true },
  { tag: 30, name: 'delta-double-long', layout: 'integer', bytes: 4, signed: true },
  { tag: 31, name: 'delta-unsigned', layout: 'integer', bytes: 1, signed: false },
  { tag: 32, name: 'delta-long-unsigned', layout: 'integer', bytes: 2, signed: false },
  { tag: 33, name: 'delta-double-long-unsigned', layout: 'integer', bytes: 4, signed: false },
  { tag: 255, name: 'dont-care', layout: 'empty' }
] as const

export type DataTypeRow = (typeof dataTypes)[number]
type NamesOf<Layout extends DataTypeRow['layout']> = Extract<DataTypeRow, { readonly layout: Layout }>['name']

export type EmptyType = NamesOf<'empty'>
export type ListType = NamesOf<'list'>
export type IntegerType = NamesOf<'integer'>
export type LongType = NamesOf<'long'>
export type FloatType = NamesOf<'float'>
export type TextType = NamesOf<'text'>
export type DataTypeName = DataTypeRow['name']

/** A decoded value. Integers up to 32 bits are numbers, 64 bits are bigints: both exact. */
export type DlmsData =
  | { readonly type: EmptyType }
  | { readonly type: ListType; readonly value: readonly DlmsData[] }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'bit-string'; readonly bits: number; readonly value: Uint8Array }
  | { readonly type: IntegerType; readonly value: number }
  | { readonly type: LongType; readonly value: bigint }
  | { readonly type: FloatType; readonly value: number }
  | { readonly type: 'octet-string'; readonly value: Uint8Array }
  | { readonly type: TextType; readonly value: string }
  | { readonly type: 'date-time'; readonly value: CosemDateTime }
  | { readonly type: 'date'; readonly value: CosemDate }
  | { readonly type: 'time'; readonly value: CosemTime }
  | { readonly type: 'compact-array'; readonly element: TypeDescription; readonly value: readonly DlmsData[] }

/** What a compact-array says once about all its elements, which then travel without tags. */
export type TypeDescription =
  | { readonly type: 'array'; readonly count: number; readonly element: TypeDescription }
  | { readonly type: 'structure'; readonly elements: readonly TypeDescription[] }
  | { readonly type: Exclude<DataTypeName, 'array' | 'structure' | 'compact-array'> }

const byTag: readonly (DataTypeRow | undefined)[] = Array.from({ length: 0x100 }, (_, tag) => dataTypes.find((row) => row.tag === tag))
const byName = new Map<DataTypeName, DataTypeRow>(dataTypes.map((row) => [row.name, row]))

export function typeOfTag(tag: number): DataTypeRow | undefined {
  return byTag[tag]
}

export function tagOf(name: DataTypeName): number {
  return rowOf(name).tag
}

export function rowOf(name: DataTypeName): DataTypeRow {
  const row = byName.get(name)
  if (row === undefined) throw new TypeError(`"${name}" is not a DLMS data type`)
  return row
}

/** The exact integer of a value, whatever its width; undefined for what is not a whole number by its type. */
export function integerOf(data: DlmsData): bigint | undefined {
  if ('value' in data && typeof data.value === 'bigint') return data.value
  return rowOf(data.type).layout === 'integer' && 'value' in data && typeof data.value === 'number' ? BigInt(data.value) : undefined
}
