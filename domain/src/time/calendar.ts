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

/** Calendar days that a period spans in the zone; a day counts when the period holds its midnight start. */
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
