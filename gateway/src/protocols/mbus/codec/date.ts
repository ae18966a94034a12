/** A point of a meter's own clock, without a zone. Every part is within its range, but 31 February passes: calendars judge it. */
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
  return date === undefined ? undefined : { kind: 'date', ...date, year: century(date.year) }
}

function readTypeJ(bytes: Uint8Array): MeterDate | undefined {
  const [second = 0, minute = 0, hour = 0] = bytes
  const time = { hour: hour & 0x1f, minute: minute & 0x3f, second: second & 0x3f }
  return timeFits(time) ? { kind: 'time', ...time } : undefined
}

function readTypeF(bytes: Uint8Array): MeterDate | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes
  if ((first & 0x80) !== 0) return undefined
  const time = { hour: second & 0x1f, minute: first & 0x3f, second: 0 }
  const date = readDay(third, fourth)
  if (date === undefined || !timeFits(time)) return undefined
  const hundreds = (second >> 5) & 3
  const year = hundreds === 0 ? century(date.year) : 1900 + 100 * hundreds + date.year
  return { kind: 'date-time', ...date, ...time, year, summer: (second & 0x80) !== 0 }
}

function readTypeI(bytes: Uint8Array): MeterDate | undefined {
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = bytes
  if ((second & 0x80) !== 0) return undefined
  const time = { hour: third & 0x1f, minute: second & 0x3f, second: first & 0x3f }
  const date = readDay(fourth, fifth)
  if (date === undefined || !timeFits(time)) return undefined
  return { kind: 'date-time', ...date, ...time, year: century(date.year), summer: (first & 0x40) !== 0 }
}

/** Day 0, month 15 and year 127 mean "every" and name no day. */
function readDay(low: number, high: number): { readonly year: number; readonly month: number; readonly day: number } | undefined {
  const day = low & 0x1f
  const month = high & 0x0f
  const year = (low >> 5) | ((high & 0xf0) >> 1)
  return day >= 1 && month >= 1 && month <= 12 && year <= 99 ? { year, month, day } : undefined
}

function century(year: number): number {
  return year < firstTwoDigitYear ? 2000 + year : 1900 + year
}

function timeFits(time: { readonly hour: number; readonly minute: number; readonly second: number }): boolean {
  return time.hour <= 23 && time.minute <= 59 && time.second <= 59
}

/** Type G, or F for a date with a time. Seconds are lost in F: it has none. Years 1981 to 2080. */
export function encodeDate(date: Extract<MeterDate, { readonly kind: 'date' | 'date-time' }>): Uint8Array {
  const year = date.year % 100
  const low = date.day | ((year & 7) << 5)
  const high = date.month | ((year >> 3) << 4)
  if (date.kind === 'date') return Uint8Array.of(low, high)
  const hundreds = date.year < 2000 ? 0 : 1
  return Uint8Array.of(date.minute, date.hour | (hundreds << 5) | (date.summer ? 0x80 : 0), low, high)
}

/** ISO 8601 without a zone: the meter's clock has none. */
export function formatDate(date: MeterDate): string {
  const two = (value: number): string => value.toString().padStart(2, '0')
  const time = date.kind === 'date' ? '' : `${two(date.hour)}:${two(date.minute)}:${two(date.second)}`
  if (date.kind === 'time') return time
  const day = `${date.year}-${two(date.month)}-${two(date.day)}`
  return date.kind === 'date' ? day : `${day}T${time}`
}
