import { isAppError } from '@endeks/domain/errors'
import { type EpochMs, fromIso, startOfDay } from '@endeks/domain/time'
import { Temporal } from 'temporal-polyfill'

/** An instant as written, or the first instant of a date in the zone; undefined for what is neither. */
export function momentOf(text: string, zone: string): EpochMs | undefined {
  try {
    return text.includes('T') ? fromIso(text) : startOfDay(Temporal.PlainDate.from(text), zone)
  } catch (thrown) {
    if (thrown instanceof RangeError || isAppError(thrown, 'VALIDATION')) return undefined
    throw thrown
  }
}
