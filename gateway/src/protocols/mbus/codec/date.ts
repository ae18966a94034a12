/** A point of a meter's own clock, without a zone, on a day that the calendar has. */
export type MeterDate =
  | { readonly kind: 'date'; readonly year: number; readonly month: number; readonly day: number }
  | {
      readonly kind: 'date-time'
      readonly year: number
      readonly month: number
      readonly day: number
      readonly hour: number
      readonly minute: number
      readonly second: number
      /** the meter counts summer time at this instant; tells the two passes of a repeated hour apart */
      readonly summer: boolean
    }
  | { readonly kind: 'time'; readonly hour: number; readonly minute: number; readonly second: number }

/** The meters' calendar begins here: two digits of year below are 20xx, from here on 19xx (EN 13757-3:2018, annex A, type F). */
const firstTwoDigitYear = 81

/**
 * Reads the date types by their length: J has 3 bytes, G 2, F 4, I 6 (EN 13757-3:2018, annex A).
 *
 * @returns undefined when the meter marks it invalid, means "every", or a part is out of range
 */
export function readDate(bytes: Uint8Array): MeterDate | undefined {
  if (bytes.length === 2) return readTypeG(bytes)
  if (bytes.length === 3) return readTypeJ(bytes)
  if (bytes.length === 4) return readTypeF(bytes)
  return bytes.length === 6 ? readTypeI(bytes) : undefined
}

function readTypeG(bytes: Uint8Array): MeterDate | undefined {
  const date = readDay(bytes[0] ?? 0, bytes[1] ?? 0)
  return onCalendar(date && { kind: 'date', ...date, year: century(date.year) })
}

function readTypeJ(bytes: Uint8Array): MeterDate | undefined {
  const [second = 0, minute = 0, hour = 0] = bytes
  const time = { hour: hour & 0x1f, minute: minute & 0x3f, second: second & 0x3f }
  return timeFits(time) ? { kind: 'time', ...time } : undefined
}

function readTypeF(bytes: Uint8Array): MeterDate | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes
  if ((first & 0x80) !== 0) return undefined
  const time = readTime(bytes)
  const date = readDay(third, fourth)
  if (date === undefined || time === undefined) return undefined
  const hundreds = (second >> 5) & 3
  const year = hundreds === 0 ? century(date.year) : 1900 + 100 * hundreds + date.year
  return onCalendar({ kind: 'date-time', ...date, ...time, year, summer: (second & 0x80) !== 0 })
}

function readTypeI(bytes: Uint8Array): MeterDate | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = bytes
  if ((second & 0x80) !== 0) return undefined
  const time = { hour: third & 0x1f, minute: second & 0x3f, second: first & 0x3f }
  const date = readDay(fourth, fifth)
  if (date === undefined || !timeFits(time)) return undefined
  return onCalendar({ kind: 'date-time', ...date, ...time, year: century(date.year), summer: (first & 0x40) !== 0 })
}

type DayDate = Extract<MeterDate, { readonly kind: 'date' | 'date-time' }>

/** 31 February is no date, though each of its parts is in range. */
function onCalendar(date: DayDate | undefined): DayDate | undefined {
  return date !== undefined && date.day <= daysIn(date.year, date.month) ? date : undefined
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
}

/** Day 0, month 15 and year 127 mean "every" and name no day. */
function readDay(low: number, high: number): { readonly year: number; readonly month: number; readonly day: number } | undefined {
  const day = low & 0x1f
  const month = high & 0x0f
  const year = (low >> 5) | ((high & 0xf0) >> 1)
  return day >= 1 && month >= 1 && month <= 12 && year <= 99 ? { year, month, day } : undefined
}

/**
 * A date that leaves out its day (0 means "every day") or its month, with 00 in that place: what the meter sent, and no day of any
 * calendar. Types G and F; undefined for every other reason for which a date is none.
 */
export function patternText(bytes: Uint8Array): string | undefined {
  if (bytes.length !== 2 && bytes.length !== 4) return undefined
  if (bytes.length === 4 && (((bytes[0] ?? 0) & 0x80) !== 0 || readTime(bytes) === undefined)) return undefined
  const [low = 0, high = 0] = bytes.subarray(-2)
  const [day, month, year] = [low & 0x1f, high & 0x0f, (low >> 5) | ((high & 0xf0) >> 1)]
  if (month > 12 || year > 99 || (day > 0 && month > 0)) return undefined
  const date = { kind: 'date', year: century(year), month, day } as const
  const time = bytes.length === 4 ? readTime(bytes) : undefined
  return formatDate(time === undefined ? date : { ...date, ...time, kind: 'date-time', summer: false })
}

/** Hour and minute of type F. */
function readTime(bytes: Uint8Array): { readonly hour: number; readonly minute: number; readonly second: number } | undefined {
  const time = { hour: (bytes[1] ?? 0) & 0x1f, minute: (bytes[0] ?? 0) & 0x3f, second: 0 }
  return timeFits(time) ? time : undefined
}

function century(year: number): number {
  return year < firstTwoDigitYear ? 2000 + year : 1900 + year
}

function timeFits(time: { readonly hour: number; readonly minute: number; readonly second: number }): boolean {
  return time.hour <= 23 && time.minute <= 59 && time.second <= 59
}

/** Type G, or F for a date with a time. Seconds are lost in F: it has none. Years 1981 to 2080. */
export function encodeDate(date: DayDate): Uint8Array {
  const year = date.year % 100
  const low = date.day | ((year & 7) << 5)
  const high = date.month | ((year >> 3) << 4)
  if (date.kind === 'date') return Uint8Array.of(low, high)
  const hundreds = date.year < 2000 ? 0 : 1
  return Uint8Array.of(date.minute, date.hour | (hundreds << 5) | (date.summer ? 0x80 : 0), low, high)
}

const twoDigits: readonly string[] = Array.from({ length: 100 }, (_, value) => value.toString().padStart(2, '0'))

/** ISO 8601 without a zone: the meter's clock has none. */
export function formatDate(date: MeterDate): string {
  if (date.kind === 'time') return timeText(date)
  const day = `${date.year}-${twoDigits[date.month]}-${twoDigits[date.day]}`
  return date.kind === 'date' ? day : `${day}T${timeText(date)}`
}

function timeText(time: { readonly hour: number; readonly minute: number; readonly second: number }): string {
  return `${twoDigits[time.hour]}:${twoDigits[time.minute]}:${twoDigits[time.second]}`
}
