import { type ConfigProblem, configInvalid, problemsOf } from '@endeks/domain/process'
import { Value } from 'typebox/value'
import { loadGatewaySite } from '../config/check.js'
import { loadKeyPlace } from '../config/environment.js'
import { loadProfiles, type Profiles, shippedProfiles } from '../config/profiles.js'
import { openRing } from '../keys/open.js'
import { protocols } from '../protocols/index.js'
import type { Protocol } from '../protocols/protocol.js'
import { type VerbTools, wrongUse } from './tools.js'

/** How `probe` and `scan` are told a bus, beside the place in a site file. */
export const busOptions = {
  protocol: { type: 'string' },
  host: { type: 'string' },
  port: { type: 'string' },
  serial: { type: 'string' },
  baud: { type: 'string' },
  parity: { type: 'string' },
  'data-bits': { type: 'string' },
  'stop-bits': { type: 'string' },
  option: { type: 'string', multiple: true },
  'answer-within': { type: 'string' }
} as const

type BusOption = keyof typeof busOptions
export type BusValues = { readonly [Name in BusOption]?: (Name extends 'option' ? string[] : string) | undefined }

/** A bus to open, with what a site file or the arguments say about it. */
export interface ChosenBus {
  /** as a person would name it */
  readonly name: string
  readonly protocol: Protocol
  readonly options: Readonly<Record<string, unknown>>
  readonly answerWithinMs: number | undefined
  readonly profiles: Profiles
  /** undefined: none was said */
  readonly zone: string | undefined
  /** names that a meter's line may give as its schedule */
  readonly schedules: readonly string[]
  /** the meters that the site file has there, by address, with the name of their key */
  readonly meters: ReadonlyMap<string, string | undefined>
}

/** @throws {AppError} CONFIG_INVALID */
export async function busOfSite(path: string, name: string, tools: VerbTools): Promise<ChosenBus> {
  const site = loadGatewaySite(path, await openRing(loadKeyPlace(tools.environment), tools.clock))
  const bus = site.buses.find((each) => each.name === name)
  if (bus === undefined) throw wrongUse(`${path} has no bus "${name}"; it has ${site.buses.map((each) => each.name).join(', ')}`)
  return {
    name: `bus ${name}`,
    protocol: bus.protocol,
    options: bus.options,
    answerWithinMs: bus.answerWithinMs,
    profiles: site.profiles,
    zone: site.zone,
    schedules: site.schedules,
    meters: new Map(bus.meters.map((meter) => [meter.address, meter.key]))
  }
}

/** @throws {AppError} CONFIG_INVALID that lists every problem */
export function busOfArguments(values: BusValues, profileDirectory: string | undefined): ChosenBus {
  const protocol = protocolNamed(values.protocol)
  const problems: ConfigProblem[] = []
  const given = { ...placeGiven(values), ...optionsGiven(values.option ?? [], problems) }
  // What is typed on a command line is text; numbers become numbers where the protocol asks for them.
  const options = Value.Convert(protocol.busSchema, given)
  problems.push(...problemsOf(protocol.busSchema, options))
  const answerWithinMs = values['answer-within'] === undefined ? undefined : Number(values['answer-within'])
  if (answerWithinMs !== undefined && !(Number.isInteger(answerWithinMs) && answerWithinMs >= 10 && answerWithinMs <= 60_000)) {
    problems.push({ path: '--answer-within', message: 'is a number of milliseconds from 10 to 60000' })
  }
  if (problems.length > 0 || typeof options !== 'object' || options === null) throw configInvalid('the bus', problems)
  return {
    name: values.serial ?? `${values.host}:${values.port}`,
    protocol,
    options: { ...options },
    answerWithinMs,
    profiles: loadProfiles([shippedProfiles, ...(profileDirectory === undefined ? [] : [profileDirectory])]),
    zone: undefined,
    schedules: [],
    meters: new Map()
  }
}

/** A bus of a site file is described there, and not once more by arguments. */
export function refuseBusValues(values: BusValues): void {
  const given = Object.keys(busOptions).filter((name) => name in values)
  if (given.length > 0) throw wrongUse(`--${given[0]} describes a bus, and the site file does that already`)
}

function protocolNamed(name: string | undefined): Protocol {
  const protocol = protocols.find((each) => each.codec.name === name)
  if (protocol !== undefined) return protocol
  throw wrongUse(`--protocol is one of ${protocols.map((each) => each.codec.name).join(', ')}`)
}

/** In the words of a site file's bus entry. */
function placeGiven(values: BusValues): Record<string, unknown> {
  const { host, port, serial, baud, parity } = values
  const serialGiven = {
    ...(serial === undefined ? {} : { path: serial }),
    ...(baud === undefined ? {} : { baudRate: baud }),
    ...(parity === undefined ? {} : { parity }),
    ...(values['data-bits'] === undefined ? {} : { dataBits: Number(values['data-bits']) }),
    ...(values['stop-bits'] === undefined ? {} : { stopBits: Number(values['stop-bits']) })
  }
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(Object.keys(serialGiven).length === 0 ? {} : { serial: serialGiven })
  }
}

function optionsGiven(options: readonly string[], problems: ConfigProblem[]): Record<string, string> {
  const given: Record<string, string> = {}
  for (const option of options) {
    const [, name, value] = /^([A-Za-z]\w{0,63})=(.*)$/s.exec(option) ?? []
    if (name === undefined || value === undefined) problems.push({ path: '--option', message: 'is NAME=VALUE' })
    else given[name] = value
  }
  return given
}
