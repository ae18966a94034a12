import { type EpochMs, epochMs, toLocal, wholeDays } from '@endeks/domain/time'
import { dlms } from '@endeks/gateway/codec'
import type { SimulatedMeter } from '../meter.js'
import { counterData } from './register.js'

/** Rows that the meter's memory holds: the oldest makes room for the newest. */
export const profileEntries = 500
export const capturePeriodS = 86_400

const dayMs = 86_400_000

interface Bounds {
  readonly from: number
  readonly to: number
}

/**
 * The instants at which the daily load profile captured, oldest first: each local midnight since the meter was mounted, as
 * far back as the memory reaches. Nothing is stored: what the memory would hold follows from the clock.
 */
export function capturedMidnights(meter: SimulatedMeter, bounds: Bounds = everything): EpochMs[] {
  const now = meter.clock.now()
  const from = Math.max(meter.startedAt, now - profileEntries * dayMs + 1, bounds.from)
  const to = Math.min(now, bounds.to)
  if (to < from) return []
  const days = wholeDays({ from: epochMs(from), to: epochMs(to + 1) }, meter.zone).map((day) => day.from)
  return days.filter((start, index) => index > 0 || isMidnight(start, meter.zone))
}

function isMidnight(instant: EpochMs, zone: string): boolean {
  const { hour, minute, second } = toLocal(instant, zone)
  return hour === 0 && minute === 0 && second === 0 && instant % 1000 === 0
}

/**
 * The buffer, whole or by a range of the clock.
 *
 * @returns undefined for a selection that this profile does not know
 */
export function profileRows(meter: SimulatedMeter, access?: dlms.SelectiveAccess): dlms.DlmsData | undefined {
  const bounds = access === undefined ? everything : boundsOf(access, meter.zone)
  if (bounds === undefined) return undefined
  return { type: 'array', value: capturedMidnights(meter, bounds).map((at) => rowAt(meter, at)) }
}

const everything: Bounds = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }

function boundsOf(access: dlms.SelectiveAccess, zone: string): Bounds | undefined {
  const range = dlms.readRangeByClock(access)
  if (range === undefined) return undefined
  const from = dlms.toInstant(range.from, zone)
  const to = dlms.toInstant(range.to, zone)
  return from === undefined || to === undefined ? undefined : { from, to }
}

function rowAt(meter: SimulatedMeter, at: EpochMs): dlms.DlmsData {
  return { type: 'structure', value: [dlms.dateTimeOctets(dlms.fromInstant(at, meter.zone)), counterData(meter, at)] }
}
