import { type Apdu, decodeApdu } from './apdu.js'
import { isCiphered } from './cipher-context.js'
import { type CipheredApdu, securityControl, systemTitleSize, tagSize } from './ciphered.js'
import { describeApdu } from './describe.js'
import type { JsonObject } from './describe-data.js'
import { DlmsFault } from './fault.js'
import { toHex } from './reader.js'
import { keySize, openContents, wrongKeyOrDamaged } from './security.js'

/**
 * An APDU as plain JSON, opened where it is ciphered and can be.
 *
 * @param key the encryption key; behind it, if it is to be checked that nothing was changed, the authentication key
 */
export function describeOpened(apdu: Apdu, key: Uint8Array | undefined): JsonObject {
  if (!isCiphered(apdu)) return describeApdu(apdu)
  const { control } = apdu
  const described = { ...describeApdu(apdu), security: securityText(control) }
  const { encrypted, compressed } = securityControl
  const readable = (control & (encrypted | compressed)) === 0
  if (readable && key?.length !== 2 * keySize) return { ...described, ...inside(contentsOf(apdu), 'not checked: both keys are needed') }
  if (key === undefined) return { ...described, closed: 'the key is needed to open it' }
  if (apdu.systemTitle?.length !== systemTitleSize)
    return { ...described, closed: "the sender's system title is needed to open it, and only the association before it names that" }
  if (key.length !== keySize && key.length !== 2 * keySize)
    throw new DlmsFault('DLMS_KEY', `a key has ${keySize} bytes, or ${2 * keySize} with the authentication key behind it`)
  const authenticated = (control & securityControl.authenticated) !== 0
  const checkable = key.length === 2 * keySize || !authenticated
  const plain = openContents(
    {
      // Without the authentication key the tag is left aside; the text is the same.
      control: checkable ? control : control & ~securityControl.authenticated,
      systemTitle: apdu.systemTitle,
      invocationCounter: apdu.invocationCounter,
      encryptionKey: key.subarray(0, keySize),
      authenticationKey: checkable && authenticated ? key.subarray(keySize) : new Uint8Array(keySize)
    },
    checkable ? apdu.contents : contentsOf(apdu)
  )
  return { ...described, ...opened(plain, checkable ? (authenticated ? 'fits' : 'none') : 'not checked: the authentication key is needed') }
}

/** The text or cipher text without the tag behind it. */
function contentsOf({ control, contents }: CipheredApdu): Uint8Array {
  return (control & securityControl.authenticated) === 0 ? contents : contents.subarray(0, contents.length - tagSize)
}

/** Deciphered text behind no tag that fits: if it is no APDU the key is wrong, or bytes are damaged. */
function opened(plain: Uint8Array, tag: string): JsonObject {
  if (tag !== 'fits' && !decodeApdu(plain).ok) throw wrongKeyOrDamaged()
  return inside(plain, tag)
}

/** Text that lies open. */
function inside(plain: Uint8Array, tag: string): JsonObject {
  const apdu = decodeApdu(plain)
  return apdu.ok ? { tag, opened: describeApdu(apdu.value) } : { tag, text: toHex(plain), refused: apdu.error.message }
}

function securityText(control: number): string {
  const parts = [
    (control & securityControl.authenticated) === 0 ? [] : ['authenticated'],
    (control & securityControl.encrypted) === 0 ? [] : ['encrypted'],
    (control & securityControl.broadcast) === 0 ? [] : ['broadcast key'],
    (control & securityControl.compressed) === 0 ? [] : ['compressed']
  ]
  return [`suite ${control & securityControl.suite}`, ...parts.flat()].join(', ')
}
