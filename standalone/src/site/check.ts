import { type ConfigProblem, configInvalid, problemsOf } from '@endeks/domain/process'
import { checkTariff } from '@endeks/rating/tariff'
import { Value } from 'typebox/value'
import { type Site, type SiteMeter, SiteSchema } from './schema.js'

/**
 * Holds a site file against its schema and against itself: every name in it must lead somewhere.
 *
 * @throws {AppError} CONFIG_INVALID that lists every problem with its path
 */
export function checkSite(value: unknown, what: string): Site {
  const problems = problemsOf(SiteSchema, value)
  if (problems.length > 0 || !Value.Check(SiteSchema, value)) throw configInvalid(what, problems)
  problems.push(...tariffProblems(value), ...gatewayProblems(value), ...participantProblems(value), ...pointProblems(value))
  if (problems.length > 0) throw configInvalid(what, problems)
  return value
}

function tariffProblems(site: Site): ConfigProblem[] {
  return site.tariffs.flatMap((tariff, index) => {
    const checked = checkTariff(tariff, site.kdv)
    return checked.ok ? [] : checked.error.map((problem) => ({ path: `/tariffs/${index}${problem.path}`, message: problem.message }))
  })
}

function gatewayProblems(site: Site): ConfigProblem[] {
  const problems = doubles(
    site.gateways.map((gateway) => gateway.id),
    (index) => `/gateways/${index}/id`
  )
  for (const [index, gateway] of site.gateways.entries()) {
    problems.push(
      ...doubles(
        gateway.buses.map((bus) => bus.name),
        (place) => `/gateways/${index}/buses/${place}/name`
      )
    )
    for (const [place, bus] of gateway.buses.entries()) {
      if (site.simulation !== undefined || (bus.host !== undefined && bus.port !== undefined)) continue
      problems.push({ path: `/gateways/${index}/buses/${place}`, message: 'a real bus needs host and port' })
    }
  }
  return problems
}

function participantProblems(site: Site): ConfigProblem[] {
  return doubles(
    site.participants.map((participant) => participant.registryNo),
    (index) => `/participants/${index}/registryNo`
  )
}

function pointProblems(site: Site): ConfigProblem[] {
  const problems = [
    ...doubles(
      site.points.map((point) => point.code),
      (index) => `/points/${index}/code`
    ),
    ...doubles(
      site.points.map((point) => point.subscription),
      (index) => `/points/${index}/subscription`
    )
  ]
  const participants = new Set(site.participants.map((participant) => participant.registryNo))
  const tariffs = new Set(site.tariffs.map((tariff) => (tariff as { code: string }).code))
  const buses = new Set(site.gateways.flatMap((gateway) => gateway.buses.map((bus) => `${gateway.id}/${bus.name}`)))
  const addresses = new Map<string, string>()
  for (const [index, point] of site.points.entries()) {
    const path = `/points/${index}`
    if (!participants.has(point.participant))
      problems.push({ path: `${path}/participant`, message: `there is no participant ${point.participant}` })
    if (!tariffs.has(point.tariff)) problems.push({ path: `${path}/tariff`, message: `there is no tariff "${point.tariff}"` })
    for (const [place, meter] of point.meters.entries()) {
      const at = `${path}/meters/${place}`
      if (!buses.has(`${meter.gateway}/${meter.bus}`))
        problems.push({ path: at, message: `gateway ${meter.gateway} has no bus "${meter.bus}"` })
      const address = `${meter.gateway}/${meter.bus}/${meter.address}`
      const taken = addresses.get(address)
      if (taken !== undefined) problems.push({ path: `${at}/address`, message: `"${meter.address}" is taken by ${taken}` })
      addresses.set(address, at)
      problems.push(...meterProblems(meter, at, site.simulation !== undefined))
    }
    problems.push(...exchangeProblems(point.meters, path))
  }
  return problems
}

function meterProblems(meter: SiteMeter, path: string, simulated: boolean): ConfigProblem[] {
  if (simulated && meter.simulated === undefined)
    return [{ path, message: 'a simulated site says of every meter how it counts: "simulated" is missing' }]
  if (!simulated && meter.simulated !== undefined)
    return [{ path: `${path}/simulated`, message: 'the site has no "simulation": its meters are real' }]
  const problems: ConfigProblem[] = []
  if (!simulated && meter.to !== undefined && meter.closingIndex === undefined) {
    problems.push({ path: `${path}/closingIndex`, message: 'a dismounted meter needs its closing index' })
  }
  if (!simulated && meter.from !== undefined && meter.openingIndex === undefined) {
    problems.push({ path: `${path}/openingIndex`, message: 'a meter mounted on a date needs its opening index' })
  }
  return problems
}

/** One after the other: a meter that follows begins on the day the one before it ends. */
function exchangeProblems(meters: readonly SiteMeter[], path: string): ConfigProblem[] {
  return meters.flatMap((meter, place) => {
    const before = meters[place - 1]
    if (before === undefined) return []
    if (before.to !== undefined && meter.from === before.to) return []
    return [{ path: `${path}/meters/${place}/from`, message: 'must be the "to" of the meter before it' }]
  })
}

function doubles(values: readonly string[], pathOf: (index: number) => string): ConfigProblem[] {
  const seen = new Map<string, number>()
  return values.flatMap((value, index) => {
    const first = seen.get(value)
    if (first === undefined) {
      seen.set(value, index)
      return []
    }
    return [{ path: pathOf(index), message: `"${value}" is taken already by ${pathOf(first)}` }]
  })
}
