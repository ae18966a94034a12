import type { MeterReading } from '@endeks/domain/metering'
import type { EpochMs } from '@endeks/domain/time'

/** Which values of a meter's history were delivered: all up to an instant, and by name those around and after it. */
export interface HistoryMark {
  readonly newest: EpochMs
  /** `obis@instant` of what was delivered from the overlap on */
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
 * What of a history readout was not delivered yet, and the mark once it is. The newest instant of a readout is that of its
 * current values, so the mark is the one before it: a meter files a month end long after its current value passed that date.
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
  const instants = [...new Set(options.readings.map((each) => each.at))].filter((at) => at <= now).sort((left, right) => right - left)
  const newest = Math.max(mark?.newest ?? since, instants[1] ?? since) as EpochMs
  const recent = [...known, ...readings.map(nameOf)].filter((name) => Number(name.slice(name.indexOf('@') + 1)) >= newest - overlapMs)
  return { readings, mark: { newest, recent } }
}

function nameOf(reading: MeterReading): string {
  return `${reading.obis}@${reading.at}`
}
