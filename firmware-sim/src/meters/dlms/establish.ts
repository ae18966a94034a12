import { timingSafeEqual } from 'node:crypto'
import { dlms } from '@endeks/gateway/codec'
import type { AssociationDefinition } from './associations-of.js'
import { Ciphering, type Envelope, isCiphered } from './ciphering.js'
import type { MeterDevice } from './device.js'
import { grantedTo } from './granted.js'

/** A client that takes shorter APDUs than this cannot be answered (Green Book 9.4.2: pdu-size-too-short). */
const shortestPduSize = 12
const noLimit = 0xffff
const challengeSize = 16
const resultRejected = 1
const diagnostic = {
  none: 0,
  noReason: 1,
  contextNotSupported: 2,
  callingTitleNotRecognised: 3,
  mechanismNotRecognised: 11,
  authenticationFailure: 13,
  authenticationRequired: 14
} as const
/** Service 1 initiateError, category 6 initiate: dlms-version-too-low, incompatible-conformance, pdu-size-too-short. */
const initiateError = { service: 1, category: 6, versionTooLow: 1, incompatibleConformance: 2, pduSizeTooShort: 3 } as const
/** ACSE-requirements: bit 0, authentication; seven bits of the byte are unused. */
const authenticationRequirement = Uint8Array.of(7, 0x80)

/** What client and meter agreed on. */
export interface Agreement {
  readonly conformance: number
  /** longest APDU that the client takes */
  readonly clientSize: number
  readonly clientTitle: Uint8Array | undefined
  readonly ciphering: Ciphering | undefined
  /** HLS-5: what each side was asked, until the client has answered */
  readonly challenges: { readonly client: Uint8Array; readonly own: Uint8Array } | undefined
  /** the client wants no AARE (Green Book 9.4.2: response-allowed) */
  readonly silent: boolean
  /** how the initiate-request was protected */
  readonly envelope: Envelope | undefined
}

export interface Host {
  readonly device: MeterDevice
  /** undefined for a client that the meter does not know */
  readonly definition: AssociationDefinition | undefined
  readonly random: (size: number) => Uint8Array
}

/** Thrown inside only: an AARE that says no. */
class Refusal extends Error {
  readonly value: number
  readonly initiate: { readonly error: number; readonly seal: (apdu: dlms.Apdu) => dlms.UserInformation } | undefined

  constructor(value: number, initiate?: Refusal['initiate']) {
    super(`diagnostic ${value}`)
    this.value = value
    this.initiate = initiate
  }
}

/** Judges an AARQ (Green Book 9.4.2 and 9.4.5): the AARE that answers it, and the agreement where it says yes. */
export function establish(request: dlms.Aarq, host: Host): { readonly aare: dlms.Aare; readonly agreement?: Agreement } {
  try {
    const agreement = agree(request, host)
    return { aare: accepted(request, agreement, host.device), agreement }
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown
    return { aare: refused(request, thrown) }
  }
}

function agree(request: dlms.Aarq, { device, definition, random }: Host): Agreement {
  if (definition === undefined) throw new Refusal(diagnostic.noReason)
  const { logicalNames, logicalNamesCiphered } = dlms.applicationContexts
  if (request.applicationContextName !== (definition.ciphered ? logicalNamesCiphered : logicalNames)) {
    throw new Refusal(diagnostic.contextNotSupported)
  }
  const clientTitle = titleOf(request, definition)
  checkMechanism(request, definition)
  const challenge = checkSecret(request, definition, device)
  const ciphering = clientTitle === undefined ? undefined : new Ciphering(device, clientTitle, definition.protection)
  const { proposed, envelope } = openProposal(request, definition.ciphered ? ciphering : undefined)
  const seal = (apdu: dlms.Apdu) => sealInformation(apdu, ciphering, envelope)
  const negotiated = negotiate(proposed, grantedTo(definition, device.options), seal)
  if (proposed.dedicatedKey !== undefined) {
    if (proposed.dedicatedKey.length !== dlms.keySize || envelope === undefined) throw new Refusal(diagnostic.noReason)
    ciphering?.useDedicated(proposed.dedicatedKey)
  }
  return {
    ...negotiated,
    clientTitle,
    ciphering: definition.ciphered ? ciphering : undefined,
    challenges: challenge === undefined ? undefined : { client: challenge, own: random(challengeSize) },
    silent: !proposed.responseAllowed,
    envelope
  }
}

const titleSize = 8

/** A client that ciphers, or answers a challenge, says under which title it counts. */
function titleOf(request: dlms.Aarq, { ciphered, mechanism }: AssociationDefinition): Uint8Array | undefined {
  if (!ciphered && mechanism !== 'gmac') return undefined
  if (request.callingApTitle?.length !== titleSize) throw new Refusal(diagnostic.callingTitleNotRecognised)
  return request.callingApTitle
}

function checkMechanism(request: dlms.Aarq, { mechanism }: AssociationDefinition): void {
  const named = request.mechanismName === dlms.mechanisms.lowest ? undefined : request.mechanismName
  if (mechanism === 'none') {
    if (named !== undefined) throw new Refusal(diagnostic.mechanismNotRecognised)
  } else if (named === undefined) {
    throw new Refusal(diagnostic.authenticationRequired)
  } else if (named !== dlms.mechanisms[mechanism]) {
    throw new Refusal(diagnostic.mechanismNotRecognised)
  }
}

/** @returns the client's challenge, where its mechanism has one */
function checkSecret(request: dlms.Aarq, { mechanism }: AssociationDefinition, device: MeterDevice): Uint8Array | undefined {
  const value = request.callingAuthenticationValue ?? new Uint8Array(0)
  if (mechanism === 'low') {
    const password = device.password ?? new Uint8Array(0)
    const right = password.length === value.length && timingSafeEqual(password, value)
    if (!right) throw new Refusal(diagnostic.authenticationFailure)
  }
  if (mechanism !== 'gmac') return undefined
  const { least, most } = dlms.challengeSizes
  if (value.length < least || value.length > most) throw new Refusal(diagnostic.authenticationFailure)
  return value
}

interface Proposal {
  readonly proposed: dlms.InitiateRequest
  readonly envelope: Envelope | undefined
}

function openProposal(request: dlms.Aarq, ciphering: Ciphering | undefined): Proposal {
  const information = request.userInformation
  if (information?.apdu === 'initiate-request') {
    if (ciphering !== undefined && ciphering.required !== 'none') throw new Refusal(diagnostic.authenticationFailure)
    return { proposed: information, envelope: undefined }
  }
  if (information?.apdu !== 'opaque' || ciphering === undefined) throw new Refusal(diagnostic.noReason)
  const closed = dlms.decodeApdu(information.bytes)
  if (!closed.ok || !isCiphered(closed.value)) throw new Refusal(diagnostic.noReason)
  try {
    const { apdu, envelope } = ciphering.open(closed.value)
    if (apdu.apdu !== 'initiate-request') throw new Refusal(diagnostic.noReason)
    return { proposed: apdu, envelope }
  } catch (thrown) {
    // Wrong key, wrong tag or a counter from yesterday: the client is not who it says it is.
    if (thrown instanceof dlms.DlmsFault) throw new Refusal(diagnostic.authenticationFailure)
    throw thrown
  }
}

function negotiate(
  proposed: dlms.InitiateRequest,
  granted: number,
  seal: (apdu: dlms.Apdu) => dlms.UserInformation
): { readonly conformance: number; readonly clientSize: number } {
  const refuse = (error: number) => new Refusal(diagnostic.noReason, { error, seal })
  if (proposed.dlmsVersion < dlms.dlmsVersion) throw refuse(initiateError.versionTooLow)
  const conformance = proposed.conformance & granted
  if (!dlms.allows(conformance, 'get')) throw refuse(initiateError.incompatibleConformance)
  // Zero means that the client sets no limit.
  const clientSize = proposed.maxPduSize === 0 ? noLimit : proposed.maxPduSize
  if (clientSize < shortestPduSize) throw refuse(initiateError.pduSizeTooShort)
  return { conformance, clientSize }
}

/** User information as the client protected its own: in the clear, or closed in the same form. */
export function sealInformation(apdu: dlms.Apdu, ciphering: Ciphering | undefined, envelope: Envelope | undefined): dlms.UserInformation {
  if (ciphering !== undefined && envelope !== undefined) {
    return { apdu: 'opaque', bytes: dlms.encodeApdu(ciphering.seal(apdu, envelope)) }
  }
  if (apdu.apdu === 'initiate-response' || apdu.apdu === 'confirmed-service-error') return apdu
  throw new dlms.DlmsFault('DLMS_UNSUPPORTED', `${apdu.apdu} is no user information of a response`)
}

export function initiateResponse(device: MeterDevice, conformance: number): dlms.InitiateResponse {
  const { dlmsVersion, vaaNameForLogicalNames: vaaName } = dlms
  return { apdu: 'initiate-response', dlmsVersion, conformance, maxPduSize: device.maxPduSize, vaaName }
}

function accepted(request: dlms.Aarq, agreement: Agreement, device: MeterDevice): dlms.Aare {
  const { challenges, ciphering, clientTitle, envelope } = agreement
  const challenged =
    challenges === undefined
      ? {}
      : {
          responderAcseRequirements: authenticationRequirement,
          mechanismName: dlms.mechanisms.gmac,
          respondingAuthenticationValue: challenges.own
        }
  return {
    apdu: 'aare',
    applicationContextName: request.applicationContextName,
    result: 0,
    diagnostic: { source: 'service-user', value: challenges === undefined ? diagnostic.none : diagnostic.authenticationRequired },
    ...(clientTitle === undefined ? {} : { respondingApTitle: device.title }),
    ...challenged,
    userInformation: sealInformation(initiateResponse(device, agreement.conformance), ciphering, envelope)
  }
}

function refused(request: dlms.Aarq, { value, initiate }: Refusal): dlms.Aare {
  const { service, category } = initiateError
  const { logicalNames, logicalNamesCiphered } = dlms.applicationContexts
  const known = request.applicationContextName === logicalNamesCiphered ? logicalNamesCiphered : logicalNames
  const information =
    initiate === undefined
      ? {}
      : { userInformation: initiate.seal({ apdu: 'confirmed-service-error', service, category, value: initiate.error }) }
  return {
    apdu: 'aare',
    applicationContextName: known,
    result: resultRejected,
    diagnostic: { source: 'service-user', value },
    ...information
  }
}
