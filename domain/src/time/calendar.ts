import { Temporal } from 'temporal-polyfill'
import { type EpochMs, epochMs } from './instant.js'

/** Half-open: the first instant belongs to it, the last does not. */
export interface Period {
  readonly from: EpochMs
  readonly to: EpochMs
}

/**
 * The start of a calendar day in the site's zone. A date without a time stands at 24:00 of that day, so a month-end value
 * dated the 31st is `startOfDay` of the 1st.
 */
export function startOfDay(date: Temporal.PlainDate, zone: string): EpochMs {
  return epochMs(date.toZonedDateTime({ timeZone: zone }).epochMilliseconds)
}

/** The calendar month as a period of the site's zone. */
export function billingMonth(month: Temporal.PlainYearMonth, zone: string): Period {
  return {
    from: startOfDay(month.toPlainDate({ day: 1 }), zone),
    to: startOfDay(month.add({ months: 1 }).toPlainDate({ day: 1 }), zone)
  }
}

/** The months that are over at `now`, oldest first. */
export function billingMonths(count: number, now: EpochMs, zone: string): Temporal.PlainYearMonth[] {
  const current = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone).toPlainDate().toPlainYearMonth()
  return Array.from({ length: count }, (_, index) => current.subtract({ months: count - index }))
}

/** Calendar days from the date on which a period begins to the one on which it ends: 31 from 1 October to 1 November. */
export function periodDays(period: Period, zone: string): number {
  const from = Temporal.Instant.fromEpochMilliseconds(period.from).toZonedDateTimeISO(zone).toPlainDate()
  const to = Temporal.Instant.fromEpochMilliseconds(period.to).toZonedDateTimeISO(zone).toPlainDate()
  return from.until(to, { largestUnit: 'day' }).days
}

/** The days whose span touches the period, as [start, end) pairs clipped to it. */
export function wholeDays(period: Period, zone: string): { readonly day: string; readonly from: EpochMs; readonly to: EpochMs }[] {
  const days: { day: string; from: EpochMs; to: EpochMs }[] = []
  let date = Temporal.Instant.fromEpochMilliseconds(period.from).toZonedDateTimeISO(zone).toPlainDate()
  let start = period.from
  while (start < period.to) {
    const next = date.add({ days: 1 })
    const end = epochMs(Math.min(startOfDay(next, zone), period.to))
    days.push({ day: date.toString(), from: start, to: end })
    start = end
    date = next
  }
  return days
}

/** What a clock on the wall shows. Fields count as people write them: month 1 to 12, day 1 to 31. */
export interface LocalTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/**
 * The instant at which a clock in the zone shows this. An hour that is skipped in spring is read as the clock that was not
 * yet put forward; an hour that comes twice in autumn is its first or, on demand, its second passage.
 *
 * @returns undefined when no clock shows it: 31 February, 24:30, a field that is not whole
 */
export function fromLocal(parts: LocalTime, zone: string, repeated: 'earlier' | 'later' = 'earlier'): EpochMs | undefined {
  const { year, month, day, hour, minute, second } = parts
  const whole = [year, month, day, hour, minute, second].every(Number.isSafeInteger)
  if (!whole || year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > 31) return undefined
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return undefined
  if (day > daysInMonth(year, month)) return undefined
  // Load profiles come by the thousand with their offset from UTC: no zone has to be asked for them.
  if (zone === 'UTC') return epochMs((daysSinceEpoch(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000)
  const local = Temporal.PlainDateTime.from({ year, month, day, hour, minute, second })
  const compatible = local.toZonedDateTime(zone)
  const shown = repeated === 'later' && compatible.toPlainDateTime().equals(local)
  const chosen = shown ? local.toZonedDateTime(zone, { disambiguation: 'later' }) : compatible
  return epochMs(chosen.epochMilliseconds)
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days from 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the leap day is the last of its year. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1
  const monthFromMarch = (month + 9) % 12
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leapDays + Math.floor((153 * monthFromMarch + 2) / 5) + day - 1 - daysBefore1970
}

/** From 1 March of the year 0 to 1 January 1970. */
const daysBefore1970 = 719_468

/** What a clock in the zone shows at the instant, and by how many minutes it is ahead of UTC then. */
export function toLocal(instant: EpochMs, zone: string): LocalTime & { readonly offsetMinutes: number } {
  const local = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone)
  const { year, month, day, hour, minute, second } = local
  return { year, month, day, hour, minute, second, offsetMinutes: Math.trunc(local.offsetNanoseconds / 60e9) }
}
