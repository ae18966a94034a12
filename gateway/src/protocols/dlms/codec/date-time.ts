import { type EpochMs, epochMs, fromLocal, toLocal } from '@endeks/domain/time'
import type { ByteReader } from './reader.js'
import type { ByteWriter } from './writer.js'

/**
 * Dates and times as COSEM sends them (Blue Book 4.1.6.1). Every field is kept as sent: 0xFF and 0xFFFF mean "not specified",
 * months 0xFD and 0xFE and days 0xFD and 0xFE are recurring dates of schedules. A decoded value encodes to the same bytes.
 */
export interface CosemDate {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly weekday: number
}

export interface CosemTime {
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly hundredths: number
}

export interface CosemDateTime extends CosemDate, CosemTime {
  /** minutes to add to local time to get UTC: -180 in Istanbul; `unspecifiedDeviation` when the meter does not say */
  readonly deviation: number
  /** `clockStatus` bits, or 0xFF when the meter does not say */
  readonly status: number
}

export const dateTimeSize = 12
export const unspecifiedDeviation = -0x8000
const unspecified = 0xff

/** Bits of the last byte of a date-time. */
export const clockStatus = { invalid: 0x01, doubtful: 0x02, differentBase: 0x04, invalidStatus: 0x08, daylightSaving: 0x80 } as const

export function readDate(reader: ByteReader): CosemDate {
  return { year: reader.u16(), month: reader.u8(), day: reader.u8(), weekday: reader.u8() }
}

export function readTime(reader: ByteReader): CosemTime {
  return { hour: reader.u8(), minute: reader.u8(), second: reader.u8(), hundredths: reader.u8() }
}

export function readDateTime(reader: ByteReader): CosemDateTime {
  // Written out: load profiles bring thousands, and spreading two objects into a third was most of the time of decoding them.
  return {
    year: reader.u16(),
    month: reader.u8(),
    day: reader.u8(),
    weekday: reader.u8(),
    hour: reader.u8(),
    minute: reader.u8(),
    second: reader.u8(),
    hundredths: reader.u8(),
    deviation: reader.i16(),
    status: reader.u8()
  }
}

export function writeDate(writer: ByteWriter, date: CosemDate): ByteWriter {
  return writer.u16(date.year).u8(date.month).u8(date.day).u8(date.weekday)
}

export function writeTime(writer: ByteWriter, time: CosemTime): ByteWriter {
  return writer.u8(time.hour).u8(time.minute).u8(time.second).u8(time.hundredths)
}

export function writeDateTime(writer: ByteWriter, value: CosemDateTime): ByteWriter {
  return writeTime(writeDate(writer, value), value).u16(value.deviation).u8(value.status)
}

/**
 * The instant that a meter's clock meant. With a deviation the sum is exact; without one the zone decides, and the daylight
 * saving bit tells the two passages of an autumn hour apart.
 *
 * @returns undefined for a date that does not exist, a wildcard in date, hour or minute, and a clock that calls itself invalid
 */
export function toInstant(value: CosemDateTime, zone: string): EpochMs | undefined {
  const { status, deviation } = value
  if (status !== unspecified && (status & clockStatus.invalid) !== 0) return undefined
  // Meters without a seconds hand leave seconds and hundredths unspecified: the minute's start is what they mean.
  const second = value.second === unspecified ? 0 : value.second
  const hundredths = value.hundredths === unspecified ? 0 : value.hundredths
  if (hundredths > 99) return undefined
  const parts = { year: value.year, month: value.month, day: value.day, hour: value.hour, minute: value.minute, second }
  if (deviation !== unspecifiedDeviation) {
    if (deviation < -720 || deviation > 840) return undefined
    const asUtc = fromLocal(parts, 'UTC')
    return asUtc === undefined ? undefined : epochMs(asUtc + deviation * 60_000 + hundredths * 10)
  }
  const summer = status !== unspecified && (status & clockStatus.daylightSaving) !== 0
  const local = fromLocal(parts, zone, summer || status === unspecified ? 'earlier' : 'later')
  return local === undefined ? undefined : epochMs(local + hundredths * 10)
}

/** What a clock in the zone sends at the instant: local time with its deviation, weekday not specified. */
export function fromInstant(instant: EpochMs, zone: string): CosemDateTime {
  const { year, month, day, hour, minute, second, offsetMinutes } = toLocal(instant, zone)
  const hundredths = Math.floor((((instant % 1000) + 1000) % 1000) / 10)
  return { year, month, day, weekday: unspecified, hour, minute, second, hundredths, deviation: -offsetMinutes, status: 0 }
}

function field(value: number, digits: number, wildcard = unspecified): string {
  return value === wildcard ? '*'.repeat(digits) : String(value).padStart(digits, '0')
}

export function formatDate(date: CosemDate): string {
  return `${field(date.year, 4, 0xffff)}-${field(date.month, 2)}-${field(date.day, 2)}`
}

export function formatTime(time: CosemTime): string {
  return `${field(time.hour, 2)}:${field(time.minute, 2)}:${field(time.second, 2)}.${field(time.hundredths, 2)}`
}

/** For people and JSON: stars stand for what is not specified, the offset is as ISO 8601 writes it (the deviation's opposite). */
export function formatDateTime(value: CosemDateTime): string {
  const text = `${formatDate(value)}T${formatTime(value)}`
  if (value.deviation === unspecifiedDeviation) return text
  const ahead = -value.deviation
  const minutes = Math.abs(ahead)
  return `${text}${ahead < 0 ? '-' : '+'}${field(Math.floor(minutes / 60), 2)}:${field(minutes % 60, 2)}`
}
