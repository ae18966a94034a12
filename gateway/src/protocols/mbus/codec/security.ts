import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto'
import { formatIdentity } from '@endeks/domain/metering'
import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { type AuthenticationLayer, authenticatedBytes } from './authentication.js'
import { aesBlock, aesCmac } from './cmac.js'
import { refuse } from './failure.js'
import { modeOf, securityModes, type TransportHeader } from './transport-header.js'

const keySize = 16
const idleFiller = 0x2f
const keyDerivation = 1

function encryptedBlocks(configuration: number): number {
  return (configuration >> 4) & 0x0f
}

/** A block that begins with two idle fillers is plain: what a decrypted one looks like (EN 13757-7:2018, modes 5 and 7). */
function beginsPlain(body: Uint8Array): boolean {
  return body[0] === idleFiller && body[1] === idleFiller
}

export interface OpenBody {
  /** the records, as long as they were when hidden, so that offsets stay those of the frame */
  readonly body: Uint8Array
  /** the mode by which they were hidden; 0 for plain ones */
  readonly mode: number
  /** a MAC proved that they are what the holder of the key sent */
  readonly authenticated: boolean
}

/** What stood before the transport layer: the fields of the AFL, and the message that its MAC covers. */
export interface Authentication {
  readonly layer: AuthenticationLayer
  /** from the CI field behind the AFL to the last byte of the message */
  readonly message: Uint8Array
}

export interface OpenContext {
  /** of the body in the frame */
  readonly offset: number
  readonly key?: Uint8Array | undefined
  readonly authentication?: Authentication | undefined
}

/**
 * The body behind a transport header, decrypted where it has to be: modes 5 and 7. Without a MAC a wrong key and damaged bytes
 * look alike, so that the failure names both; with one, what does not fit it is refused before it is opened.
 */
export function openBody(header: TransportHeader, body: Uint8Array, context: OpenContext): Result<OpenBody, DecodeFailure> {
  const { offset, key } = context
  const mode = modeOf(header.configuration)
  const plain = { body, mode: 0, authenticated: false }
  if (mode === 0 || (key === undefined && beginsPlain(body))) return success(plain)
  const who = header.identity === undefined ? 'The meter' : formatIdentity(header.identity)
  if (key === undefined) return refuse('MBUS_ENCRYPTED', `${who} encrypts its data (security mode ${mode}): give its key`, offset - 2)
  if (mode !== securityModes.aesCbc && mode !== securityModes.aesCbcDerived)
    return refuse('MBUS_ENCRYPTED', `${who} encrypts its data by mode ${mode}; only modes 5 and 7 are read`, offset - 2)
  if (header.address === undefined)
    return refuse(
      'MBUS_ENCRYPTED',
      'The data are encrypted, and a short header does not name the meter that the key belongs to',
      offset - 2
    )
  if (key.length !== keySize) return refuse('MBUS_KEY_SIZE', `A key of mode ${mode} has ${keySize} bytes, not ${key.length}`)
  const hidden = encryptedBlocks(header.configuration) * aesBlock
  if (hidden > body.length)
    return refuse('MBUS_RECORD_TRUNCATED', `The header announces ${hidden} encrypted bytes, here are ${body.length}`, offset + body.length)
  const cipher = mode === securityModes.aesCbc ? success(modeFive(header.address, header.access, key)) : modeSeven(header, key, context)
  if (!cipher.ok) return cipher
  const { key: messageKey, vector, authenticated } = cipher.value
  const opened = Buffer.concat([decrypted(body.subarray(0, hidden), messageKey, vector), body.subarray(hidden)])
  if (beginsPlain(opened)) return success({ body: opened, mode, authenticated })
  // Some meters announce a mode and do not encrypt; a MAC has already said whether their data are theirs.
  if (beginsPlain(body)) return success({ ...plain, authenticated })
  return refuse('MBUS_KEY_OR_DATA', `The data of ${who} do not open: wrong key or damaged`, offset)
}

/** How one message is hidden: a key and the vector that its first block is mixed with. */
interface MessageCipher {
  readonly key: Uint8Array
  readonly vector: Uint8Array
  readonly authenticated: boolean
}

/** The device's address and eight times the access number (EN 13757-7:2018, mode 5). */
function modeFive(address: Uint8Array, access: number, key: Uint8Array): MessageCipher {
  const vector = new Uint8Array(aesBlock).fill(access)
  vector.set(address)
  return { key, vector, authenticated: false }
}

/** Every message has keys of its own, made of the meter's key and the counter in the AFL; the vector is zero (EN 13757-7:2018, mode 7). */
function modeSeven(header: TransportHeader, key: Uint8Array, context: OpenContext): Result<MessageCipher, DecodeFailure> {
  const { authentication, offset } = context
  const counter = authentication?.layer.counter
  const derivation = ((header.extension ?? 0) >> 4) & 3
  if (derivation !== keyDerivation)
    return refuse('MBUS_ENCRYPTED', `Key derivation ${derivation} of mode 7 is not read, only 1 (AES-CMAC)`, offset - 1)
  if (authentication === undefined || counter === undefined)
    return refuse('MBUS_ENCRYPTED', 'Mode 7 needs the message counter of an authentication layer, and there is none', offset - 1)
  const id = (header.address ?? new Uint8Array()).subarray(2, 6)
  const { layer, message } = authentication
  if (layer.mac !== undefined) {
    const mac = aesCmac(messageKey('authentication', { key, counter, id }), authenticatedBytes(layer, message))
    if (!timingSafeEqual(mac.subarray(0, layer.mac.length), layer.mac))
      return refuse('MBUS_MAC', 'The MAC does not fit: wrong key, or not the bytes that the meter sent', offset)
  }
  const encryption = messageKey('encryption', { key, counter, id })
  return success({ key: encryption, vector: new Uint8Array(aesBlock), authenticated: layer.mac !== undefined })
}

/** Derivation constants of what a meter sends; what it is sent has others (EN 13757-7:2018, key derivation function). */
const derivationConstants = { encryption: 0x00, authentication: 0x01 } as const
const derivationPadding = 0x07

/** CMAC(key, constant, message counter, meter's number, padding). */
function messageKey(
  use: keyof typeof derivationConstants,
  { key, counter, id }: { readonly key: Uint8Array; readonly counter: Uint8Array; readonly id: Uint8Array }
): Uint8Array {
  const input = new Uint8Array(aesBlock).fill(derivationPadding)
  input.set([derivationConstants[use], ...counter, ...id])
  return aesCmac(key, input)
}

function decrypted(hidden: Uint8Array, key: Uint8Array, vector: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('aes-128-cbc', key, vector).setAutoPadding(false)
  return Buffer.concat([decipher.update(hidden), decipher.final()])
}

function encrypted(plain: Uint8Array, key: Uint8Array, vector: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-128-cbc', key, vector).setAutoPadding(false)
  return Buffer.concat([cipher.update(plain), cipher.final()])
}

/** A meter's half of mode 5. @param body whole blocks that begin with two idle fillers */
export function sealModeFive(body: Uint8Array, { address, access, key }: Sealing): Uint8Array {
  const cipher = modeFive(address, access, key)
  return encrypted(body, cipher.key, cipher.vector)
}

/** A meter's half of mode 7. */
export function sealModeSeven(body: Uint8Array, { address, key }: Sealing, counter: Uint8Array): Uint8Array {
  return encrypted(body, messageKey('encryption', { key, counter, id: address.subarray(2, 6) }), new Uint8Array(aesBlock))
}

/** The MAC of a message, whole; a frame carries as many bytes of it as its authentication type says. */
export function macOf(layer: AuthenticationLayer & { readonly counter: Uint8Array }, message: Uint8Array, sealing: Sealing): Uint8Array {
  const { key, address } = sealing
  return aesCmac(
    messageKey('authentication', { key, counter: layer.counter, id: address.subarray(2, 6) }),
    authenticatedBytes(layer, message)
  )
}

export interface Sealing {
  /** manufacturer, number, version and device type, low bytes first */
  readonly address: Uint8Array
  readonly access: number
  readonly key: Uint8Array
}
