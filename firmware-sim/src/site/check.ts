import { isAppError } from '@endeks/domain/errors'
import { type ConfigProblem, configInvalid, problemsOf } from '@endeks/domain/process'
import { epochMs, fromIso } from '@endeks/domain/time'
import { Value } from 'typebox/value'
import { simulatedProtocols } from '../meters/index.js'
import { problemsOfFaults } from './check-faults.js'
import { simulatedMeter } from './meter.js'
import { momentOf } from './moment.js'
import { type SimulatedBusEntry, type SimulatedMeterEntry, type SimulatedSite, SimulatedSiteSchema } from './schema.js'

interface PlaceInSite {
  readonly path: string
  readonly zone: string
}

/** @throws {AppError} CONFIG_INVALID that lists every problem with its path */
export function checkSimulatedSite(value: unknown, what = 'the simulated site'): SimulatedSite {
  const problems = problemsOf(SimulatedSiteSchema, value)
  if (problems.length > 0 || !Value.Check(SimulatedSiteSchema, value)) throw configInvalid(what, problems)
  const names = new Set<string>()
  for (const [index, bus] of value.buses.entries()) {
    const path = `/buses/${index}`
    if (names.has(bus.name)) problems.push({ path: `${path}/name`, message: `"${bus.name}" is another bus's name already` })
    names.add(bus.name)
    problems.push(...problemsOfBus(bus, path, value.zone))
  }
  if (problems.length > 0) throw configInvalid(what, problems)
  return value
}

function problemsOfBus(bus: SimulatedBusEntry, path: string, zone: string): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (!simulatedProtocols.has(bus.protocol)) {
    problems.push({
      path: `${path}/protocol`,
      message: `"${bus.protocol}" can't be simulated: ${[...simulatedProtocols.keys()].join(', ')}`
    })
  }
  problems.push(...foreignOptions(bus, bus.protocol, path), ...problemsOfFaults(bus.faults ?? [], { path, zone, bus }))
  const addresses = new Set<string>()
  for (const [place, meter] of bus.meters.entries()) {
    const here = `${path}/meters/${place}`
    if (addresses.has(meter.address))
      problems.push({ path: `${here}/address`, message: `"${meter.address}" is another meter's address already` })
    addresses.add(meter.address)
    const own = [
      ...foreignOptions(meter, bus.protocol, here),
      ...problemsOfMeter(meter, here, zone),
      ...problemsOfFaults(meter.faults ?? [], { path: here, zone, bus, meter })
    ]
    problems.push(...own)
    if (own.length === 0) problems.push(...problemsOnTheWire(meter, bus, { path: here, zone }))
  }
  return problems
}

/** Why the protocol can't have a meter that is right by itself, or one that comes into its place. */
function problemsOnTheWire(entry: SimulatedMeterEntry, bus: SimulatedBusEntry, { path, zone }: PlaceInSite): ConfigProblem[] {
  const protocol = simulatedProtocols.get(bus.protocol)
  const exchanges = (entry.faults ?? []).flatMap((fault, index) =>
    fault.type === 'exchanged' ? [{ at: fromIso(fault.at), path: `${path}/faults/${index}` }] : []
  )
  return [{ at: epochMs(0), path }, ...exchanges].flatMap(({ at, path: here }) => {
    try {
      protocol?.tryOut(simulatedMeter(entry, zone, { now: () => at }), bus)
      return []
    } catch (thrown) {
      if (isAppError(thrown, 'CONFIG_INVALID') || isAppError(thrown, 'VALIDATION')) return [{ path: here, message: thrown.message }]
      throw thrown
    }
  })
}

/** What is told in a property of a protocol's name is for that protocol. */
function foreignOptions(entry: SimulatedBusEntry | SimulatedMeterEntry, protocol: string, path: string): ConfigProblem[] {
  return Object.keys(entry)
    .filter((name) => name !== protocol && simulatedProtocols.has(name))
    .map((name) => ({ path: `${path}/${name}`, message: `is for a bus whose protocol is "${name}"` }))
}

function problemsOfMeter(meter: SimulatedMeterEntry, path: string, zone: string): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (BigInt(meter.initialIndex) >= 10n ** BigInt(meter.digits)) {
    problems.push({ path: `${path}/initialIndex`, message: `does not fit ${meter.digits} digits` })
  }
  const startedAt = momentOf(meter.startedAt, zone)
  if (startedAt === undefined)
    problems.push({ path: `${path}/startedAt`, message: 'is no instant or date of the calendar, or the zone is unknown' })
  if (meter.stoppedAt !== undefined) {
    const stoppedAt = momentOf(meter.stoppedAt, zone)
    if (stoppedAt === undefined) problems.push({ path: `${path}/stoppedAt`, message: 'is no instant or date of the calendar' })
    else if (startedAt !== undefined && stoppedAt < startedAt) problems.push({ path: `${path}/stoppedAt`, message: 'is before startedAt' })
  }
  return problems
}
