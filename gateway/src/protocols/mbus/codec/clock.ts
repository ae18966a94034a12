import { type EpochMs, epochMs, fromLocal, toLocal } from '@endeks/domain/time'
import type { MeterDate } from './date.js'

const dayMs = 86_400_000

/**
 * When a meter's date was, in its zone. A date without a time stands for 24:00 of that day, the end of what a month-end value
 * covers. In the hour that comes twice, the summer time flag tells the first passage from the second.
 *
 * @returns undefined for a time of day alone and for a day that no calendar has
 */
export function instantOf(date: MeterDate, zone: string): EpochMs | undefined {
  if (date.kind === 'time') return undefined
  if (date.kind === 'date-time') return fromLocal(date, zone, date.summer ? 'earlier' : 'later')
  const midnight = fromLocal({ ...date, hour: 0, minute: 0, second: 0 }, 'UTC')
  // Days have 24 hours in UTC, so the next date is found there and only then read in the zone.
  return midnight === undefined ? undefined : fromLocal(toLocal(epochMs(midnight + dayMs), 'UTC'), zone)
}
