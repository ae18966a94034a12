import { failure, type Result, success } from '@endeks/domain/result'
import { type EpochMs, startOfDay, toLocal } from '@endeks/domain/time'
import { Temporal } from 'temporal-polyfill'
import type { DecodeFailure } from '../../protocol.js'
import type { Words } from './registers.js'
import { joinWords, type Orders, splitWords, swapBytes, type TimestampType, timestampTypes } from './types.js'

export interface TimestampField extends Orders {
  readonly type: TimestampType
}

interface Moment {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly millisecond: number
}

/** @returns undefined for an entry never filled: all zeros or all ones */
export function decodeTimestamp(read: Words, field: TimestampField, zone: string): Result<EpochMs | undefined, DecodeFailure> {
  const { type } = field
  const bits = joinWords(read.words, field)
  if (bits === 0n || bits === (1n << BigInt(timestampTypes[type] * 16)) - 1n) return success(undefined)
  if (type === 'epoch-u32') return success((Number(bits) * 1000) as EpochMs)
  const moment = momentOf(bits, read.words, field)
  const at = moment === undefined ? undefined : instantOf(moment, type, zone)
  if (at !== undefined) return success(at)
  const shown = bits.toString(16).padStart(timestampTypes[type] * 4, '0')
  return failure({ code: 'MODBUS_DATE', message: `0x${shown} is not a date`, offset: read.offset })
}

/** An instant to the second as `decodeTimestamp` reads it, for a clock that is set; a date alone is none. */
export function encodeTimestamp(
  at: EpochMs,
  field: TimestampField & { readonly type: Exclude<TimestampType, 'date-bcd'> },
  zone: string
): number[] {
  const { type } = field
  if (type === 'epoch-u32') return splitWords(BigInt(Math.floor(at / 1000)), timestampTypes[type], field)
  const { year, month, day, hour, minute, second } = toLocal(at, zone)
  if (type === 'datetime-bcd') {
    const digits = [year, month, day, hour, minute, 0, second].map((part) => String(part).padStart(2, '0')).join('')
    return splitWords(BigInt(`0x${digits}`), timestampTypes[type], field)
  }
  const words =
    type === 'fields' ? [year, month, day, hour, minute, second] : [year % 100, (month << 8) | day, (hour << 8) | minute, second * 1000]
  const swapped = field.byteOrder === 'little' ? words.map(swapBytes) : words
  return field.wordOrder === 'little' ? swapped.toReversed() : swapped
}

function instantOf(moment: Moment, type: TimestampType, zone: string): EpochMs | undefined {
  const { year, month, day, hour, minute, second, millisecond } = moment
  if (year < 1970 || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 || millisecond > 999) return undefined
  const first = Temporal.PlainDate.from({ year, month, day: 1 })
  if (day > first.daysInMonth) return undefined
  const date = first.with({ day })
  if (type === 'date-bcd') return startOfDay(date.add({ days: 1 }), zone)
  const local = date.toPlainDateTime({ hour, minute, second, millisecond })
  return local.toZonedDateTime(zone).epochMilliseconds as EpochMs
}

function momentOf(bits: bigint, words: readonly number[], { type, byteOrder, wordOrder }: TimestampField): Moment | undefined {
  if (type === 'date-bcd' || type === 'datetime-bcd') return bcdMoment(bits, type)
  const swapped = byteOrder === 'little' ? words.map(swapBytes) : words
  const ordered = wordOrder === 'little' ? swapped.toReversed() : swapped
  if (type === 'fields') {
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = ordered
    return { year, month, day, hour, minute, second, millisecond: 0 }
  }
  return iec870Moment(ordered)
}

function bcdMoment(bits: bigint, type: 'date-bcd' | 'datetime-bcd'): Moment | undefined {
  const digits = bits.toString(16).padStart(timestampTypes[type] * 4, '0')
  const match = /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})00(\d{2}))?$/.exec(digits)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map((group) => Number(group ?? 0))
  return { year, month, day, hour, minute, second, millisecond: 0 }
}

/** IEC 60870-5-4, 6.8, binary time 2a, a register for each pair of its bytes; the day of the week and summer time are not needed. */
function iec870Moment([years = 0, date = 0, time = 0, milliseconds = 0]: readonly number[]): Moment | undefined {
  const invalid = (time & 0x80) !== 0
  if (invalid) return undefined
  return {
    year: 2000 + (years & 0x7f),
    month: (date >> 8) & 0x0f,
    day: date & 0x1f,
    hour: (time >> 8) & 0x1f,
    minute: time & 0x3f,
    second: Math.floor(milliseconds / 1000),
    millisecond: milliseconds % 1000
  }
}
