import { type ConfigProblem, configInvalid, problemsOf } from '@endeks/domain/process'
import { Value } from 'typebox/value'
import { busServers } from '../meters/index.js'
import { momentOf } from './moment.js'
import { type SimulatedMeterEntry, type SimulatedSite, SimulatedSiteSchema } from './schema.js'

/** @throws {AppError} CONFIG_INVALID that lists every problem with its path */
export function checkSimulatedSite(value: unknown, what = 'the simulated site'): SimulatedSite {
  const problems = problemsOf(SimulatedSiteSchema, value)
  if (problems.length > 0 || !Value.Check(SimulatedSiteSchema, value)) throw configInvalid(what, problems)
  const names = new Set<string>()
  for (const [index, bus] of value.buses.entries()) {
    const path = `/buses/${index}`
    if (names.has(bus.name)) problems.push({ path: `${path}/name`, message: `"${bus.name}" is another bus's name already` })
    names.add(bus.name)
    if (!busServers.has(bus.protocol)) {
      problems.push({ path: `${path}/protocol`, message: `"${bus.protocol}" can't be simulated: ${[...busServers.keys()].join(', ')}` })
    }
    const addresses = new Set<string>()
    for (const [place, meter] of bus.meters.entries()) {
      if (addresses.has(meter.address)) {
        problems.push({ path: `${path}/meters/${place}/address`, message: `"${meter.address}" is another meter's address already` })
      }
      addresses.add(meter.address)
      problems.push(...problemsOfMeter(meter, `${path}/meters/${place}`, value.zone))
    }
  }
  if (problems.length > 0) throw configInvalid(what, problems)
  return value
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
