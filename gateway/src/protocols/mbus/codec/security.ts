import { createDecipheriv } from 'node:crypto'
import { formatIdentity } from '@endeks/domain/metering'
import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { refuse } from './failure.js'
import type { TransportHeader } from './transport-header.js'

const blockSize = 16
const keySize = 16
const idleFiller = 0x2f

/** Modes of EN 13757-7:2018 that hide data: 5 and 7 AES-CBC, 13 TLS. */
const encryptingModes: readonly number[] = [5, 7, 13]
const aesCbcWithIv = 5

/**
 * The security mode that hides the data, or 0. Wired meters were given a "signature" here before the configuration field was
 * defined, and some still fill it with other things: only the modes with blocks to decrypt count.
 */
function securityMode(configuration: number): number {
  const mode = (configuration >> 8) & 0x1f
  return encryptingModes.includes(mode) && encryptedBlocks(configuration) > 0 ? mode : 0
}

function encryptedBlocks(configuration: number): number {
  return (configuration >> 4) & 0x0f
}

/** A block that begins with two idle fillers is plain: what a decrypted one looks like (EN 13757-7:2018, mode 5). */
function beginsPlain(body: Uint8Array): boolean {
  return body[0] === idleFiller && body[1] === idleFiller
}

export interface OpenBody {
  /** the records, as long as they were when hidden, so that offsets stay those of the frame */
  readonly body: Uint8Array
  /** the mode by which they were hidden; 0 for plain ones */
  readonly mode: number
}

/**
 * The body behind a transport header, decrypted where it has to be. Only mode 5 can be opened. Without a MAC a wrong key and
 * damaged bytes look alike, so that the failure names both.
 *
 * @param offset of `body` in the frame
 */
export function openBody(
  header: TransportHeader,
  body: Uint8Array,
  context: { readonly offset: number; readonly key?: Uint8Array | undefined }
): Result<OpenBody, DecodeFailure> {
  const { offset, key } = context
  const mode = securityMode(header.configuration)
  if (mode === 0 || (key === undefined && beginsPlain(body))) return success({ body, mode: 0 })
  const who = header.identity === undefined ? 'The meter' : formatIdentity(header.identity)
  if (key === undefined) return refuse('MBUS_ENCRYPTED', `${who} encrypts its data (security mode ${mode}): give its key`, offset - 2)
  if (mode !== aesCbcWithIv) return refuse('MBUS_ENCRYPTED', `${who} encrypts its data by mode ${mode}; only mode 5 is read`, offset - 2)
  if (header.address === undefined)
    return refuse(
      'MBUS_ENCRYPTED',
      'The data are encrypted, and a short header does not name the meter that the key belongs to',
      offset - 2
    )
  if (key.length !== keySize) return refuse('MBUS_KEY_SIZE', `A key of mode 5 has ${keySize} bytes, not ${key.length}`)
  const hidden = encryptedBlocks(header.configuration) * blockSize
  if (hidden > body.length)
    return refuse('MBUS_RECORD_TRUNCATED', `The header announces ${hidden} encrypted bytes, here are ${body.length}`, offset + body.length)
  const opened = decrypted(body.subarray(0, hidden), key, initialisationVector(header.address, header.access))
  if (beginsPlain(opened)) return success({ body: Buffer.concat([opened, body.subarray(hidden)]), mode })
  if (beginsPlain(body)) return success({ body, mode: 0 })
  return refuse('MBUS_KEY_OR_DATA', `The data of ${who} do not open: wrong key or damaged`, offset)
}

/** The device's address and eight times the access number (EN 13757-7:2018, mode 5). */
function initialisationVector(address: Uint8Array, access: number): Uint8Array {
  const vector = new Uint8Array(blockSize).fill(access)
  vector.set(address)
  return vector
}

function decrypted(hidden: Uint8Array, key: Uint8Array, vector: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('aes-128-cbc', key, vector).setAutoPadding(false)
  return Buffer.concat([decipher.update(hidden), decipher.final()])
}
