import { randomBytes } from 'node:crypto'
import type { CounterStore, MeterKeys } from '../protocol.js'
import { type Apdu, encodeApdu, readApdu } from './codec/apdu.js'
import { DlmsFault } from './codec/fault.js'
import type { AssociationPlan } from './codec/profile.js'
import { ByteReader } from './codec/reader.js'
import { pairOfKeys } from './codec/replay.js'
import { SecureChannel, titleIn } from './codec/secure-channel.js'
import { keySize } from './codec/security.js'
import { InvocationCounters } from './invocation-counters.js'
import type { Opening } from './session.js'

/** Counters taken from the store at once: most conversations need no second write. */
const reservedAtOnce = 64
/** The most that one step of a dialogue uses: the answer to a challenge, and the message that carries it. */
const usedByOneStep = 2
/** A challenge of 16 bytes; 8 are the least (Green Book 9.2.7.4). */
const challengeSize = 16

/** Turns plain APDUs into what goes over the line, and back. */
export interface Protection {
  protect(apdu: Apdu): Promise<Uint8Array>
  open(bytes: Uint8Array): Promise<Apdu>
  /** Keeps what was heard: called once, at the end, however the conversation went. */
  keep(): Promise<void>
}

export const unprotected: Protection = {
  protect: async (apdu) => encodeApdu(apdu),
  open: async (bytes) => readApdu(new ByteReader(bytes)),
  keep: async () => undefined
}

/** Ciphers by a channel, whose counters it keeps in the store ahead of what is sent. */
class Guard implements Protection {
  readonly #channel: SecureChannel
  readonly #counters: InvocationCounters
  readonly #least: number
  #end = 0
  #peer: Uint8Array | undefined

  /** @param least what the meter will take at least */
  constructor(channel: SecureChannel, counters: InvocationCounters, least: number) {
    this.#channel = channel
    this.#counters = counters
    this.#least = least
  }

  /** Also of what the dialogue itself ciphers in this step. */
  async reserve(): Promise<void> {
    if (this.#channel.nextToSend + usedByOneStep <= this.#end) return
    const first = await this.#counters.reserve(this.#channel.ownTitle, { least: this.#least, count: reservedAtOnce })
    this.#channel.skipTo(first)
    this.#end = first + reservedAtOnce
  }

  async protect(apdu: Apdu): Promise<Uint8Array> {
    const bytes = encodeApdu(this.#channel.protect(apdu))
    await this.reserve()
    return bytes
  }

  async open(bytes: Uint8Array): Promise<Apdu> {
    const apdu = readApdu(new ByteReader(bytes))
    // Once: a title is not protected, and what this meter has said must not be kept under that of another.
    if (apdu.apdu === 'aare' && apdu.result === 0 && this.#peer === undefined) {
      const peer = titleIn(apdu.respondingApTitle)
      this.#channel.meet(peer, await this.#counters.least(peer))
      this.#peer = peer
    }
    return this.#channel.open(apdu)
  }

  async keep(): Promise<void> {
    if (this.#peer !== undefined) await this.#counters.heard(this.#peer, this.#channel.nextToReceive)
  }
}

export interface Secured {
  readonly opening: Opening
  readonly protection: Protection
}

/**
 * What an association by a plan needs: the secrets of the meter, counters above those that were used.
 *
 * @param meterCounter the last counter that the meter took, where it could be asked
 * @throws {DlmsFault} DLMS_KEY naming the secret that is missing, DLMS_COUNTER
 */
export async function secure(options: {
  readonly plan: AssociationPlan
  readonly keys: MeterKeys | undefined
  readonly title: Uint8Array
  readonly counters: CounterStore
  readonly meterCounter: number | undefined
}): Promise<Secured> {
  const { plan, keys, title, meterCounter } = options
  const { authentication, protection, general, dedicatedKey } = plan
  const ciphered = protection !== 'none'
  const basis = { authentication, ciphered, general: ciphered && general }
  const password = authentication === 'lls' ? { secret: passwordOf(keys) } : {}
  if (!ciphered && authentication !== 'hls-gmac') return { opening: { ...basis, ...password }, protection: unprotected }
  const pair = pairOfKeys(keys)
  const dedicated = dedicatedKey ? { dedicatedKey: randomBytes(keySize) } : {}
  const channel = new SecureChannel({ keys: pair, protection, form: general ? 'general' : 'service', ownTitle: title, ...dedicated })
  const guard = new Guard(channel, new InvocationCounters(options.counters, pair.encryption), (meterCounter ?? -1) + 1)
  await guard.reserve()
  const challenge = authentication === 'hls-gmac' ? { secret: randomBytes(challengeSize) } : {}
  return { opening: { ...basis, ...password, ...challenge, ...dedicated, channel }, protection: guard }
}

/** Whether the secrets are there that a plan needs. @throws {DlmsFault} DLMS_KEY naming the one that is missing */
export function checkSecrets({ authentication, protection }: AssociationPlan, keys: MeterKeys | undefined): void {
  if (authentication === 'lls') passwordOf(keys)
  if (authentication === 'hls-gmac' || protection !== 'none') pairOfKeys(keys)
}

function passwordOf(keys: MeterKeys | undefined): Uint8Array {
  const password = keys?.secrets.password
  if (password === undefined) throw new DlmsFault('DLMS_KEY', 'the association needs a password, and there is none for the meter')
  return password
}
