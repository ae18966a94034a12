import { timingSafeEqual } from 'node:crypto'
import type { Aarq } from './association-fields.js'
import { securityControl, tagSize } from './ciphered.js'
import { DlmsFault } from './fault.js'
import { ByteReader } from './reader.js'
import { type Seal, sealContents, wrongKeyOrDamaged } from './security.js'
import { ByteWriter } from './writer.js'

/** Authentication mechanisms: joint-iso-ccitt(2) country(16) country-name(756) identified-organisation(5) DLMS-UA(8) (2) n. */
export const mechanisms = {
  lowest: '2.16.756.5.8.2.0',
  low: '2.16.756.5.8.2.1',
  high: '2.16.756.5.8.2.2',
  md5: '2.16.756.5.8.2.3',
  sha1: '2.16.756.5.8.2.4',
  gmac: '2.16.756.5.8.2.5',
  sha256: '2.16.756.5.8.2.6',
  ecdsa: '2.16.756.5.8.2.7'
} as const

/** A challenge is 8 to 64 bytes (Green Book 9.2.7.4). */
export const challengeSizes = { least: 8, most: 64 } as const
const replySize = 5 + tagSize

type AuthenticationFields = Pick<Aarq, 'senderAcseRequirements' | 'mechanismName' | 'callingAuthenticationValue'>

/** The fields of an AARQ that ask for authentication: the password of LLS, or the client's challenge of HLS. */
export function authenticationFields(mechanism: 'low' | 'gmac', value: Uint8Array): AuthenticationFields {
  if (mechanism === 'gmac') checkChallenge(value)
  return {
    // Bit 0 of ACSE-requirements is "authentication"; seven bits of its byte are unused.
    senderAcseRequirements: Uint8Array.of(7, 0x80),
    mechanismName: mechanisms[mechanism],
    callingAuthenticationValue: value
  }
}

/** Keys, and system title and counter of the side that answers. */
export type GmacSide = Omit<Seal, 'control'>

/**
 * Pass 3 and 4 of HLS-5: f(challenge) = control byte, invocation counter, GMAC over control byte, authentication key and
 * challenge (Green Book 9.2.7.4). It goes as octet-string to method 1 of the association.
 *
 * @param own the challenge that this side sent: the same one coming back is a peer that has no key and mirrors
 * @throws {DlmsFault} DLMS_AUTHENTICATION for a mirrored challenge or one of a wrong size, DLMS_KEY, DLMS_SYSTEM_TITLE
 */
export function gmacReply(side: GmacSide, challenge: Uint8Array, own?: Uint8Array): Uint8Array {
  checkChallenge(challenge)
  if (own !== undefined && own.length === challenge.length && timingSafeEqual(own, challenge))
    throw new DlmsFault('DLMS_AUTHENTICATION', 'the peer sent back the challenge that it was given')
  const control = securityControl.authenticated
  return new ByteWriter().u8(control).u32(side.invocationCounter).raw(gmac(side, challenge)).finish()
}

/**
 * Checks the peer's answer to a challenge.
 *
 * @param least the least counter that is taken from the peer
 * @returns the counter of the answer, from which the peer counts on
 * @throws {DlmsFault} DLMS_AUTHENTICATION for what is no such answer, DLMS_WRONG_KEY_OR_DAMAGED, DLMS_COUNTER
 */
export function checkGmacReply(
  peer: Omit<GmacSide, 'invocationCounter'>,
  exchange: { readonly challenge: Uint8Array; readonly reply: Uint8Array; readonly least?: number }
): number {
  const { challenge, reply, least = 0 } = exchange
  checkChallenge(challenge)
  if (reply.length !== replySize)
    throw new DlmsFault('DLMS_AUTHENTICATION', `an answer to a challenge has ${replySize} bytes, not ${reply.length}`)
  const reader = new ByteReader(reply)
  const control = reader.u8()
  const invocationCounter = reader.u32()
  if (control !== securityControl.authenticated)
    throw new DlmsFault('DLMS_AUTHENTICATION', `an answer to a challenge has security control 0x10, not ${control}`)
  if (!timingSafeEqual(gmac({ ...peer, invocationCounter }, challenge), reader.take(tagSize))) throw wrongKeyOrDamaged()
  if (invocationCounter < least)
    throw new DlmsFault('DLMS_COUNTER', `the answer has invocation counter ${invocationCounter}, at least ${least} was due`)
  return invocationCounter
}

/** The tag of an open text is GMAC over it; the text in front of the tag is not sent a second time. */
function gmac(side: GmacSide, challenge: Uint8Array): Uint8Array {
  return sealContents({ ...side, control: securityControl.authenticated }, challenge).subarray(challenge.length)
}

function checkChallenge(challenge: Uint8Array): void {
  const { least, most } = challengeSizes
  if (challenge.length < least || challenge.length > most)
    throw new DlmsFault('DLMS_AUTHENTICATION', `a challenge has ${least} to ${most} bytes, not ${challenge.length}`)
}
