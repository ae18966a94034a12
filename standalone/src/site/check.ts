import { isAppError } from '@endeks/domain/errors'
import { isNationalId, isTaxNumber } from '@endeks/domain/identifiers'
import { type ConfigProblem, configInvalid, problemsOf } from '@endeks/domain/process'
import { checkSimulatedSite } from '@endeks/firmware-sim/site'
import { checkGatewaySite, loadProfiles, shippedProfiles } from '@endeks/gateway/config'
import { checkKdvTable, checkTariff } from '@endeks/rating/tariff'
import { Temporal } from 'temporal-polyfill'
import { Value } from 'typebox/value'
import { gatewayFileOf, simulatedSiteOf } from './project.js'
import { type Site, type SiteMeter, SiteSchema } from './schema.js'

/**
 * Holds a site file against its schema, against itself, and against what each part of the product will be given of it: every
 * name must lead somewhere, and nothing may be refused only after something was started.
 *
 * @param today the calendar day, in the form 2026-11-24
 * @throws {AppError} CONFIG_INVALID that lists every problem with its path
 */
export function checkSite(value: unknown, what: string, today: string): Site {
  const problems = problemsOf(SiteSchema, value)
  if (problems.length > 0 || !Value.Check(SiteSchema, value)) throw configInvalid(what, problems)
  if (!isZone(value.utility.zone)) problems.push({ path: '/utility/zone', message: `"${value.utility.zone}" is no IANA time zone` })
  problems.push(...utilityProblems(value), ...tariffProblems(value), ...gatewayProblems(value), ...participantProblems(value))
  problems.push(...pointProblems(value, today))
  // The parts can only be asked about a site that holds together.
  if (problems.length === 0) problems.push(...partProblems(value))
  if (problems.length > 0) throw configInvalid(what, problems)
  return value
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch (thrown) {
    if (thrown instanceof RangeError) return false
    throw thrown
  }
}

function utilityProblems({ utility, tariffs }: Site): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (!isTaxNumber(utility.taxNumber))
    problems.push({ path: '/utility/taxNumber', message: 'is no tax number: its check digit is another' })
  if (utility.invoiceSeries === utility.receiptSeries)
    problems.push({ path: '/utility/receiptSeries', message: 'must differ from invoiceSeries' })
  for (const [index, tariff] of tariffs.entries()) {
    const { currency } = tariff as { currency?: unknown }
    if (currency !== utility.currency) {
      problems.push({ path: `/tariffs/${index}/currency`, message: `is ${String(currency)}, and the utility's is ${utility.currency}` })
    }
  }
  return problems
}

/** What the gateways and the simulator say of their own files, with the path that each file was made from. */
function partProblems(site: Site): ConfigProblem[] {
  const dated = { site, startedOn: '2020-01-01' }
  const profiles = loadProfiles([shippedProfiles])
  const ports = new Map(
    site.gateways.flatMap((gateway) => gateway.buses.map((bus) => [`${gateway.id}.${bus.name}`, bus.port ?? 1] as const))
  )
  const problems = site.gateways.flatMap((gateway, index) =>
    said(`/gateways/${index} as its gateway reads it: `, () =>
      checkGatewaySite(gatewayFileOf(dated, gateway, { mqttUrl: 'mqtt://127.0.0.1:1883', ports }), profiles)
    )
  )
  if (site.simulation !== undefined) problems.push(...said('the simulated meters: ', () => checkSimulatedSite(simulatedSiteOf(dated))))
  return problems
}

function said(where: string, check: () => unknown): ConfigProblem[] {
  try {
    check()
    return []
  } catch (thrown) {
    if (!isAppError(thrown, 'CONFIG_INVALID')) throw thrown
    return (thrown.details['problems'] as ConfigProblem[]).map(({ path, message }) => ({ path: `${where}${path}`, message }))
  }
}

function tariffProblems(site: Site): ConfigProblem[] {
  const versions = site.tariffs.map((tariff) => tariff as { code?: unknown; version?: unknown; validFrom?: unknown })
  return [
    ...documentProblems(site),
    ...doubles(
      versions.map(({ code, version }) => `${String(code)} ${String(version)}`),
      (index) => `/tariffs/${index}/version`
    ),
    ...doubles(
      versions.map(({ code, validFrom }) => `${String(code)} from ${String(validFrom)}`),
      (index) => `/tariffs/${index}/validFrom`
    )
  ]
}

function documentProblems(site: Site): ConfigProblem[] {
  const table = checkKdvTable(site.kdv)
  if (!table.ok) return table.error.map((problem) => ({ path: `/kdv${problem.path}`, message: problem.message }))
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
  const wrong = site.participants.flatMap(({ taxNumber }, index) => {
    if (taxNumber === undefined || isTaxNumber(taxNumber) || isNationalId(taxNumber)) return []
    return [
      {
        path: `/participants/${index}/taxNumber`,
        message: `${taxNumber} is neither a tax number nor a national id: its check digits are others`
      }
    ]
  })
  return [
    ...wrong,
    ...doubles(
      site.participants.map((participant) => participant.registryNo),
      (index) => `/participants/${index}/registryNo`
    )
  ]
}

function pointProblems(site: Site, today: string): ConfigProblem[] {
  const meters = site.points.flatMap((point, index) =>
    point.meters.map((meter, place) => ({ meter, path: `/points/${index}/meters/${place}` }))
  )
  const problems = [
    ...doubles(
      meters.map(({ meter }) => `${meter.manufacturer} ${meter.serial}`),
      (index) => `${meters[index]?.path ?? ''}/serial`
    ),
    ...contractProblems(site),
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
      problems.push(
        ...meterProblems(meter, at, site.simulation !== undefined),
        ...dateProblems(meter, at, today),
        ...mediumProblems(meter, at, point.commodity)
      )
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

/** A contract has one participant, however many subscriptions stand under it. */
function contractProblems(site: Site): ConfigProblem[] {
  const holders = new Map<string, string>()
  return site.points.flatMap((point, index) => {
    const holder = holders.get(point.contract) ?? point.participant
    holders.set(point.contract, holder)
    if (holder === point.participant) return []
    return [{ path: `/points/${index}/contract`, message: `"${point.contract}" is the contract of participant ${holder} already` }]
  })
}

function dateProblems({ from, to }: SiteMeter, path: string, today: string): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  for (const [name, date] of Object.entries({ from, to })) {
    if (date === undefined) continue
    if (!isDate(date)) problems.push({ path: `${path}/${name}`, message: `${date} is no day of the calendar` })
    else if (date > today) problems.push({ path: `${path}/${name}`, message: `${date} lies in the future` })
  }
  if (from !== undefined && to !== undefined && to <= from) problems.push({ path: `${path}/to`, message: 'must come after "from"' })
  return problems
}

function isDate(text: string): boolean {
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' }).toString() === text
  } catch (thrown) {
    if (thrown instanceof RangeError) return false
    throw thrown
  }
}

/** Which media a service may be metered by. */
const mediaOf: Readonly<Record<string, readonly string[]>> = {
  water: ['water', 'cold-water', 'hot-water'],
  wastewater: ['waste-water', 'water', 'cold-water'],
  gas: ['gas'],
  heat: ['heat']
}

function mediumProblems(meter: SiteMeter, path: string, commodity: string): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (!(mediaOf[commodity] ?? []).includes(meter.medium))
    problems.push({ path: `${path}/medium`, message: `${meter.medium} is not metered for ${commodity}` })
  if ((meter.maxPerHour.unit === 'm3') === (meter.medium === 'heat')) {
    problems.push({ path: `${path}/maxPerHour/unit`, message: `${meter.maxPerHour.unit} is no unit of ${meter.medium}` })
  }
  if (/^0*(\.0*)?$/.test(meter.maxPerHour.value)) problems.push({ path: `${path}/maxPerHour/value`, message: 'must be more than nothing' })
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
