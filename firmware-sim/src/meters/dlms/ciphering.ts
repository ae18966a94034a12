import { dlms } from '@endeks/gateway/codec'
import type { MeterDevice } from './device.js'

export type ProtectionLevel = 'none' | dlms.Protection

/** The security policy of class 64 version 0 by number: 1 authenticates, 2 encrypts. */
export const protectionLevels: readonly ProtectionLevel[] = ['none', 'authenticated', 'encrypted', 'both']

/** What two rules ask for together. */
export function strictest(one: ProtectionLevel, other: ProtectionLevel): ProtectionLevel {
  return protectionLevels[protectionLevels.indexOf(one) | protectionLevels.indexOf(other)] ?? 'both'
}

/** How a request came, so that its answer goes back likewise: also under the old key when the request brought a new one. */
export interface Envelope {
  readonly key: 'global' | 'dedicated'
  readonly form: 'service' | 'general'
  readonly protection: dlms.Protection
  readonly keys: dlms.CipherKeys
}

export interface Opened {
  readonly apdu: dlms.Apdu
  readonly envelope: Envelope
  /** the least counter of the client before this message: its answer to a challenge is older than the message that carries it */
  readonly leastBefore: number
}

/** Bytes that the longest protection puts around an APDU: tag, system title with its length, length, control, counter, tag. */
export const protectionOverhead = 30

export function isCiphered(apdu: dlms.Apdu): apdu is dlms.CipheredApdu {
  return 'control' in apdu && 'contents' in apdu
}

function rowOf(ciphered: dlms.CipheredApdu) {
  return dlms.cipheredTags.find((each) => each.name === ciphered.apdu)
}

function isBroadcast(ciphered: dlms.CipheredApdu): boolean {
  return (ciphered.control & dlms.securityControl.broadcast) !== 0
}

function protectionOf(control: number): dlms.Protection {
  const { authenticated, encrypted } = dlms.securityControl
  if ((control & authenticated) === 0) return 'encrypted'
  return (control & encrypted) === 0 ? 'authenticated' : 'both'
}

/** Opens the APDUs of one client and protects the answers. The counters of the global key are the meter's, those of a dedicated key live as long as it. */
export class Ciphering {
  readonly #device: MeterDevice
  readonly #clientTitle: Uint8Array
  readonly #asked: ProtectionLevel
  #dedicated: { readonly key: Uint8Array; send: number; receive: number } | undefined

  constructor(device: MeterDevice, clientTitle: Uint8Array, asked: ProtectionLevel) {
    this.#device = device
    this.#clientTitle = clientTitle
    this.#asked = asked
  }

  /** What each APDU of the client must have. */
  get required(): ProtectionLevel {
    return strictest(this.#asked, this.#device.policy)
  }

  useDedicated(key: Uint8Array): void {
    this.#dedicated = { key, send: 0, receive: 0 }
  }

  /** @throws {DlmsFault} as `CipherContext.open` */
  open(ciphered: dlms.CipheredApdu): Opened {
    const keys = this.#device.keys
    if (keys === undefined) throw new dlms.DlmsFault('DLMS_KEY', 'the meter has no keys')
    const row = rowOf(ciphered)
    const protection = protectionOf(ciphered.control)
    const envelope: Envelope = {
      key: row?.scope ?? 'global',
      form: row?.inner === undefined ? 'general' : 'service',
      protection,
      keys
    }
    const leastBefore = this.#device.counters.nextToReceive
    const context = this.#context(keys, this.required === 'none' ? protection : this.required)
    const apdu = context.open(ciphered)
    const broadcast = isBroadcast(ciphered)
    if (envelope.key === 'dedicated' && this.#dedicated !== undefined) this.#dedicated.receive = context.nextToReceive('dedicated')
    else if (broadcast) this.#device.broadcasts.receiveFrom(context.nextToReceive('broadcast'))
    else this.#device.counters.receiveFrom(context.nextToReceive('global'))
    return { apdu, envelope, leastBefore }
  }

  /** The least counter that is taken under the key of a message. */
  due(ciphered: dlms.CipheredApdu): number {
    if (rowOf(ciphered)?.scope === 'dedicated') return this.#dedicated?.receive ?? 0
    const { counters, broadcasts } = this.#device
    return (isBroadcast(ciphered) ? broadcasts : counters).nextToReceive
  }

  /** @throws {DlmsFault} DLMS_COUNTER when all counters are used up */
  seal(apdu: dlms.Apdu, envelope: Envelope): dlms.CipheredApdu {
    const { key, form, protection, keys } = envelope
    const context = this.#context(keys)
    const sealed = context.protect({ apdu, key, form, protection })
    if (key === 'dedicated' && this.#dedicated !== undefined) this.#dedicated.send = context.nextToSend(key)
    else this.#device.counters.sendFrom(context.nextToSend('global'))
    return sealed
  }

  #context(keys: dlms.CipherKeys, required: dlms.Protection = 'both'): dlms.CipherContext {
    const { counters, broadcasts, title: ownTitle } = this.#device
    const dedicated = this.#dedicated
    return new dlms.CipherContext({
      keys: dedicated === undefined ? keys : { ...keys, dedicated: dedicated.key },
      ownTitle,
      peerTitle: this.#clientTitle,
      send: { global: counters.nextToSend, dedicated: dedicated?.send ?? 0 },
      receive: { global: counters.nextToReceive, broadcast: broadcasts.nextToReceive, dedicated: dedicated?.receive ?? 0 },
      required
    })
  }
}
