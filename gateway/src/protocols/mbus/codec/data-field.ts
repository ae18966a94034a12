import { type MeterDate, readDate } from './date.js'
import type { Coding } from './value-information.js'

/** An exact decimal: raw x 10^scaler. */
export interface Decimal {
  readonly raw: bigint
  readonly scaler: number
}

/** What a record's data say, before the powers of ten of its value information. */
export type RecordValue =
  /** `shortest` only of a floating point number: the decimal with the fewest digits that gives the same bits */
  | (Decimal & { readonly kind: 'decimal'; readonly shortest?: Decimal })
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'date'; readonly date: MeterDate }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** no data, or data that the meter marks as not valid */
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly bytes: Uint8Array }

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

export type VariableType = 'text' | 'bcd' | 'negative-bcd' | 'binary'

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

/** Reads fixed-length data by the DIF's data field and what the VIF says about it. */
export function readFixed(type: DataField['type'], bytes: Uint8Array, coding: Coding): RecordValue {
  if (type === 'none') return { kind: 'none' }
  if (type === 'real') return readReal(bytes)
  if (type === 'bcd') return readBcd(bytes)
  if (coding === 'date') {
    const date = readDate(bytes)
    return date === undefined ? { kind: 'invalid', bytes } : { kind: 'date', date }
  }
  return coding === 'unsigned' ? { kind: 'decimal', raw: littleEndian(bytes), scaler: 0 } : readSigned(bytes)
}

export function readVariable(type: VariableType, bytes: Uint8Array): RecordValue {
  if (type === 'text') return { kind: 'text', text: reversedText(bytes) }
  if (type === 'binary') return { kind: 'bytes', bytes }
  const value = readBcd(bytes)
  return type === 'negative-bcd' && value.kind === 'decimal' ? { ...value, raw: -value.raw } : value
}

export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let index = bytes.length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index] ?? 0)
  return value
}

/** Type B. The most negative number means "not valid" (EN 13757-3:2018, annex A). */
function readSigned(bytes: Uint8Array): RecordValue {
  const bits = BigInt(8 * bytes.length)
  const raw = BigInt.asIntN(Number(bits), littleEndian(bytes))
  return raw === -(1n << (bits - 1n)) ? { kind: 'invalid', bytes } : { kind: 'decimal', raw, scaler: 0 }
}

/** Type A. F in the highest place is a minus sign; any other nibble above 9 shows an error (EN 13757-3:2018, annex A and B). */
export function readBcd(bytes: Uint8Array): RecordValue {
  const digits = Buffer.from(bytes).reverse().toString('hex')
  if (digits === '') return { kind: 'none' }
  const negative = digits.startsWith('f')
  const magnitude = negative ? digits.slice(1) : digits
  if (!/^\d+$/.test(magnitude)) return { kind: 'invalid', bytes }
  return { kind: 'decimal', raw: negative ? -BigInt(magnitude) : BigInt(magnitude), scaler: 0 }
}

/**
 * Type H, IEEE 754 single: m x 2^e, which is m x 5^-e x 10^e where e is negative, so that the decimal is exact. The shortest
 * decimal with the same bits goes along, for it has no more digits than the meter's firmware meant.
 */
function readReal(bytes: Uint8Array): RecordValue {
  const bits = Number(littleEndian(bytes))
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
  const magnitude = exponent < 0 ? BigInt(mantissa) * 5n ** BigInt(-exponent) : BigInt(mantissa) << BigInt(exponent)
  const raw = bits >>> 31 === 1 ? -magnitude : magnitude
  return { kind: 'decimal', raw, scaler: Math.min(exponent, 0), shortest: shortestDecimal(bytes) }
}

function shortestDecimal(bytes: Uint8Array): Decimal {
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
  return Buffer.from(bytes).reverse().toString('latin1')
}
