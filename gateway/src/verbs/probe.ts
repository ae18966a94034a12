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

/** Profiles that are offered for pasting. */
const mostLines = 5

const localZone = new Intl.DateTimeFormat('en').resolvedOptions().timeZone

/** Talks to one address and says what stands there. */
export async function probe(positionals: readonly string[], values: ProbeValues, tools: VerbTools): Promise<ExitCode> {
  const { chosen, address } = await target(positionals, values, tools)
  if (!chosen.protocol.addressPattern.test(address)) {
    const { codec, addressForm } = chosen.protocol
    throw wrongUse(`"${printable(address)}" is no ${codec.name} address, which is ${addressForm}`)
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
    const trouble = troubleOf(finding)
    if (values.json === true) tools.print(JSON.stringify(findingJson(finding, chosen, { key, trouble })))
    else for (const line of describeFinding(finding, chosen, { key, trouble })) tools.print(line)
    return trouble === undefined ? 0 : 1
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

/**
 * Why a device that says who it is can't be read: a driver puts what stood in the way among the offers, as its code and a sentence.
 * With a profile that fits it is a remark, such as on a client that was refused beside one that was not.
 */
function troubleOf({ profiles, offers, request, response }: Finding): ReadFailure | undefined {
  if (profiles.length > 0) return undefined
  for (const offer of offers) {
    const [, code, message] = /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+): (.*)$/s.exec(offer) ?? []
    if (code !== undefined && message !== undefined) return new ReadFailure(code, message, { request, response })
  }
  return undefined
}

interface Judged {
  readonly key: string | undefined
  readonly trouble: ReadFailure | undefined
}

/** Entries for the site file's `meters`, one for each profile that fits. */
function siteLines(finding: Finding, chosen: ChosenBus, key: string | undefined): Readonly<Record<string, string>>[] {
  const schedule = chosen.schedules[0] ?? 'live'
  return finding.profiles
    .slice(0, mostLines)
    .map((profile) => ({ address: finding.address, profile, ...(key === undefined ? {} : { key }), schedule }))
}

function describeFinding(finding: Finding, chosen: ChosenBus, { key, trouble }: Judged): string[] {
  const { identity, offers, address } = finding
  const who = identity === undefined ? 'a device answers that does not say who it is' : describeIdentity(identity)
  const head = `${address} on ${chosen.name}: ${who}`
  if (trouble !== undefined) return [head, ...describeFailure(trouble)]
  return [
    head,
    offers.length === 0 ? 'It says nothing that can be told without a profile.' : 'It offers:',
    ...offers.map((offer) => `  ${printable(offer)}`),
    ...adviceOn(siteLines(finding, chosen, key))
  ]
}

function adviceOn(lines: readonly Readonly<Record<string, string>>[]): string[] {
  if (lines.length === 0) return ['No profile fits: write one for it ("Add a meter" in the README of the gateway).']
  const said =
    lines.length === 1
      ? 'A profile fits. For the "meters" of its bus in the site file:'
      : 'Several profiles fit, the best first; take the one of what the meter measures. For the "meters" of its bus in the site file:'
  return [said, ...lines.map((line) => `  ${JSON.stringify(line)}`)]
}

function findingJson(finding: Finding, chosen: ChosenBus, { key, trouble }: Judged): Readonly<Record<string, unknown>> {
  const { address, identity, offers, profiles, request, response } = finding
  const meters = siteLines(finding, chosen, key)
  const outcome = trouble === undefined ? { ok: true } : failureJson(trouble)
  return { ...outcome, address, identity, offers, profiles, meters, request: hex(request), response: hex(response) }
}
