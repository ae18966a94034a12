import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto'
import { securityControl, systemTitleSize, tagSize } from './ciphered.js'
import { DlmsFault } from './fault.js'
import { ByteWriter } from './writer.js'

/** What security suite 0 needs for one message: AES-128 in Galois/counter mode (Green Book 9.2.3.3.7). */
export interface Seal {
  readonly control: number
  /** of the sender */
  readonly systemTitle: Uint8Array
  readonly invocationCounter: number
  readonly encryptionKey: Uint8Array
  readonly authenticationKey: Uint8Array
}

export const keySize = 16
const cipher = 'aes-128-gcm'
const none = new Uint8Array(0)

/** Refuses what suite 0 does not have, before a key is touched. */
function checked(seal: Seal): void {
  const { control, systemTitle, encryptionKey, authenticationKey } = seal
  const suite = control & securityControl.suite
  if (suite !== 0) throw new DlmsFault('DLMS_UNSUPPORTED', `security suite ${suite} is not built, only suite 0`)
  if ((control & securityControl.compressed) !== 0) throw new DlmsFault('DLMS_UNSUPPORTED', 'compressed contents are not built')
  if ((control & (securityControl.authenticated | securityControl.encrypted)) === 0)
    throw new DlmsFault('DLMS_SECURITY_LEVEL', 'a ciphered APDU is neither authenticated nor encrypted')
  if (systemTitle.length !== systemTitleSize)
    throw new DlmsFault('DLMS_SYSTEM_TITLE', `a system title has ${systemTitleSize} bytes, not ${systemTitle.length}`)
  // Never the key itself: the message goes to logs.
  if (encryptionKey.length !== keySize) throw new DlmsFault('DLMS_KEY', `an encryption key has ${keySize} bytes`)
  if (authenticationKey.length !== keySize) throw new DlmsFault('DLMS_KEY', `an authentication key has ${keySize} bytes`)
}

function iv(seal: Seal): Uint8Array {
  return new ByteWriter().raw(seal.systemTitle).u32(seal.invocationCounter).finish()
}

/** What is authenticated besides the cipher text: control byte, authentication key, and the text itself when it stays open. */
function additional(seal: Seal, open: Uint8Array): Uint8Array {
  return new ByteWriter().u8(seal.control).raw(seal.authenticationKey).raw(open).finish()
}

function encrypt(seal: Seal, plain: Uint8Array): { readonly text: Uint8Array; readonly tag: Uint8Array } {
  const encrypted = (seal.control & securityControl.encrypted) !== 0
  const gcm = createCipheriv(cipher, seal.encryptionKey, iv(seal), { authTagLength: tagSize })
  if ((seal.control & securityControl.authenticated) !== 0) gcm.setAAD(additional(seal, encrypted ? none : plain))
  const text = encrypted ? gcm.update(plain) : plain
  gcm.final()
  return { text, tag: gcm.getAuthTag() }
}

/**
 * Protects one encoded APDU as its control byte says.
 *
 * @returns text or cipher text, then the tag where it is authenticated
 * @throws {DlmsFault} DLMS_UNSUPPORTED for another suite, DLMS_SECURITY_LEVEL for no protection at all, DLMS_KEY, DLMS_SYSTEM_TITLE
 */
export function sealContents(seal: Seal, plain: Uint8Array): Uint8Array {
  checked(seal)
  const { text, tag } = encrypt(seal, plain)
  const writer = new ByteWriter().raw(text)
  return ((seal.control & securityControl.authenticated) === 0 ? writer : writer.raw(tag)).finish()
}

/**
 * Opens what `sealContents` made. Text whose tag does not fit is not given out. Without a tag (encryption only) any key gives
 * some text: only its decoding can show that it is none.
 *
 * @throws {DlmsFault} DLMS_WRONG_KEY_OR_DAMAGED when the tag does not fit, and as `sealContents`
 */
export function openContents(seal: Seal, contents: Uint8Array): Uint8Array {
  checked(seal)
  const authenticated = (seal.control & securityControl.authenticated) !== 0
  const size = contents.length - (authenticated ? tagSize : 0)
  if (size < 0) throw new DlmsFault('DLMS_TRUNCATED', `an authenticated APDU ends with a tag of ${tagSize} bytes`)
  const plain = decrypt(seal, contents.subarray(0, size))
  // The tag is computed again from the text: one comparison in constant time, and no exception of the library to interpret.
  if (authenticated && !timingSafeEqual(encrypt(seal, plain).tag, contents.subarray(size))) throw wrongKeyOrDamaged()
  return plain
}

function decrypt(seal: Seal, text: Uint8Array): Uint8Array {
  if ((seal.control & securityControl.encrypted) === 0) return new Uint8Array(text)
  return new Uint8Array(createDecipheriv(cipher, seal.encryptionKey, iv(seal), { authTagLength: tagSize }).update(text))
}

/** A tag that does not fit tells neither which key is wrong nor whether bytes were changed. */
export function wrongKeyOrDamaged(): DlmsFault {
  return new DlmsFault('DLMS_WRONG_KEY_OR_DAMAGED', 'wrong key or damaged: check both keys and the system title, then the line')
}
