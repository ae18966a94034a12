import type { Apdu } from './apdu.js'
import { applicationContexts, associationResults, providerDiagnostics, userDiagnostics } from './association-fields.js'
import { isCiphered } from './cipher-context.js'
import { allows, type ConformanceBit } from './conformance.js'
import { serviceErrors, serviceFailure, stateErrors } from './exception.js'
import { DlmsFault } from './fault.js'
import { invokeBits } from './get.js'
import { dlmsVersion } from './initiate.js'

/** What client and server agreed on. */
export interface Association {
  readonly conformance: number
  /** longest APDU that the server takes; 0: no limit */
  readonly maxPduSize: number
  /** the server's challenge, where it sent one */
  readonly challenge?: Uint8Array
}

/**
 * Holds an answer to an AARQ against what the client can live with.
 *
 * @throws {DlmsFault} DLMS_ASSOCIATION_REFUSED, DLMS_CONFORMANCE when the server does not grant what is needed, and as `refusal`
 */
export function acceptAssociation(
  response: Apdu,
  needed: readonly ConformanceBit[] = ['get'],
  context: string = applicationContexts.logicalNames
): Association {
  if (response.apdu !== 'aare') throw refusal('an AARE', response)
  const { result, diagnostic, userInformation, applicationContextName, respondingAuthenticationValue } = response
  if (result !== 0) {
    const names = diagnostic.source === 'service-user' ? userDiagnostics : providerDiagnostics
    const why = names.get(diagnostic.value) ?? `diagnostic ${diagnostic.value}`
    const more = userInformation?.apdu === 'confirmed-service-error' ? `, ${serviceFailure(userInformation)}` : ''
    throw refused(`${associationResults.get(result) ?? result}, ${why}${more}`)
  }
  if (applicationContextName !== context) throw refused(`it opened context ${applicationContextName}, not ${context}`)
  if (userInformation?.apdu === 'confirmed-service-error') throw refused(serviceFailure(userInformation))
  if (userInformation?.apdu !== 'initiate-response') throw refused('it accepted without an initiate-response in the clear')
  if (userInformation.dlmsVersion !== dlmsVersion) throw refused(`it speaks version ${userInformation.dlmsVersion} of DLMS`)
  const missing = needed.find((bit) => !allows(userInformation.conformance, bit))
  if (missing !== undefined) throw new DlmsFault('DLMS_CONFORMANCE', `the meter does not grant "${missing}" to this client`)
  return {
    conformance: userInformation.conformance,
    maxPduSize: userInformation.maxPduSize,
    ...(respondingAuthenticationValue === undefined ? {} : { challenge: respondingAuthenticationValue })
  }
}

function refused(why: string): DlmsFault {
  return new DlmsFault('DLMS_ASSOCIATION_REFUSED', `the meter refused the association: ${why}`)
}

/** Holds the invoke-id of an answer against that of its request. @throws {DlmsFault} DLMS_INVOKE_ID */
export function checkInvoke(request: { readonly invoke: number }, response: { readonly invoke: number }): void {
  const asked = request.invoke & invokeBits.id
  const answered = response.invoke & invokeBits.id
  if (asked !== answered) throw new DlmsFault('DLMS_INVOKE_ID', `invocation ${answered} was answered where ${asked} had been asked`)
}

const decipheringError = 5
const invocationCounterError = 6

/**
 * Why an answer is not the one that was due: DLMS_EXCEPTION, DLMS_SERVICE_ERROR, DLMS_WRONG_KEY_OR_DAMAGED or DLMS_COUNTER
 * when the meter says so itself, DLMS_UNSUPPORTED for a ciphered one without a key, DLMS_UNEXPECTED for any other APDU.
 */
export function refusal(expected: string, response: Apdu): DlmsFault {
  if (response.apdu === 'confirmed-service-error') {
    return new DlmsFault('DLMS_SERVICE_ERROR', `the meter answered with a service error: ${serviceFailure(response)}`)
  }
  if (response.apdu === 'exception-response') {
    const { serviceError, invocationCounter } = response
    if (serviceError === decipheringError)
      return new DlmsFault('DLMS_WRONG_KEY_OR_DAMAGED', 'the meter could not decipher the request: wrong key or damaged')
    if (serviceError === invocationCounterError)
      return new DlmsFault('DLMS_COUNTER', `the meter takes no request with an invocation counter below ${invocationCounter}`)
    const why = `${stateErrors.get(response.stateError)}, ${serviceErrors.get(serviceError)}`
    return new DlmsFault('DLMS_EXCEPTION', `the meter answered with an exception: ${why}`)
  }
  // Known to be ciphered before it is known to be unexpected: the meter wants a client with a key.
  if (isCiphered(response))
    return new DlmsFault('DLMS_UNSUPPORTED', `the meter answered with ${response.apdu}: this association has no key`)
  return new DlmsFault('DLMS_UNEXPECTED', `${expected} was due, ${response.apdu} came`)
}
