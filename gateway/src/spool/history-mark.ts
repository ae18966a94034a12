import type { MeterReading } from '@endeks/domain/metering'
import type { EpochMs } from '@endeks/domain/time'

/** Which stored values of a meter were delivered: the newest of them, and all within the overlap before it. */
export interface HistoryMark {
  readonly newest: EpochMs
  /** `obis@instant` of what was delivered within the overlap */
  readonly recent: readonly string[]
}

/**
 * How far back stored values are asked for again. A meter whose clock is slow files a value under an instant that had passed
 * already when it was last read; with no overlap such a value would be missed for ever.
 */
const overlapMs = 48 * 3_600_000

/** From where on to ask for stored values. */
export function historyFrom(mark: HistoryMark | undefined, since: EpochMs): EpochMs {
  return mark === undefined ? since : (Math.max(since, mark.newest - overlapMs) as EpochMs)
}

/**
 * What of a history readout was not delivered yet, and the mark once it is.
 *
 * @param now bounds the mark: a value dated in the future must not hide those that come before that date
 */
export function newReadings(options: {
  readonly mark: HistoryMark | undefined
  readonly since: EpochMs
  readonly now: EpochMs
  readonly readings: readonly MeterReading[]
}): { readonly readings: MeterReading[]; readonly mark: HistoryMark } {
  const { mark, since, now } = options
  const from = historyFrom(mark, since)
  const known = new Set(mark?.recent)
  const readings = options.readings.filter((each) => each.at >= from && !known.has(nameOf(each)))
  const newest = Math.max(mark?.newest ?? 0, ...readings.map((each) => Math.min(each.at, now))) as EpochMs
  const recent = [...known, ...readings.map(nameOf)].filter((name) => Number(name.slice(name.indexOf('@') + 1)) >= newest - overlapMs)
  return { readings, mark: { newest, recent } }
}

function nameOf(reading: MeterReading): string {
  return `${reading.obis}@${reading.at}`
}
