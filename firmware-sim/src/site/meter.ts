import { AppError } from '@endeks/domain/errors'
import { type Clock, type EpochMs, fromIso } from '@endeks/domain/time'
import { type DeviceClock, driftingClock, isLineFault, MeterFaults, trueClock } from '../faults/index.js'
import { indexFunction } from '../load-shapes/index.js'
import type { SimulatedMeter } from '../meters/meter.js'
import { momentOf } from './moment.js'
import type { SimulatedMeterEntry } from './schema.js'

/**
 * The meter that an entry describes. One that is exchanged is another meter from then on. All instants that a meter is asked
 * about, and that it tells, are those of its own clock, which may run ahead of the true one.
 *
 * @param seed of the site: which answers a fault strikes follows from it
 */
export function simulatedMeter(entry: SimulatedMeterEntry, zone: string, clock: Clock, seed = 0): SimulatedMeter {
  const faults = (entry.faults ?? []).filter((fault) => !isLineFault(fault))
  const first = standingMeter(entry, zone)
  const later = successors(entry).map((each) => standingMeter(each, zone))
  const standing = (): StandingMeter => later.findLast((each) => each.startedAt <= clock.now()) ?? first
  const deviceClock: Clock = { now: () => standing().clock.shown(clock.now()) }
  const { mbus, dlms } = entry
  return {
    address: entry.address,
    get identity() {
      return standing().identity
    },
    medium: entry.medium,
    indexAt: (at) => standing().indexAt(at),
    scaler: entry.scaler,
    unit: entry.unit ?? (entry.medium === 'heat' ? 'kWh' : 'm3'),
    digits: entry.digits,
    get startedAt() {
      return standing().startedAt
    },
    clock: deviceClock,
    zone,
    faults: new MeterFaults({ seed, address: entry.address, faults }),
    ...(mbus === undefined ? {} : { mbus }),
    ...(dlms === undefined ? {} : { dlms })
  }
}

interface StandingMeter {
  readonly identity: SimulatedMeter['identity']
  readonly startedAt: EpochMs
  readonly clock: DeviceClock
  indexAt(at: EpochMs): bigint
}

/** One after the other, each with the entry that it would have by itself. */
function successors(entry: SimulatedMeterEntry): readonly SimulatedMeterEntry[] {
  const exchanges = (entry.faults ?? [])
    .filter((fault) => fault.type === 'exchanged')
    .toSorted((left, right) => fromIso(left.at) - fromIso(right.at))
  return exchanges.map(({ type: _type, at, ...successor }) => ({ ...entry, ...successor, startedAt: at, shape: shapeFrom(entry, at) }))
}

/** What was planted for the old dial the new one never showed. */
function shapeFrom({ shape }: SimulatedMeterEntry, at: string): SimulatedMeterEntry['shape'] {
  if (shape.type !== 'fixed') return shape
  return { ...shape, points: shape.points.filter((point) => fromIso(point.at) >= fromIso(at)) }
}

function standingMeter(entry: SimulatedMeterEntry, zone: string): StandingMeter {
  const startedAt = required(entry.startedAt, zone)
  const stoppedAt = entry.stoppedAt === undefined ? undefined : required(entry.stoppedAt, zone)
  const clock = clockOf(entry, startedAt)
  const indexAt = indexFunction({
    shape: entry.shape,
    startedAt,
    ...(stoppedAt === undefined ? {} : { stoppedAt }),
    initialIndex: BigInt(entry.initialIndex),
    digits: entry.digits,
    zone
  })
  return {
    identity: { id: entry.serial, manufacturer: entry.manufacturer, version: entry.version, medium: entry.medium },
    startedAt,
    clock,
    indexAt: (at) => indexAt(clock.trueAt(at))
  }
}

function clockOf(entry: SimulatedMeterEntry, startedAt: EpochMs): DeviceClock {
  const drift = entry.faults?.find((fault) => fault.type === 'clock-drift')
  if (drift === undefined) return trueClock
  const setAt = drift.setAt === undefined ? startedAt : fromIso(drift.setAt)
  return driftingClock(setAt > startedAt ? setAt : startedAt, drift.secondsPerDay)
}

function required(text: string, zone: string): EpochMs {
  const moment = momentOf(text, zone)
  if (moment === undefined) throw new AppError('CONFIG_INVALID', `"${text}" is no instant or date`)
  return moment
}
