import { type EpochMs, fromIso } from '@endeks/domain/time'
import { type Language, locales } from './number.js'

/** Instants are shown in the utility's zone, whatever zone the browser sits in. */
export interface TimeFormats {
  /** 05.03.2026 of "2026-03-05": a calendar day has no zone */
  day(date: string): string
  /** 05.03.2026 of an instant */
  date(instant: string): string
  /** 05.03.2026 14:12 */
  minute(instant: string): string
  /** 05.03.2026 14:12:09 */
  second(instant: string): string
  /** 14:12 of milliseconds: when a region was last fetched */
  clock(at: number): string
  /** 01.10-01.11.2026: half-open, both ends as they were read */
  span(from: string, to: string): string
  /** Ekim 2026 */
  month(month: string): string
  /** Eki 26: axes and narrow columns */
  shortMonth(month: string): string
  /** 2026-03-05: the zone's day that holds the instant */
  localDay(at: EpochMs): string
}

interface Parts {
  readonly year: string
  readonly month: string
  readonly day: string
  readonly hour: string
  readonly minute: string
  readonly second: string
}

function partsReader(zone: string): (at: EpochMs) => Parts {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit'
  })
  return (at) => {
    const parts = new Map(format.formatToParts(at).map((part) => [part.type, part.value]))
    const of = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? ''
    return { year: of('year'), month: of('month'), day: of('day'), hour: of('hour'), minute: of('minute'), second: of('second') }
  }
}

export function timeFormats(language: Language, zone: string): TimeFormats {
  const read = partsReader(zone)
  const month = new Intl.DateTimeFormat(locales[language], { timeZone: 'UTC', month: 'long', year: 'numeric' })
  const shortMonth = new Intl.DateTimeFormat(locales[language], { timeZone: 'UTC', month: 'short', year: '2-digit' })
  const clock = new Intl.DateTimeFormat(locales[language], { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const dayOf = (parts: Parts) => `${parts.day}.${parts.month}.${parts.year}`
  return {
    day: (date) => date.split('-').reverse().join('.'),
    date: (instant) => dayOf(read(fromIso(instant))),
    minute: (instant) => {
      const parts = read(fromIso(instant))
      return `${dayOf(parts)} ${parts.hour}:${parts.minute}`
    },
    second: (instant) => {
      const parts = read(fromIso(instant))
      return `${dayOf(parts)} ${parts.hour}:${parts.minute}:${parts.second}`
    },
    clock: (at) => clock.format(at),
    span: (from, to) => {
      const start = read(fromIso(from))
      const end = read(fromIso(to))
      const year = start.year === end.year ? '' : `.${start.year}`
      return `${start.day}.${start.month}${year}-${dayOf(end)}`
    },
    month: (text) => month.format(fromIso(`${text}-15T00:00:00Z`)),
    shortMonth: (text) => shortMonth.format(fromIso(`${text}-15T00:00:00Z`)),
    localDay: (at) => {
      const parts = read(at)
      return `${parts.year}-${parts.month}-${parts.day}`
    }
  }
}
