import { AppError } from '@endeks/domain/errors'

/** Number formats of registers, and how many registers each takes. */
export const valueTypes = {
  u16: 1,
  i16: 1,
  u32: 2,
  i32: 2,
  u48: 3,
  i48: 3,
  u64: 4,
  i64: 4,
  f32: 2,
  f64: 4,
  bcd16: 1,
  bcd32: 2,
  bcd48: 3,
  bcd64: 4
} as const
export type ValueType = keyof typeof valueTypes

/** What a meter's number may be kept as. */
export const identityTypes = ['ascii', 'u16', 'u32', 'u48', 'u64', 'bcd32', 'bcd48', 'bcd64'] as const
export type IdentityType = (typeof identityTypes)[number]

/**
 * How a stored value says when it was taken, and how many registers that takes. A date without a time stands at 24:00 of that day.
 *
 * - `epoch-u32`: seconds since 1970, UTC
 * - `date-bcd`: YYYY, MMDD
 * - `datetime-bcd`: YYYY, MMDD, hhmm, 00ss, in the meter's zone
 * - `fields`: year, month, day, hour, minute, second, a register each, in the meter's zone
 * - `iec870`: IEC 60870-5-4: year since 2000; month and day; hour and minute; milliseconds; in the meter's zone
 */
export const timestampTypes = { 'epoch-u32': 2, 'date-bcd': 2, 'datetime-bcd': 4, fields: 6, iec870: 4 } as const
export type TimestampType = keyof typeof timestampTypes

/**
 * The order of the bytes within a register, and of the registers within a value. The standard says big for the first and nothing
 * of the second; a value with the bytes ABCD is sent as ABCD (big, big), CDAB (words little), BADC (bytes little), DCBA (both).
 */
export interface Orders {
  readonly wordOrder?: 'big' | 'little'
  readonly byteOrder?: 'big' | 'little'
}

/** The bits of a value, put in order. */
export function joinWords(words: readonly number[], { wordOrder, byteOrder }: Orders): bigint {
  const bigFirst = wordOrder === 'little' ? words.toReversed() : words
  return bigFirst.reduce((bits, word) => (bits << 16n) | BigInt(byteOrder === 'little' ? swapBytes(word) : word), 0n)
}

/** The registers of a value: the inverse of `joinWords`. */
export function splitWords(bits: bigint, count: number, { wordOrder, byteOrder }: Orders): number[] {
  if (bits < 0n || bits >> BigInt(16 * count) !== 0n) throw new AppError('VALIDATION', `${bits} does not fit ${count} registers`)
  const words = Array.from({ length: count }, (_, index) => Number((bits >> BigInt(16 * (count - 1 - index))) & 0xffffn))
  const ordered = byteOrder === 'little' ? words.map(swapBytes) : words
  return wordOrder === 'little' ? ordered.toReversed() : ordered
}

export function swapBytes(word: number): number {
  return ((word & 0xff) << 8) | (word >> 8)
}
