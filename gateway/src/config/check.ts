import { dirname, resolve } from 'node:path'
import { type GatewayId, gatewayId } from '@endeks/domain/identifiers'
import { type ConfigProblem, configInvalid, loadJsonFile, problemsOf } from '@endeks/domain/process'
import { type EpochMs, startOfDay } from '@endeks/domain/time'
import { Temporal } from 'temporal-polyfill'
import { Value } from 'typebox/value'
import { noSuchKey } from '../keys/key-file/index.js'
import { protocols } from '../protocols/index.js'
import type { Protocol } from '../protocols/protocol.js'
import { type BackOffOptions, backOffDefaults } from '../uplink/back-off.js'
import { type ReplayRate, replayDefaults } from '../uplink/pace.js'
import type { TlsFiles } from '../uplink/tls.js'
import { loadProfiles, type Profile, type Profiles, shippedProfiles } from './profiles.js'
import { type GatewaySiteFile, GatewaySiteSchema } from './schema.js'
import { checkTls } from './uplink.js'

/** A meter as the gateway reads it. */
export interface SiteMeter {
  readonly address: string
  readonly profile: Profile
  /** under which its keys were imported; undefined: it is read without */
  readonly key: string | undefined
  /** undefined: only stored values are read */
  readonly everyMs: number | undefined
  /** stored values older than this are not asked for; undefined: none are */
  readonly historySince: EpochMs | undefined
}

export interface SiteBus {
  readonly name: string
  readonly protocol: Protocol
  readonly answerWithinMs: number | undefined
  /** what `protocol.open` is given */
  readonly options: Readonly<Record<string, unknown>>
  readonly meters: readonly SiteMeter[]
}

/** A site file with every name in it resolved. */
export interface GatewaySite {
  readonly gateway: GatewayId
  readonly zone: string
  readonly mqttUrl: string
  readonly tls?: TlsFiles
  readonly replay: ReplayRate
  readonly reconnect: BackOffOptions
  readonly spoolMaxBytes: number
  readonly buses: readonly SiteBus[]
}

/** Holds a day of 10,000 meters without network, read every quarter of an hour one by one; benchmarks/spool has the arithmetic. */
const defaults = { spoolMaxBytes: 1_073_741_824 } as const

/** Which keys there are; of the key ring, only this concerns a site file. */
export interface KeyNames {
  has(name: string): boolean
}

interface Sources {
  /** names the file in the message */
  readonly what?: string
  /** to which paths in the file are relative; the working directory unless told */
  readonly directory?: string
  /** undefined: no secret was given to open any */
  readonly keys?: KeyNames | undefined
}

/** A site with what its file could have named besides: for whoever adds a meter. */
export interface LoadedSite extends GatewaySite {
  readonly profiles: Profiles
  readonly schedules: readonly string[]
}

/** Reads and checks a site file with the profiles that ship and those of the directory that it names. */
export function loadGatewaySite(path: string, keys?: KeyNames): LoadedSite {
  const value = loadJsonFile(path)
  const extra =
    typeof value === 'object' && value !== null && 'profileDirectory' in value && typeof value.profileDirectory === 'string'
      ? [resolve(dirname(path), value.profileDirectory)]
      : []
  const profiles = loadProfiles([shippedProfiles, ...extra])
  const site = checkGatewaySite(value, profiles, { what: path, keys, directory: dirname(path) })
  return { ...site, profiles, schedules: Value.Check(GatewaySiteSchema, value) ? Object.keys(value.schedules) : [] }
}

/**
 * Holds a site file's content against its schema, its protocols, the profiles and the keys.
 *
 * @throws {AppError} CONFIG_INVALID that lists every problem with its path
 */
export function checkGatewaySite(
  value: unknown,
  profiles: Profiles,
  { what = 'the site file', keys, directory = '.' }: Sources = {}
): GatewaySite {
  const problems = problemsOf(GatewaySiteSchema, value)
  if (problems.length > 0 || !Value.Check(GatewaySiteSchema, value)) throw configInvalid(what, problems)
  if (!isZone(value.zone)) problems.push({ path: '/zone', message: `"${value.zone}" is no IANA time zone` })
  const tls = checkTls(value, directory, problems)
  const buses = value.buses.map((bus, index) => checkBus(bus, `/buses/${index}`, { site: value, profiles, keys, problems }))
  reportDoubles(
    value.buses.map((bus) => bus.name),
    (index) => `/buses/${index}/name`,
    problems
  )
  if (problems.length > 0) throw configInvalid(what, problems)
  return {
    gateway: gatewayId(value.gateway),
    zone: value.zone,
    mqttUrl: value.mqtt.url,
    ...(tls === undefined ? {} : { tls }),
    replay: { ...replayDefaults, ...value.uplink?.replay },
    reconnect: { ...backOffDefaults, ...value.uplink?.reconnect },
    spoolMaxBytes: value.spool?.maxBytes ?? defaults.spoolMaxBytes,
    buses: buses.filter((bus) => bus !== undefined)
  }
}

interface Context {
  readonly site: GatewaySiteFile
  readonly profiles: Profiles
  readonly keys: KeyNames | undefined
  readonly problems: ConfigProblem[]
}

type BusEntry = GatewaySiteFile['buses'][number]

function checkBus(bus: BusEntry, path: string, context: Context): SiteBus | undefined {
  const { name, protocol: protocolName, answerWithinMs, meters, ...options } = bus
  const protocol = protocols.find((each) => each.codec.name === protocolName)
  if (protocol === undefined) {
    const known = protocols.map((each) => each.codec.name).join(', ')
    context.problems.push({ path: `${path}/protocol`, message: `"${protocolName}" is no protocol of this gateway: ${known}` })
    return undefined
  }
  for (const problem of problemsOf(protocol.busSchema, options)) {
    context.problems.push({ path: problem.path === '/' ? path : `${path}${problem.path}`, message: problem.message })
  }
  reportDoubles(
    meters.map((meter) => meter.address),
    (index) => `${path}/meters/${index}/address`,
    context.problems
  )
  const checked = meters.map((meter, index) => checkMeter(meter, protocol, { ...context, path: `${path}/meters/${index}` }))
  return {
    name,
    protocol,
    answerWithinMs,
    options,
    meters: checked.filter((meter) => meter !== undefined)
  }
}

function checkMeter(meter: BusEntry['meters'][number], protocol: Protocol, context: Context & { path: string }): SiteMeter | undefined {
  const { site, profiles, problems, path } = context
  const before = problems.length
  if (!protocol.addressPattern.test(meter.address)) {
    problems.push({
      path: `${path}/address`,
      message: `"${meter.address}" is no ${protocol.codec.name} address, which is ${protocol.addressForm}`
    })
  }
  const profile = profiles.get(meter.profile)
  if (profile === undefined) problems.push({ path: `${path}/profile`, message: `there is no profile "${meter.profile}"` })
  else if (profile.protocol !== protocol.codec.name) {
    problems.push({
      path: `${path}/profile`,
      message: `"${meter.profile}" is for ${profile.protocol}, and the bus speaks ${protocol.codec.name}`
    })
  }
  const keyless = meter.key === undefined ? undefined : keyProblem(meter.key, context.keys)
  if (keyless !== undefined) problems.push({ path: `${path}/key`, message: keyless })
  const schedule = meter.schedule === undefined ? undefined : site.schedules[meter.schedule]
  if (meter.schedule !== undefined && schedule === undefined) {
    problems.push({ path: `${path}/schedule`, message: `there is no schedule "${meter.schedule}"` })
  }
  const since = meter.historySince === undefined ? undefined : plainDate(meter.historySince)
  if (meter.historySince !== undefined && since === undefined) {
    problems.push({ path: `${path}/historySince`, message: `"${meter.historySince}" is not a date of the calendar` })
  }
  if (meter.schedule === undefined && meter.historySince === undefined) {
    problems.push({ path, message: 'has neither schedule nor historySince and would never be read' })
  }
  if (problems.length > before || profile === undefined || !isZone(site.zone)) return undefined
  return {
    address: meter.address,
    profile,
    key: meter.key,
    everyMs: schedule?.everyMs,
    historySince: since === undefined ? undefined : startOfDay(since, site.zone)
  }
}

function keyProblem(name: string, keys: KeyNames | undefined): string | undefined {
  if (keys === undefined) return "can't be opened without ENDEKS_KEY_SECRET"
  return keys.has(name) ? undefined : noSuchKey(name)
}

function reportDoubles(values: readonly string[], pathOf: (index: number) => string, problems: ConfigProblem[]): void {
  const seen = new Map<string, number>()
  for (const [index, value] of values.entries()) {
    const first = seen.get(value)
    if (first === undefined) seen.set(value, index)
    else problems.push({ path: pathOf(index), message: `"${value}" is taken already by ${pathOf(first)}` })
  }
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch (thrown) {
    if (thrown instanceof RangeError) return false
    throw thrown
  }
}

function plainDate(text: string): Temporal.PlainDate | undefined {
  try {
    return Temporal.PlainDate.from(text)
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined
    throw thrown
  }
}
