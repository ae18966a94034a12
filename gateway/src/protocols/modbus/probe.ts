import { type DeviceIdentity, formatIdentity } from '@endeks/domain/metering'
import { type Result, success } from '@endeks/domain/result'
import type { EpochMs } from '@endeks/domain/time'
import type { Finding, MeterReadout, NamedProfile, ProbeJob } from '../protocol.js'
import type { Asker, Refusal } from './asker.js'
import { type Identification, identificationNames, isModbusProfile, type ModbusProfile, modbusCodec, planReads } from './codec/index.js'
import type { Exchanged } from './transport.js'

type Answer = Result<Exchanged, Refusal>
type Found = Pick<Finding, 'address' | 'identity' | 'offers' | 'profiles'>

interface Fit {
  readonly name: string
  readonly profile: ModbusProfile
  readonly readout: MeterReadout
}

/**
 * What stands at a unit: what it says of itself, and which profiles' registers it has, with what they hold.
 *
 * @returns a failure when the unit answers nothing at all, or the line is down
 */
export async function probeUnit(asker: Asker, job: ProbeJob, now: () => EpochMs): Promise<Result<Found, Refusal>> {
  const identified = await asker.identify()
  if (!identified.ok && isFinal(identified.error)) return identified
  const objects = identified.ok ? identified.value : []
  const fits: Fit[] = []
  const misfits: string[] = []
  const answers = new Map<string, Answer>()
  let heard = identified.ok || !identified.error.silent
  for (const { name, value } of job.profiles) {
    if (!isModbusProfile(value)) continue
    const tried = await tryProfile(asker, { name, value }, { answers, zone: job.zone, now })
    if (tried.kind === 'refused' && isFinal(tried.refusal)) return { ok: false, error: tried.refusal }
    heard ||= tried.kind !== 'refused' || !tried.refusal.silent
    // A unit that says nothing to two functions says nothing to the rest.
    if (!heard && tried.kind === 'refused') return { ok: false, error: tried.refusal }
    if (tried.kind === 'fits') fits.push({ name, profile: value, readout: tried.readout })
    else misfits.push(`not ${name}: ${tried.kind === 'refused' ? tried.refusal.message : tried.why}`)
  }
  if (!heard && !identified.ok) return identified
  const ranked = fits.toSorted((left, right) => rankOf(right, objects) - rankOf(left, objects))
  const identity = identityOf(ranked, objects)
  return success({
    address: job.address,
    ...(identity === undefined ? {} : { identity }),
    offers: [...objects.map(describeObject), ...ranked.map(describeFit), ...misfits],
    profiles: ranked.map(({ name }) => name)
  })
}

/** The line's own failures end a probe. */
function isFinal({ kind }: Refusal): boolean {
  return kind === 'line' || kind === 'aborted'
}

type Tried =
  | { readonly kind: 'fits'; readonly readout: MeterReadout }
  | { readonly kind: 'misfit'; readonly why: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

interface Trial {
  /** what was asked before, for profiles of one family read the same registers */
  readonly answers: Map<string, Answer>
  readonly zone: string
  readonly now: () => EpochMs
}

async function tryProfile(asker: Asker, { name, value }: NamedProfile, trial: Trial): Promise<Tried> {
  if (!isModbusProfile(value)) return { kind: 'misfit', why: `${name} is not for Modbus` }
  const requests: Uint8Array[] = []
  const responses: Uint8Array[] = []
  for (const range of planReads(value, false)) {
    const key = `${range.function} ${range.address} ${range.count}`
    const answer = trial.answers.get(key) ?? (await asker.ask(range))
    trial.answers.set(key, answer)
    if (!answer.ok) return { kind: 'refused', refusal: answer.error }
    requests.push(answer.value.request)
    responses.push(answer.value.response)
  }
  const evidence = {
    request: Buffer.concat(requests),
    response: Buffer.concat(responses),
    at: trial.now(),
    profile: value,
    zone: trial.zone
  }
  const decoded = modbusCodec.decodeEvidence(evidence)
  if (!decoded.ok) return { kind: 'misfit', why: decoded.error.message }
  const why = implausible(decoded.value)
  return why === undefined ? { kind: 'fits', readout: decoded.value } : { kind: 'misfit', why }
}

/** Registers that hold something else read as numbers all the same: no meter's number is 0, and no index is below it. */
function implausible({ identity, readings }: MeterReadout): string | undefined {
  if (/^0*$/.test(identity.id)) return `its number would be ${identity.id}`
  const negative = readings.find(({ raw }) => raw < 0n)
  return negative === undefined ? undefined : `${negative.obis} would be ${negative.raw}`
}

/** First what the device calls itself, then what more of it is read. */
function rankOf({ profile, readout }: Fit, objects: Identification['objects']): number {
  const wanted = profile.device?.manufacturer ?? profile.identity.manufacturer
  const said = objects.map(({ text }) => text.toLowerCase())
  const word = wanted?.toLowerCase()
  const named = word === undefined || said.length === 0 ? 0 : said.some((text) => text.includes(word)) ? 1_000 : -1_000
  return named + readout.readings.length
}

/** Of the profile that fits best. Where another fits as well and takes the meter for one of another medium, that is not known. */
function identityOf(ranked: readonly Fit[], objects: Identification['objects']): DeviceIdentity | undefined {
  const [best] = ranked
  if (best === undefined) return undefined
  const vendor = objects.find(({ id, text }) => id === 0 && text !== '')?.text
  const { medium, ...identity } = best.readout.identity
  const rivals = ranked.filter((each) => rankOf(each, objects) === rankOf(best, objects))
  const sure = medium !== undefined && rivals.every(({ readout }) => readout.identity.medium === medium)
  return {
    ...identity,
    ...(identity.manufacturer === undefined && vendor !== undefined ? { manufacturer: vendor } : {}),
    ...(sure ? { medium } : {})
  }
}

function describeObject({ id, text }: Identification['objects'][number]): string {
  return `${identificationNames[id] ?? `object ${id}`}: ${text}`
}

function describeFit({ name, readout }: Fit): string {
  const values = readout.readings.map(({ obis, raw, scaler, unit }) => `${obis} = ${raw} x 10^${scaler} ${unit}`)
  return `as ${name}: ${formatIdentity(readout.identity)}, ${values.join(', ')}`
}
