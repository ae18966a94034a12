import type { MeterReading } from '@endeks/domain/metering'
import { systemClock } from '@endeks/domain/process'
import { epochMs, toIso } from '@endeks/domain/time'
import { checkSimulatedSite, type SimulatedMeterEntry, simulatedMeter, startSite } from '@endeks/firmware-sim/site'
import { decodeEvidence } from '@endeks/gateway/codec'
import { checkGatewaySite, loadProfiles, type SiteBus, shippedProfiles } from '@endeks/gateway/config'

const zone = 'Europe/Istanbul'
const dayMs = 86_400_000
const longestReadMs = 60_000
const mostAgain = 6
const shipped = loadProfiles([shippedProfiles])

/** A kind of bus that the gateway reads, and how it is simulated. */
export interface Kind {
  readonly name: string
  readonly protocol: 'mbus' | 'modbus' | 'dlms'
  /** in the bus entry of the simulated site */
  readonly simulated?: object
  /** in the bus entry of the gateway's site */
  readonly gateway?: object
  /** in the entry of each simulated meter */
  readonly meter?: object
  /** what the protocol's generic profile has beside, or in the place of, its own */
  readonly profile?: object
  readonly secrets?: Readonly<Record<string, Uint8Array>>
}

export type Outcome =
  | { readonly outcome: 'good'; readonly readings: number }
  | { readonly outcome: 'failed'; readonly code: string }
  /** a value, an instant or an identity that the meter never had */
  | { readonly outcome: 'wrong'; readonly what: string }
  /** something else than a coded failure */
  | { readonly outcome: 'thrown'; readonly what: string }

export interface Outcomes {
  readonly faulty: readonly Outcome[]
  readonly neighbour: readonly Outcome[]
}

/**
 * Reads two meters of a simulated bus in turn by the gateway's driver and decoder. Every reading is held against the dials.
 *
 * @param faults of the first meter
 */
export async function readFaultyLine(kind: Kind, faults: readonly object[], rounds: number, seed = 1): Promise<Outcomes> {
  const meters = [entryOf(kind, '5', '12345678', faults), entryOf(kind, '6', '12345699', [])] as const
  const simulated = { name: 'line', protocol: kind.protocol, host: '127.0.0.1', port: 0, ...kind.simulated, meters }
  const site = await startSite(checkSimulatedSite({ zone, seed, buses: [simulated] }), systemClock)
  const siteBus = siteBusOf(kind, site.ports.get('line') ?? 0)
  const counters = new Map<string, number>()
  const bus = siteBus.protocol.open(siteBus.options, {
    clock: systemClock,
    answerWithinMs: siteBus.answerWithinMs,
    counters: {
      read: async (counter) => counters.get(counter),
      write: async (counter, value) => void counters.set(counter, value)
    }
  })
  const read = async (index: 0 | 1): Promise<Outcome> => {
    const { address, profile } = siteBus.meters[index] ?? missing('meter')
    const entry = meters[index]
    const keys = kind.secrets === undefined ? {} : { keys: { name: entry.serial, version: 1, secrets: kind.secrets } }
    const before = systemClock.now()
    const want = { kind: 'history', since: epochMs(before - 70 * dayMs) } as const
    try {
      const exchange = await bus.read({ address, profile: profile.value, zone, want, signal: AbortSignal.timeout(longestReadMs), ...keys })
      const decoded = decodeEvidence(kind.protocol, { ...exchange, profile: profile.value, zone, ...keys })
      if (!decoded.ok) return { outcome: 'failed', code: decoded.error.code }
      const { identity, readings } = decoded.value
      if (identity.id !== entry.serial) return { outcome: 'wrong', what: `identity ${identity.id}` }
      const wrong = readings.find((reading) => !isTrue(reading, entry, before))
      if (wrong !== undefined) return { outcome: 'wrong', what: `${wrong.raw} at ${toIso(wrong.at)}` }
      const instants = new Set(readings.map(({ at }) => at))
      if (instants.size < readings.length) return { outcome: 'wrong', what: 'one value stands for two' }
      return readings.length === 0 ? { outcome: 'failed', code: 'NO_READINGS' } : { outcome: 'good', readings: readings.length }
    } catch (thrown) {
      if (thrown instanceof Error && thrown.name === 'ReadFailure' && 'code' in thrown)
        return { outcome: 'failed', code: String(thrown.code) }
      return { outcome: 'thrown', what: String(thrown) }
    }
  }
  const [faulty, neighbour]: [Outcome[], Outcome[]] = [[], []]
  try {
    for (let round = 0; round < rounds; round++) {
      faulty.push(await read(0))
      neighbour.push(await read(1))
      // A machine that is busy may be late by itself: what counts is that the fault does not keep the neighbour from being read.
      for (let again = 0; again < mostAgain && neighbour.at(-1)?.outcome === 'failed'; again += 1) neighbour.push(await read(1))
    }
  } finally {
    await bus.close()
    await site.stop()
  }
  return { faulty, neighbour }
}

function entryOf(
  kind: Kind,
  address: string,
  serial: string,
  faults: readonly object[]
): SimulatedMeterEntry & { readonly faults: readonly object[] } {
  return {
    address,
    serial,
    manufacturer: 'KAM',
    version: 27,
    medium: 'cold-water',
    scaler: -3,
    digits: 8,
    startedAt: '2026-06-01',
    initialIndex: 4_711_000,
    shape: { type: 'household', seed: Number(address), perDay: 900 },
    ...kind.meter,
    faults: faults as NonNullable<SimulatedMeterEntry['faults']>
  }
}

/** The gateway's own reading of a site file with that bus. */
function siteBusOf(kind: Kind, port: number): SiteBus {
  const generic = shipped.get(`generic-${kind.protocol}-water`) ?? missing('generic profile')
  const value = { ...(generic.value as object), ...kind.profile, name: 'tried' }
  const meters = ['5', '6'].map((address) => ({ address, profile: 'tried', schedule: 'live' }))
  const file = {
    gateway: 'GW-1',
    zone,
    mqtt: { url: 'mqtt://127.0.0.1:1' },
    schedules: { live: { everyMs: 60_000 } },
    buses: [{ name: 'line', protocol: kind.protocol, host: '127.0.0.1', port, answerWithinMs: 200, ...kind.gateway, meters }]
  }
  const profiles = new Map([['tried', { ...generic, name: 'tried', value }]])
  return checkGatewaySite(file, profiles).buses[0] ?? missing('bus')
}

/** Whether the dial showed this: exactly for what was stored, at some instant of the conversation for what is of now. */
function isTrue(reading: MeterReading, entry: SimulatedMeterEntry, before: number): boolean {
  const { indexAt, scaler } = simulatedMeter({ ...entry, faults: [] }, zone, systemClock)
  if (reading.scaler !== scaler || reading.unit !== 'm3') return false
  if (reading.at < before) return reading.raw === indexAt(reading.at)
  return reading.raw >= indexAt(epochMs(before)) && reading.raw <= indexAt(systemClock.now())
}

function missing(what: string): never {
  throw new Error(`there is no ${what}`)
}
