import { createHash } from 'node:crypto'
import { success } from '@endeks/domain/result'
import { epochMs, toIso } from '@endeks/domain/time'
import { decodeEvidence, type MeterKeys, type MeterReadout, profileHash } from '@endeks/gateway/codec'
import { decodeForeignEvidence, foreignProfileHash, isForeignProtocol } from '@endeks/ingest/formats'
import { hex, indexOf } from '../../../wire.js'
import type { FrozenIndex, FrozenInput } from '../frozen.js'
import { frozenIndex } from '../present.js'
import type { Explanation } from '../schema.js'
import type { EvidenceRow } from '../store/evidence.js'
import type { ExchangeKeys } from './keys.js'
import type { Link } from './price.js'

type Evidence = Explanation['evidence'][number]

/** An index that was billed, and of which register. */
export interface BilledIndex extends FrozenIndex {
  readonly serial: string
  readonly obis: string
}

/** What each exchange says when it is decoded again, beside what was billed from it. */
export interface Proof {
  readonly evidence: Evidence
  readonly bytesHash: string
  /** the readout, or undefined when the bytes could not be decoded */
  readonly readout: MeterReadout | undefined
  readonly profileIntact: boolean
}

/** Both indexes of every register, each once. */
export function billedIndexes(frozen: FrozenInput): BilledIndex[] {
  const seen = new Map<string, BilledIndex>()
  for (const register of frozen.supplies.flatMap((supply) => supply.registers)) {
    for (const index of [register.opening, register.closing]) {
      seen.set(`${register.register} ${index.at}`, { ...index, serial: register.meter.serial, obis: register.obis })
    }
  }
  return [...seen.values()]
}

/**
 * Decodes one exchange again with the profile that was stored with it, by the program that read it: the gateway's, or where a
 * gateway of another maker sent it, that which accepts.
 */
export function prove(row: EvidenceRow, indexes: readonly BilledIndex[], keys: ExchangeKeys = success(undefined)): Proof {
  const profile = parseProfile(row.profile)
  const decoded = keys.ok ? decode(row, profile, keys.value) : keys
  const readout = decoded.ok ? decoded.value : undefined
  return {
    bytesHash: createHash('sha256').update(row.request).update(row.response).digest('hex'),
    readout,
    profileIntact: profile !== undefined && hashOf(row, profile) === hex(row.profile_hash),
    evidence: {
      exchange: row.exchange,
      sha256: hex(row.sha256),
      gateway: row.gateway_id,
      bus: row.bus,
      address: row.address,
      protocol: row.protocol,
      identity: identityOf(row.identity),
      at: toIso(row.at),
      zone: row.zone,
      keyVersion: row.key_version,
      profile: { name: profileName(profile), hash: hex(row.profile_hash) },
      request: hex(row.request),
      response: hex(row.response),
      decoded: decoded.ok
        ? {
            ok: true,
            readings: decoded.value.readings.map((reading) => ({
              obis: reading.obis,
              at: toIso(reading.at),
              index: indexOf(reading.raw, reading.scaler, reading.unit),
              raw: reading.raw.toString(),
              scaler: reading.scaler
            }))
          }
        : { ok: false, code: decoded.error.code, message: decoded.error.message },
      billed: indexes.filter((index) => index.exchange === row.exchange).map((index) => compare(index, readout))
    }
  }
}

function decode(row: EvidenceRow, profile: unknown, keys: MeterKeys | undefined): ReturnType<typeof decodeEvidence> {
  const { request, response, at, zone } = row
  if (isForeignProtocol(row.protocol)) return decodeForeignEvidence(row.protocol, row)
  return decodeEvidence(row.protocol, { request, response, at, profile, zone, ...(keys === undefined ? {} : { keys }) })
}

function hashOf({ protocol, profile: text }: EvidenceRow, profile: unknown): string {
  return isForeignProtocol(protocol) ? foreignProfileHash(text) : profileHash(profile)
}

/** Same value means raw, scaler and unit; the instant and the register must be the billed ones too. */
function compare(index: BilledIndex, readout: MeterReadout | undefined): Evidence['billed'][number] {
  const reading = readout?.readings.find((each) => each.obis === index.obis && each.at === index.at)
  return {
    meter: index.serial,
    obis: index.obis,
    at: toIso(epochMs(index.at)),
    billed: frozenIndex(index),
    decoded: reading === undefined ? null : indexOf(reading.raw, reading.scaler, reading.unit),
    equal: reading !== undefined && reading.raw === BigInt(index.raw) && reading.scaler === index.scaler && reading.unit === index.unit
  }
}

/**
 * The stored bytes are those whose hash the frozen inputs carry, exchange by exchange; an index that came over the wire names
 * one and has its hash.
 */
export function bytesLink(indexes: readonly BilledIndex[], proofs: readonly Proof[]): Link {
  const typed = indexes.filter((index) => index.source !== 'remote' && index.exchange === null && index.evidence === null)
  const remote = indexes.filter((index) => !typed.includes(index))
  const byExchange = new Map(proofs.map((proof) => [proof.evidence.exchange, proof]))
  const lost = new Set<string>()
  for (const index of remote) {
    const proof = index.exchange === null ? undefined : byExchange.get(index.exchange)
    const intact = proof !== undefined && proof.bytesHash === index.evidence && proof.evidence.sha256 === index.evidence
    if (!intact) lost.add(exchangeName(index))
  }
  const hashes = [...new Set(remote.map((index) => index.evidence ?? exchangeName(index)))].join('; ')
  return {
    link: 'bytes',
    ok: lost.size === 0,
    expected: hashes,
    found: lost.size === 0 ? hashes : `missing or changed: ${[...lost].join(', ')}`
  }
}

/** An index that ought to have come by an exchange and names none is told by its meter and its instant. */
function exchangeName(index: BilledIndex): string {
  return index.exchange ?? `${index.serial} ${toIso(epochMs(index.at))}`
}

/** Decoding the bytes again gives the billed index. */
export function decodingLink(indexes: readonly BilledIndex[], proofs: readonly Proof[]): Link {
  const wanted = indexes.filter((index) => index.exchange !== null || index.source === 'remote')
  if (wanted.length === 0) return { link: 'decoding', ok: true, expected: '', found: '' }
  const billed = proofs.flatMap((proof) => (proof.profileIntact ? proof.evidence.billed : []))
  const equal = billed.filter((each) => each.equal)
  const changed = proofs.filter((proof) => !proof.profileIntact).map((proof) => proof.evidence.profile.name)
  const text = (each: Pick<Evidence['billed'][number], 'meter' | 'billed'>): string =>
    `${each.meter} ${each.billed.value} ${each.billed.unit}`
  const differing = billed.filter((each) => !each.equal).map((each) => `${each.meter} ${each.decoded?.value ?? 'nothing'}`)
  const failures = [...differing, ...changed.map((name) => `the profile ${name} is not the one that was hashed`)]
  return {
    link: 'decoding',
    ok: equal.length === wanted.length && failures.length === 0,
    expected: wanted.map((index) => text({ meter: index.serial, billed: frozenIndex(index) })).join('; '),
    found: [...equal.map(text), ...failures].join('; ')
  }
}

function parseProfile(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

/** What was entered for a gateway of another maker has no name but its language. */
function profileName(profile: unknown): string {
  if (typeof profile !== 'object' || profile === null) return ''
  if ('name' in profile && typeof profile.name === 'string') return profile.name
  return 'format' in profile && typeof profile.format === 'string' ? profile.format : ''
}

function identityOf(value: unknown): Evidence['identity'] {
  const given: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {}
  const { id, manufacturer, version, medium } = given
  return {
    id: typeof id === 'string' ? id : '',
    ...(typeof manufacturer === 'string' ? { manufacturer } : {}),
    ...(typeof version === 'number' ? { version } : {}),
    ...(typeof medium === 'string' ? { medium } : {})
  }
}
