import { obis } from '@endeks/domain/metering'
import type { Apdu } from './codec/apdu.js'
import { type Aarq, applicationContexts, type Rlrq } from './codec/association-fields.js'
import { authenticationFields } from './codec/authentication.js'
import { allows, type ConformanceBit, conformance } from './codec/conformance.js'
import { type Association, acceptAssociation } from './codec/conversation.js'
import type { DlmsData } from './codec/data-types.js'
import { DlmsFault } from './codec/fault.js'
import { type AttributeReference, invokeBits, type SelectiveAccess } from './codec/get.js'
import { dlmsVersion, type InitiateRequest } from './codec/initiate.js'
import { attributes } from './codec/object-classes.js'
import { OpenGet, valueIn } from './codec/open-get.js'
import type { SecureChannel } from './codec/secure-channel.js'
import type { GetResult } from './codec/service-layouts.js'
import { execute } from './commands.js'

/** Gives requests, takes their responses: who carries and ciphers them is none of its business. */
export type Dialogue<Value = void> = Generator<Apdu, Value, Apdu>

/** How an association is opened. */
export interface Opening {
  readonly authentication: 'none' | 'lls' | 'hls-gmac'
  readonly ciphered: boolean
  readonly general: boolean
  /** where keys are needed: ciphering, and the challenges of HLS */
  readonly channel?: SecureChannel
  /** the password of LLS, or this client's challenge of HLS */
  readonly secret?: Uint8Array
  readonly dedicatedKey?: Uint8Array
}

/** What the public client does with every meter. */
export const publicOpening: Opening = { authentication: 'none', ciphered: false, general: false }

/** An open association. */
export interface Session {
  readonly association: Association
  /** Invoke-Id-And-Priority of the next request */
  readonly invoke: () => number
}

/** Longest APDU that this client takes: what a wrapper frame can carry. */
const clientPduSize = 0xffff

/** What a client asks for that reads, and that commands. */
const reading: readonly ConformanceBit[] = ['get', 'selective-access', 'block-transfer-with-get-or-read', 'multiple-references']
const commanding: readonly ConformanceBit[] = ['set', 'action', 'block-transfer-with-set-or-write', 'block-transfer-with-action']

export type Purpose = 'read' | 'command'

function initiate(opening: Opening, purpose: Purpose): InitiateRequest {
  const { dedicatedKey, authentication, general } = opening
  const bits: ConformanceBit[] = [
    ...reading,
    ...(purpose === 'command' ? commanding : []),
    // The answer to a challenge is an ACTION.
    ...(authentication === 'hls-gmac' ? (['action'] as const) : []),
    ...(general ? (['general-protection'] as const) : [])
  ]
  return {
    apdu: 'initiate-request',
    ...(dedicatedKey === undefined ? {} : { dedicatedKey }),
    responseAllowed: true,
    dlmsVersion,
    conformance: conformance(...bits),
    maxPduSize: clientPduSize
  }
}

function contextOf({ ciphered }: Opening): string {
  return ciphered ? applicationContexts.logicalNamesCiphered : applicationContexts.logicalNames
}

/** AARQ for logical names (Green Book 9.4.2). */
export function associationRequest(opening: Opening, purpose: Purpose = 'read'): Aarq {
  const { authentication, channel, secret } = opening
  const mechanism = authentication === 'lls' ? 'low' : 'gmac'
  return {
    apdu: 'aarq',
    applicationContextName: contextOf(opening),
    ...(channel === undefined ? {} : { callingApTitle: channel.ownTitle }),
    ...(authentication === 'none' || secret === undefined ? {} : authenticationFields(mechanism, secret)),
    userInformation: initiate(opening, purpose)
  }
}

/**
 * From AARQ to an association that is open, through the four passes of HLS-5 where it is asked for.
 *
 * @throws {DlmsFault} as `acceptAssociation`; DLMS_AUTHENTICATION when either side does not know the other
 */
export function* associate(opening: Opening, purpose: Purpose = 'read'): Dialogue<Session> {
  const needed: readonly ConformanceBit[] = opening.general ? ['get', 'general-protection'] : ['get']
  const association = acceptAssociation(yield associationRequest(opening, purpose), needed, contextOf(opening))
  let id = 0
  const invoke = (): number => {
    id = (id % invokeBits.id) + 1
    return invokeBits.highPriority | invokeBits.confirmed | id
  }
  const session = { association, invoke }
  if (opening.authentication === 'hls-gmac') yield* proveKeys(session, opening)
  opening.channel?.establish()
  return session
}

/** Pass 3 and 4: method 1 of the current association (Blue Book, class 15, reply_to_HLS_authentication). */
function* proveKeys(session: Session, { channel, secret }: Opening): Dialogue {
  const { challenge } = session.association
  if (channel === undefined || secret === undefined) throw new DlmsFault('DLMS_KEY', 'HLS needs the keys of the meter')
  if (challenge === undefined) throw new DlmsFault('DLMS_AUTHENTICATION', 'the meter sent no challenge')
  const least = channel.nextToReceive
  const { class: associationClass, replyToHls } = attributes.association
  const parameters: DlmsData = { type: 'octet-string', value: channel.answer(challenge, secret) }
  const returned = yield* authenticated(
    execute(session, { class: associationClass, obis: currentAssociation, method: replyToHls }, parameters)
  )
  if (returned?.type !== 'octet-string') throw new DlmsFault('DLMS_AUTHENTICATION', 'the meter did not answer the challenge')
  channel.verify(secret, returned.value, least)
}

/** The association that asks, whatever its number. */
const currentAssociation = obis('0-0:40.0.0*255')

/** A meter that does not take the answer to its challenge cannot say whether a key is wrong or a byte. */
function* authenticated<Value>(dialogue: Dialogue<Value>): Dialogue<Value> {
  try {
    return yield* dialogue
  } catch (thrown) {
    if (!(thrown instanceof DlmsFault) || thrown.code !== 'DLMS_ACCESS') throw thrown
    throw new DlmsFault(
      'DLMS_AUTHENTICATION',
      `the meter does not take the answer to its challenge: wrong key or damaged (${thrown.message})`
    )
  }
}

/** RLRQ. In a ciphered association it carries the initiate-request again, ciphered, so that nobody else can end it (Green Book 9.4.2). */
export function releaseRequest(opening: Opening, purpose: Purpose = 'read'): Rlrq {
  return { apdu: 'rlrq', reason: 0, ...(opening.ciphered ? { userInformation: initiate(opening, purpose) } : {}) }
}

/** @throws {DlmsFault} as `OpenGet.accept`, and DLMS_ACCESS */
export function* get(session: Session, reference: AttributeReference, access?: SelectiveAccess): Dialogue<DlmsData> {
  return valueIn(reference, yield* tryGet(session, reference, access))
}

/** @returns also a refusal, for who can go on without the attribute. @throws {DlmsFault} as `OpenGet.accept` */
export function* tryGet(session: Session, reference: AttributeReference, access?: SelectiveAccess): Dialogue<GetResult> {
  const { class: objectClass, obis: name, attribute } = reference
  const invoke = session.invoke()
  const selection = access === undefined ? {} : { access }
  const open = new OpenGet({ apdu: 'get-request-normal', invoke, class: objectClass, obis: name, attribute, ...selection })
  const [result] = yield* carry(open)
  if (result === undefined) throw new DlmsFault('DLMS_INCOMPLETE', `attribute ${attribute} of ${name} has no result`)
  return result
}

function* carry(open: OpenGet): Dialogue<readonly GetResult[]> {
  let results = open.accept(yield open.request)
  while (results === undefined) results = open.accept(yield open.next())
  return results
}

/** The most attributes in one list: meters that grant lists often have room for few. */
const listedAtOnce = 10
/** Class, name, attribute and access selection; and what stands around the list, ciphered. */
const bytesOfTarget = 10
const bytesAround = 40

/** Many attributes, in lists where the meter grants them. @returns a result for each, in order. @throws {DlmsFault} as `OpenGet.accept` */
export function* getAll(session: Session, references: readonly AttributeReference[]): Dialogue<readonly GetResult[]> {
  const { conformance: granted, maxPduSize } = session.association
  const room = maxPduSize === 0 ? listedAtOnce : Math.floor((maxPduSize - bytesAround) / bytesOfTarget)
  const size = allows(granted, 'multiple-references') ? Math.min(room, listedAtOnce) : 1
  const results: GetResult[] = []
  for (let at = 0; at < references.length; at += Math.max(size, 1)) {
    const some = references.slice(at, at + Math.max(size, 1))
    const [first] = some
    if (some.length === 1 && first !== undefined) results.push(yield* tryGet(session, first))
    else
      results.push(...(yield* carry(new OpenGet({ apdu: 'get-request-with-list', invoke: session.invoke(), attributes: some.map(plain) }))))
  }
  return results
}

function plain({ class: objectClass, obis: name, attribute }: AttributeReference): AttributeReference {
  return { class: objectClass, obis: name, attribute }
}
