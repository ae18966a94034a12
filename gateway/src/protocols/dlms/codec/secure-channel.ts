import { type Apdu, encodeApdu, readApdu } from './apdu.js'
import type { UserInformation } from './association-fields.js'
import { checkGmacReply, gmacReply } from './authentication.js'
import { CipherContext, isCiphered, type Protection } from './cipher-context.js'
import { systemTitleSize } from './ciphered.js'
import { DlmsFault } from './fault.js'
import { ByteReader, toHex } from './reader.js'

export interface ChannelOptions {
  /** the meter's global unicast key, and its authentication key */
  readonly keys: { readonly encryption: Uint8Array; readonly authentication: Uint8Array }
  /** `none`: only the challenges of HLS are answered with the keys */
  readonly protection: Protection | 'none'
  /** `service`: glo- and ded- APDUs; `general`: general-glo-ciphering and general-ded-ciphering */
  readonly form: 'service' | 'general'
  readonly ownTitle: Uint8Array
  /** for everything behind the association */
  readonly dedicatedKey?: Uint8Array
}

/** One side's view of a ciphered association: plain APDUs above, ciphered ones below. Knows no store: see `CipherContext`. */
export class SecureChannel {
  readonly #options: ChannelOptions
  readonly #context: CipherContext
  #peerTitle: Uint8Array | undefined
  #established = false

  constructor(options: ChannelOptions) {
    const { keys, protection, ownTitle, dedicatedKey: dedicated } = options
    this.#options = options
    this.#context = new CipherContext({
      keys: { global: keys.encryption, authentication: keys.authentication, ...(dedicated === undefined ? {} : { dedicated }) },
      ownTitle,
      required: protection === 'none' ? 'both' : protection
    })
  }

  get ownTitle(): Uint8Array {
    return this.#options.ownTitle
  }

  /** Counters of the global key, as `CipherContext` has them. */
  get nextToSend(): number {
    return this.#context.nextToSend('global')
  }

  get nextToReceive(): number {
    return this.#context.nextToReceive('global')
  }

  skipTo(counter: number): void {
    this.#context.skipTo(counter)
  }

  /**
   * @param least the least counter that is taken from this peer
   * @throws {DlmsFault} DLMS_SYSTEM_TITLE for a peer under this side's own title: title and counter are the cipher's nonce, and what this
   * side says could be given back to it as what was said to it
   */
  meet(peerTitle: Uint8Array, least: number): void {
    if (toHex(peerTitle) === toHex(this.#options.ownTitle))
      throw new DlmsFault('DLMS_SYSTEM_TITLE', `the peer calls itself ${toHex(peerTitle)}, as this side does`)
    this.#peerTitle = peerTitle
    this.#context.learn({ peerTitle, globalFrom: least })
  }

  /** Both sides have shown their keys: from here on the dedicated one serves, where there is one. */
  establish(): void {
    this.#established = true
  }

  /** @throws {DlmsFault} as `CipherContext.protect` */
  protect(apdu: Apdu): Apdu {
    const { protection, form, dedicatedKey } = this.#options
    if (protection === 'none') return apdu
    if (apdu.apdu === 'aarq' || apdu.apdu === 'rlrq') {
      const { userInformation } = apdu
      if (userInformation?.apdu !== 'initiate-request') return apdu
      // Always the service's own form: the association is what general ciphering is agreed in.
      const ciphered = this.#context.protect({ apdu: userInformation, key: 'global', form: 'service', protection })
      return { ...apdu, userInformation: { apdu: 'opaque', bytes: encodeApdu(ciphered) } }
    }
    if (!this.#established || dedicatedKey === undefined) return this.#context.protect({ apdu, key: 'global', form, protection })
    // Meters count by the key, or all that a client sends by one counter: counters that never fall suit both.
    this.#context.skipTo(this.#context.takeCounter('global'), 'dedicated')
    return this.#context.protect({ apdu, key: 'dedicated', form, protection })
  }

  /** @throws {DlmsFault} as `openApdu` */
  open(apdu: Apdu): Apdu {
    return this.#options.protection === 'none' ? apdu : openApdu(this.#context, apdu)
  }

  /** f(challenge) of HLS-5, with a counter of the global key. @throws {DlmsFault} as `gmacReply` */
  answer(challenge: Uint8Array, own: Uint8Array): Uint8Array {
    const { keys, ownTitle } = this.#options
    const side = { systemTitle: ownTitle, encryptionKey: keys.encryption, authenticationKey: keys.authentication }
    return gmacReply({ ...side, invocationCounter: this.#context.takeCounter('global') }, challenge, own)
  }

  /** Holds the peer's answer against the challenge that it was given. @throws {DlmsFault} as `checkGmacReply` */
  verify(challenge: Uint8Array, reply: Uint8Array, least: number): void {
    const { keys } = this.#options
    const systemTitle = this.#peerTitle
    if (systemTitle === undefined) throw noTitle()
    const peer = { systemTitle, encryptionKey: keys.encryption, authenticationKey: keys.authentication }
    // Servers count the answer before or behind the message that carries it: its own counter is held against what was before both.
    this.#context.learn({ globalFrom: checkGmacReply(peer, { challenge, reply, least }) + 1 })
  }
}

/** The system title out of an AARQ or AARE. @throws {DlmsFault} DLMS_SYSTEM_TITLE */
export function titleIn(title: Uint8Array | undefined): Uint8Array {
  if (title === undefined) throw noTitle()
  if (title.length !== systemTitleSize)
    throw new DlmsFault('DLMS_SYSTEM_TITLE', `a system title has ${systemTitleSize} bytes, not ${title.length}`)
  return title
}

function noTitle(): DlmsFault {
  return new DlmsFault('DLMS_SYSTEM_TITLE', 'the peer opened a ciphered association without its system title')
}

/**
 * Opens an APDU of an association that is ciphered. Associations, releases and errors travel open; of an association the user
 * information is ciphered.
 *
 * @throws {DlmsFault} as `CipherContext.open`; DLMS_SECURITY_LEVEL for what comes open and should not
 */
export function openApdu(context: CipherContext, apdu: Apdu): Apdu {
  switch (apdu.apdu) {
    case 'aarq':
      return { ...apdu, userInformation: openInformation(context, apdu.userInformation) }
    case 'aare':
      // One that says no may say why in the open.
      return apdu.result === 0 ? { ...apdu, userInformation: openInformation(context, apdu.userInformation) } : apdu
    case 'rlrq':
    case 'rlre':
    case 'exception-response':
    case 'confirmed-service-error':
      return apdu
    default:
      if (isCiphered(apdu)) return context.open(apdu)
      throw new DlmsFault('DLMS_SECURITY_LEVEL', `${apdu.apdu} came open where all is ciphered`)
  }
}

function openInformation(context: CipherContext, information: UserInformation | undefined): UserInformation {
  if (information?.apdu !== 'opaque') throw new DlmsFault('DLMS_SECURITY_LEVEL', 'the user information is not ciphered')
  const ciphered = readApdu(new ByteReader(information.bytes))
  if (!isCiphered(ciphered)) throw new DlmsFault('DLMS_UNEXPECTED', `the user information is a ${ciphered.apdu}`)
  const opened = context.open(ciphered)
  if (opened.apdu === 'initiate-request' || opened.apdu === 'initiate-response' || opened.apdu === 'confirmed-service-error') return opened
  throw new DlmsFault('DLMS_UNEXPECTED', `${opened.apdu} does not belong into user information`)
}
