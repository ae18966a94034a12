import { type MeterDate, patternText, readDate } from './date.js'
import type { Coding } from './value-information.js'

/** An exact decimal: raw x 10^scaler. */
export interface Decimal {
  readonly raw: bigint
  readonly scaler: number
}

/** What a record's data say. */
export type RecordValue =
  | (Decimal & { readonly kind: 'decimal' })
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'date'; readonly date: MeterDate }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** no data, or a record error in place of the value */
  | { readonly kind: 'none' }
  /** data that stand for no value; `text` is there for a date that leaves out day or month */
  | { readonly kind: 'invalid'; readonly bytes: Uint8Array; readonly text?: string }

export type VariableType = 'text' | 'bcd' | 'negative-bcd' | 'binary'
/** How data are coded. `bytes` are the maker's own. */
export type FieldType = 'none' | 'integer' | 'real' | VariableType | 'bytes'

interface DataField {
  readonly type: 'none' | 'integer' | 'real' | 'bcd' | 'variable' | 'special'
  readonly size: number
}

/** The lower four bits of a DIF (EN 13757-3:2018, 6.3.3). */
export const dataFields: readonly DataField[] = [
  { type: 'none', size: 0 },
  { type: 'integer', size: 1 },
  { type: 'integer', size: 2 },
  { type: 'integer', size: 3 },
  { type: 'integer', size: 4 },
  { type: 'real', size: 4 },
  { type: 'integer', size: 6 },
  { type: 'integer', size: 8 },
  { type: 'none', size: 0 },
  { type: 'bcd', size: 1 },
  { type: 'bcd', size: 2 },
  { type: 'bcd', size: 3 },
  { type: 'bcd', size: 4 },
  { type: 'variable', size: 0 },
  { type: 'bcd', size: 6 },
  { type: 'special', size: 0 }
]

/** What an LVAR byte announces (EN 13757-3:2018, 6.3.3); undefined for the reserved ones. */
export function variableLength(lvar: number): { readonly type: VariableType; readonly size: number } | undefined {
  if (lvar <= 0xbf) return { type: 'text', size: lvar }
  if (lvar <= 0xc9) return { type: 'bcd', size: lvar - 0xc0 }
  if (lvar >= 0xd0 && lvar <= 0xd9) return { type: 'negative-bcd', size: lvar - 0xd0 }
  if (lvar >= 0xe0 && lvar <= 0xef) return { type: 'binary', size: lvar - 0xe0 }
  if (lvar >= 0xf0 && lvar <= 0xf4) return { type: 'binary', size: 4 * (lvar - 0xec) }
  if (lvar === 0xf5 || lvar === 0xf6) return { type: 'binary', size: lvar === 0xf5 ? 48 : 64 }
  return undefined
}

/** Reads data by how they are coded and what the VIF says about them. */
export function readData(type: FieldType, bytes: Uint8Array, coding: Coding): RecordValue {
  if (coding === 'unknown') return { kind: 'invalid', bytes }
  switch (type) {
    case 'integer':
      return coding === 'number' ? readSigned(bytes) : coding === 'date' ? readDateValue(bytes) : decimal(littleEndian(bytes))
    case 'bcd':
      return readBcd(bytes)
    case 'real':
      return readReal(bytes)
    case 'text':
      return { kind: 'text', text: reversedText(bytes) }
    case 'negative-bcd':
      return negated(readBcd(bytes))
    case 'binary':
      // A number too long for any other field, so its digits go highest first.
      return { kind: 'bytes', bytes: bytes.toReversed() }
    case 'bytes':
      return { kind: 'bytes', bytes }
    case 'none':
      return { kind: 'none' }
  }
}

function decimal(raw: bigint): RecordValue {
  return { kind: 'decimal', raw, scaler: 0 }
}

function negated(value: RecordValue): RecordValue {
  return value.kind === 'decimal' ? decimal(-value.raw) : value
}

function readDateValue(bytes: Uint8Array): RecordValue {
  const date = readDate(bytes)
  if (date !== undefined) return { kind: 'date', date }
  const text = patternText(bytes)
  return text === undefined ? { kind: 'invalid', bytes } : { kind: 'invalid', bytes, text }
}

/** Six bytes and fewer are exact as a floating point number, which is an order of magnitude faster. */
const mostExactBytes = 6

export function littleEndian(bytes: Uint8Array): bigint {
  if (bytes.length <= mostExactBytes) return BigInt(smallLittleEndian(bytes))
  let value = 0n
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index] ?? 0)
  return value
}

function smallLittleEndian(bytes: Uint8Array): number {
  let value = 0
  for (let index = bytes.length - 1; index >= 0; index--) value = value * 0x100 + (bytes[index] ?? 0)
  return value
}

/** Type B. The most negative number means "not valid" (EN 13757-3:2018, annex A). */
function readSigned(bytes: Uint8Array): RecordValue {
  if (bytes.length <= mostExactBytes) {
    const unsigned = smallLittleEndian(bytes)
    const half = 2 ** (8 * bytes.length - 1)
    return unsigned === half ? { kind: 'invalid', bytes } : decimal(BigInt(unsigned < half ? unsigned : unsigned - 2 * half))
  }
  const raw = BigInt.asIntN(8 * bytes.length, littleEndian(bytes))
  return raw === -(1n << BigInt(8 * bytes.length - 1)) ? { kind: 'invalid', bytes } : decimal(raw)
}

/** Two digits a byte; a byte that isn't two digits is -1. */
const bcdPairs = Int8Array.from({ length: 0x100 }, (_, byte) =>
  (byte & 0x0f) > 9 || byte >> 4 > 9 ? -1 : (byte >> 4) * 10 + (byte & 0x0f)
)

/** Type A. F in the highest place is a minus sign; any other nibble above 9 shows an error (EN 13757-3:2018, annex A and B). */
export function readBcd(bytes: Uint8Array): RecordValue {
  const last = bytes.length - 1
  if (last < 0) return { kind: 'none' }
  const top = bytes[last] ?? 0
  const negative = top >> 4 === 0x0f
  const highest = bcdPairs[negative ? top & 0x0f : top] ?? -1
  if (highest < 0) return { kind: 'invalid', bytes }
  // Seven bytes are fourteen digits: exact as a floating point number.
  let value = highest
  let large: bigint | undefined
  for (let index = last - 1; index >= 0; index--) {
    const pair = bcdPairs[bytes[index] ?? 0] ?? -1
    if (pair < 0) return { kind: 'invalid', bytes }
    if (last < 7) value = value * 100 + pair
    else large = (large ?? BigInt(highest)) * 100n + BigInt(pair)
  }
  const magnitude = large ?? BigInt(value)
  return decimal(negative ? -magnitude : magnitude)
}

const powersOfTen: readonly bigint[] = Array.from({ length: 64 }, (_, exponent) => 10n ** BigInt(exponent))
const powersOfFive: readonly bigint[] = Array.from({ length: 150 }, (_, exponent) => 5n ** BigInt(exponent))

export function powerOfTen(exponent: number): bigint {
  return powersOfTen[exponent] ?? 10n ** BigInt(exponent)
}

/** Type H, IEEE 754 single: m x 2^e, which is m x 5^-e x 10^e where e is negative, so that the decimal is exact. */
function readReal(bytes: Uint8Array): RecordValue {
  const bits = smallLittleEndian(bytes)
  const exponentBits = (bits >>> 23) & 0xff
  if (exponentBits === 0xff) return { kind: 'invalid', bytes }
  const fraction = bits & 0x7fffff
  let mantissa = exponentBits === 0 ? fraction : fraction | 0x800000
  let exponent = Math.max(exponentBits, 1) - 150
  while (exponent < 0 && (mantissa & 1) === 0 && mantissa !== 0) {
    mantissa >>>= 1
    exponent += 1
  }
  if (mantissa === 0) exponent = 0
  const magnitude = exponent < 0 ? BigInt(mantissa) * (powersOfFive[-exponent] ?? 0n) : BigInt(mantissa) << BigInt(exponent)
  return { kind: 'decimal', raw: bits >>> 31 === 1 ? -magnitude : magnitude, scaler: Math.min(exponent, 0) }
}

/** The decimal with the fewest digits that gives the same bits. */
export function shortestDecimal(bytes: Uint8Array): Decimal {
  const value = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getFloat32(0, true)
  let text = value.toExponential(8)
  for (let digits = 7; digits >= 0 && Math.fround(Number(value.toExponential(digits))) === value; digits--)
    text = value.toExponential(digits)
  const [mantissa = '0', exponent = '0'] = text.split('e')
  const [whole = '0', fraction = ''] = mantissa.split('.')
  return { raw: BigInt(whole + fraction), scaler: Number(exponent) - fraction.length }
}

/** Texts go over the line last character first, in ISO 8859-1 (EN 13757-3:2018, 6.3.3). */
export function reversedText(bytes: Uint8Array): string {
  let text = ''
  for (let index = bytes.length - 1; index >= 0; index--) text += String.fromCharCode(bytes[index] ?? 0)
  return text
}
