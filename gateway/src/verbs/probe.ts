import { type Finding, ReadFailure } from '../protocols/protocol.js'
import { type BusValues, busOfArguments, busOfSite, type ChosenBus, refuseBusValues } from './bus-choice.js'
import { onBus } from './talk.js'
import { type ExitCode, type VerbTools, wrongUse } from './tools.js'
import { describeFailure, describeIdentity, failureJson, hex, printable } from './words.js'

interface ProbeValues extends BusValues {
  readonly address?: string | undefined
  readonly key?: string | undefined
  readonly profiles?: string | undefined
  readonly zone?: string | undefined
  readonly json?: boolean | undefined
}

const localZone = new Intl.DateTimeFormat('en').resolvedOptions().timeZone

/** Talks to one address and says what stands there. */
export async function probe(positionals: readonly string[], values: ProbeValues, tools: VerbTools): Promise<ExitCode> {
  const { chosen, address } = await target(positionals, values, tools)
  if (!chosen.protocol.addressPattern.test(address)) {
    const { codec, addressPattern } = chosen.protocol
    throw wrongUse(`"${printable(address)}" is no ${codec.name} address (${addressPattern.source})`)
  }
  const key = values.key ?? chosen.meters.get(address)
  const profiles = [...chosen.profiles.values()]
    .filter((profile) => profile.protocol === chosen.protocol.codec.name)
    .map(({ name, value }) => ({ name, value }))
  try {
    const finding = await onBus(chosen, key, tools, (bus, keys) =>
      bus.probe({
        address,
        zone: values.zone ?? chosen.zone ?? localZone,
        profiles,
        signal: tools.signal,
        ...(keys === undefined ? {} : { keys })
      })
    )
    if (values.json === true) tools.print(JSON.stringify(findingJson(finding, chosen, key)))
    else for (const line of describeFinding(finding, chosen, key)) tools.print(line)
    return 0
  } catch (thrown) {
    if (!(thrown instanceof ReadFailure)) throw thrown
    if (values.json === true) tools.print(JSON.stringify({ ...failureJson(thrown), address }))
    else for (const line of [`No answer to use from ${address} on ${chosen.name}.`, ...describeFailure(thrown)]) tools.print(line)
    return 1
  }
}

async function target(
  positionals: readonly string[],
  values: ProbeValues,
  tools: VerbTools
): Promise<{ readonly chosen: ChosenBus; readonly address: string }> {
  const [site, bus, address, ...rest] = positionals
  if (site === undefined) {
    if (values.address === undefined) throw wrongUse('probe needs --address')
    return { chosen: busOfArguments(values, values.profiles), address: values.address }
  }
  if (bus === undefined || address === undefined || rest.length > 0) throw wrongUse('probe takes a site file, a bus and an address')
  refuseBusValues(values)
  const doubled = (['address', 'profiles', 'zone'] as const).find((name) => values[name] !== undefined)
  if (doubled !== undefined) throw wrongUse(`--${doubled} is not for a bus of a site file`)
  return { chosen: await busOfSite(site, bus, tools), address }
}

/** The entry for the site file's `meters`; undefined where no profile fits. */
function siteLine(finding: Finding, chosen: ChosenBus, key: string | undefined): Readonly<Record<string, string>> | undefined {
  const [profile] = finding.profiles
  if (profile === undefined) return undefined
  return { address: finding.address, profile, ...(key === undefined ? {} : { key }), schedule: chosen.schedules[0] ?? 'live' }
}

function describeFinding(finding: Finding, chosen: ChosenBus, key: string | undefined): string[] {
  const { identity, offers, profiles, address } = finding
  const who = identity === undefined ? 'a device answers that does not say who it is' : describeIdentity(identity)
  const line = siteLine(finding, chosen, key)
  return [
    `${address} on ${chosen.name}: ${who}`,
    offers.length === 0 ? 'It says nothing that can be told without a profile.' : 'It offers:',
    ...offers.map((offer) => `  ${printable(offer)}`),
    profiles.length === 0
      ? 'No profile fits: write one for it ("Add a meter" in the README of the gateway).'
      : `Profiles that fit, the best first: ${profiles.join(', ')}`,
    ...(line === undefined ? [] : ['For the "meters" of its bus in the site file:', `  ${JSON.stringify(line)}`])
  ]
}

function findingJson(finding: Finding, chosen: ChosenBus, key: string | undefined): Readonly<Record<string, unknown>> {
  const { address, identity, offers, profiles, request, response } = finding
  const meter = siteLine(finding, chosen, key)
  return { ok: true, address, identity, offers, profiles, meter, request: hex(request), response: hex(response) }
}
