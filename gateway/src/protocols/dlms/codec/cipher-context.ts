import { type Apdu, decodeApdu, encodeApdu } from './apdu.js'
import { type CipheredApdu, type CipherScope, cipheredRow, cipheredTags, securityControl, systemTitleSize } from './ciphered.js'
import { DlmsFault } from './fault.js'
import { toHex } from './reader.js'
import { openContents, type Seal, sealContents, wrongKeyOrDamaged } from './security.js'

/** The key that a message is ciphered with. Each has counters of its own. */
export type CipherKey = 'global' | 'broadcast' | 'dedicated'

export type CipherKeys = Readonly<Partial<Record<CipherKey, Uint8Array>>> & { readonly authentication: Uint8Array }
export type Counters = Readonly<Partial<Record<CipherKey, number>>>

export type Protection = 'authenticated' | 'encrypted' | 'both'

export interface CipherOptions {
  readonly keys: CipherKeys
  readonly ownTitle: Uint8Array
  /** from the peer's AARQ or AARE; without it only general ciphering, which carries it, can be opened */
  readonly peerTitle?: Uint8Array
  /** the counter of the next message sent under each key: never one that was sent before, or the cipher is broken */
  readonly send?: Counters
  /** the least counter taken from the peer under each key: the last one plus one */
  readonly receive?: Counters
  /** what a message from the peer must have at least */
  readonly required?: Protection
}

export const maxInvocationCounter = 0xffff_ffff

const controlOf: Readonly<Record<Protection, number>> = {
  authenticated: securityControl.authenticated,
  encrypted: securityControl.encrypted,
  both: securityControl.authenticated | securityControl.encrypted
}

/** Protects and opens the APDUs of one association, and keeps its counters. Knows no store: `sent` and `received` are to be kept. */
export class CipherContext {
  #options: CipherOptions
  readonly #send = new Map<CipherKey, number>()
  readonly #receive = new Map<CipherKey, number>()

  constructor(options: CipherOptions) {
    this.#options = options
    for (const key of ['global', 'broadcast', 'dedicated'] as const) {
      this.#send.set(key, options.send?.[key] ?? 0)
      this.#receive.set(key, options.receive?.[key] ?? 0)
    }
  }

  /** Takes in what shows only on the way: the peer's system title, its least counter, the dedicated key of the association. */
  learn(facts: { readonly peerTitle?: Uint8Array; readonly globalFrom?: number; readonly dedicated?: Uint8Array }): void {
    const { peerTitle, globalFrom, dedicated } = facts
    if (peerTitle !== undefined) this.#options = { ...this.#options, peerTitle }
    if (dedicated !== undefined) this.#options = { ...this.#options, keys: { ...this.#options.keys, dedicated } }
    if (globalFrom !== undefined) this.#receive.set('global', Math.max(this.nextToReceive('global'), globalFrom))
  }

  /** Passes over counters of a key that are not this context's to use. */
  skipTo(counter: number, key: CipherKey = 'global'): void {
    this.#send.set(key, Math.max(this.nextToSend(key), counter))
  }

  /** The counter that the next message under the key carries. */
  nextToSend(key: CipherKey): number {
    return this.#send.get(key) ?? 0
  }

  /** The least counter that is taken from the peer under the key. */
  nextToReceive(key: CipherKey): number {
    return this.#receive.get(key) ?? 0
  }

  /**
   * Ciphers an APDU, as the service's own `glo-` or `ded-` APDU or in general ciphering.
   *
   * @throws {DlmsFault} DLMS_COUNTER when the key's counter is used up, DLMS_KEY, DLMS_UNSUPPORTED for an APDU that has no ciphered form
   */
  protect(options: {
    readonly apdu: Apdu
    readonly key: CipherKey
    readonly form: 'service' | 'general'
    readonly protection?: Protection
  }): CipheredApdu {
    const { key, form } = options
    const scope: CipherScope = key === 'dedicated' ? 'dedicated' : 'global'
    const plain = encodeApdu(options.apdu)
    const inner = form === 'general' ? undefined : plain[0]
    const row = cipheredTags.find((each) => each.scope === scope && each.inner === inner)
    if (row === undefined) throw new DlmsFault('DLMS_UNSUPPORTED', `${options.apdu.apdu} has no ciphered form of its own`)
    const control = controlOf[options.protection ?? 'both'] | (key === 'broadcast' ? securityControl.broadcast : 0)
    const systemTitle = this.#options.ownTitle
    const invocationCounter = this.takeCounter(key)
    const contents = sealContents({ ...this.#seal(key, control, invocationCounter), systemTitle }, plain)
    return { apdu: row.name, ...(form === 'general' ? { systemTitle } : {}), control, invocationCounter, contents }
  }

  /** Takes a counter for a message made elsewhere under the key, such as the answer to a challenge. @throws {DlmsFault} DLMS_COUNTER */
  takeCounter(key: CipherKey): number {
    const counter = this.nextToSend(key)
    if (counter > maxInvocationCounter) throw new DlmsFault('DLMS_COUNTER', `the ${key} key has sent all its messages: it must be replaced`)
    this.#send.set(key, counter + 1)
    return counter
  }

  /**
   * Opens a ciphered APDU of the peer. Its counter is judged after its tag: of a message that is not authentic even the counter
   * says nothing.
   *
   * @throws {DlmsFault} DLMS_WRONG_KEY_OR_DAMAGED, DLMS_COUNTER for one that was taken before, DLMS_SECURITY_LEVEL for less protection
   * than agreed, DLMS_SYSTEM_TITLE, DLMS_KEY, DLMS_UNSUPPORTED, and whatever is wrong with an authentic APDU
   */
  open(ciphered: CipheredApdu): Apdu {
    const { control, invocationCounter } = ciphered
    const { scope, inner } = cipheredRow(ciphered.apdu)
    const broadcast = (control & securityControl.broadcast) !== 0
    if (broadcast && scope === 'dedicated') throw new DlmsFault('DLMS_KEY', 'a dedicated key is no broadcast key')
    const key = broadcast ? 'broadcast' : scope
    const needed = controlOf[this.#options.required ?? 'both']
    if ((control & needed) !== needed) throw new DlmsFault('DLMS_SECURITY_LEVEL', `${ciphered.apdu} is protected less than agreed`)
    const systemTitle = this.#titleOf(ciphered)
    const plain = openContents({ ...this.#seal(key, control, invocationCounter), systemTitle }, ciphered.contents)
    const apdu = decodePlain(plain, inner, (control & securityControl.authenticated) !== 0)
    this.#take(key, invocationCounter)
    return apdu
  }

  #seal(key: CipherKey, control: number, invocationCounter: number): Omit<Seal, 'systemTitle'> {
    const { keys } = this.#options
    const encryptionKey = keys[key]
    if (encryptionKey === undefined) throw new DlmsFault('DLMS_KEY', `there is no ${key} key`)
    return { control, invocationCounter, encryptionKey, authenticationKey: keys.authentication }
  }

  #titleOf(ciphered: CipheredApdu): Uint8Array {
    const known = this.#options.peerTitle
    const carried = ciphered.systemTitle?.length === systemTitleSize ? ciphered.systemTitle : undefined
    if (known === undefined && carried === undefined) throw new DlmsFault('DLMS_SYSTEM_TITLE', "the sender's system title is not known")
    if (known !== undefined && carried !== undefined && toHex(known) !== toHex(carried))
      throw new DlmsFault('DLMS_SYSTEM_TITLE', `a message of ${toHex(carried)} came where ${toHex(known)} talks`)
    return carried ?? known ?? new Uint8Array(0)
  }

  #take(key: CipherKey, counter: number): void {
    const least = this.nextToReceive(key)
    if (counter < least) {
      throw new DlmsFault('DLMS_COUNTER', `invocation counter ${counter} came under the ${key} key, at least ${least} was due`)
    }
    this.#receive.set(key, counter + 1)
  }
}

/** Without a tag, text that is no APDU means a wrong key or damage; with one, it is what the peer wrote. */
function decodePlain(plain: Uint8Array, inner: number | undefined, authentic: boolean): Apdu {
  const decoded = decodeApdu(plain)
  const fits = inner === undefined || plain[0] === inner
  if (decoded.ok && fits && !isCiphered(decoded.value)) return decoded.value
  if (!authentic) throw wrongKeyOrDamaged()
  if (!decoded.ok) throw new DlmsFault('DLMS_DECIPHERED', `the deciphered APDU is refused: ${decoded.error.code}, ${decoded.error.message}`)
  throw new DlmsFault('DLMS_UNEXPECTED', `${decoded.value.apdu} does not belong into this ciphered APDU`)
}

export function isCiphered(apdu: Apdu): apdu is CipheredApdu {
  return 'control' in apdu && 'contents' in apdu
}
