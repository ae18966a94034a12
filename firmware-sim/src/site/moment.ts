import { isAppError } from '@endeks/domain/errors'
import { type EpochMs, fromIso, startOfDay } from '@endeks/domain/time'
import { Temporal } from 'temporal-polyfill'

/** An instant as written, or the first instant of a date in the zone; undefined for what is neither. */
export function momentOf(text: string, zone: string): EpochMs | undefined {
  try {
    if (!text.includes('T')) return startOfDay(Temporal.PlainDate.from(text), zone)
    // A Date would take 30 February for 2 March.
    Temporal.Instant.from(text)
    return fromIso(text)
  } catch (thrown) {
    if (thrown instanceof RangeError || isAppError(thrown, 'VALIDATION')) return undefined
    throw thrown
  }
}
