import type { Apdu } from './apdu.js'
import { associationResults, providerDiagnostics, userDiagnostics } from './association-fields.js'
import { BlockAssembler } from './blocks.js'
import { allows, type ConformanceBit } from './conformance.js'
import type { DlmsData } from './data-types.js'
import { readData } from './decode-data.js'
import { serviceErrors, stateErrors } from './exception.js'
import { DlmsFault } from './fault.js'
import { dataAccessResults, type GetRequestNext, type GetRequestNormal, invokeBits } from './get.js'
import { ByteReader } from './reader.js'

/** What client and server agreed on. */
export interface Association {
  readonly conformance: number
  readonly maxPduSize: number
}

/**
 * Holds an answer to an AARQ against what the client can live with.
 *
 * @throws {DlmsFault} DLMS_ASSOCIATION_REFUSED, DLMS_CONFORMANCE when the server does not grant GET, DLMS_EXCEPTION,
 * DLMS_UNEXPECTED for any other APDU
 */
export function acceptAssociation(response: Apdu, needed: readonly ConformanceBit[] = ['get']): Association {
  if (response.apdu !== 'aare') throw unexpected('an AARE', response)
  const { result, diagnostic, userInformation } = response
  if (result !== 0) {
    const names = diagnostic.source === 'service-user' ? userDiagnostics : providerDiagnostics
    const why = names.get(diagnostic.value) ?? `diagnostic ${diagnostic.value}`
    throw new DlmsFault(
      'DLMS_ASSOCIATION_REFUSED',
      `the meter refused the association: ${associationResults.get(result) ?? result}, ${why}`
    )
  }
  if (userInformation?.apdu !== 'initiate-response') {
    throw new DlmsFault('DLMS_ASSOCIATION_REFUSED', 'the meter accepted the association without an initiate-response in the clear')
  }
  const missing = needed.find((bit) => !allows(userInformation.conformance, bit))
  if (missing !== undefined) throw new DlmsFault('DLMS_CONFORMANCE', `the meter does not grant "${missing}" to this client`)
  return { conformance: userInformation.conformance, maxPduSize: userInformation.maxPduSize }
}

/** One GET from its request to its value, over as many blocks as it takes. The same for the client and for evidence. */
export class OpenGet {
  readonly request: GetRequestNormal
  readonly #blocks = new BlockAssembler()

  constructor(request: GetRequestNormal) {
    this.request = request
  }

  /**
   * @returns the value, or undefined when the next block must be asked for
   * @throws {DlmsFault} DLMS_ACCESS with the object's name, DLMS_INVOKE_ID, DLMS_BLOCK, DLMS_EXCEPTION, DLMS_UNEXPECTED
   */
  accept(response: Apdu): DlmsData | undefined {
    if (response.apdu !== 'get-response-normal' && response.apdu !== 'get-response-with-datablock')
      throw unexpected('a GET response', response)
    const asked = this.request.invoke & invokeBits.id
    const answered = response.invoke & invokeBits.id
    if (asked !== answered) throw new DlmsFault('DLMS_INVOKE_ID', `invocation ${answered} was answered where ${asked} had been asked`)
    if ('error' in response.result) throw this.#refused(response.result.error)
    if (response.apdu === 'get-response-normal') {
      if (this.#blocks.received > 0) throw new DlmsFault('DLMS_BLOCK', 'a whole answer came inside a block transfer')
      return response.result.data
    }
    const whole = this.#blocks.add(response.block, response.result.raw, response.last)
    if (whole === undefined) return undefined
    const reader = new ByteReader(whole)
    const data = readData(reader)
    reader.finish('the value put together from blocks')
    return data
  }

  #refused(error: number): DlmsFault {
    const { obis, attribute } = this.request
    const why = dataAccessResults.get(error) ?? `result ${error}`
    return new DlmsFault('DLMS_ACCESS', `the meter does not give attribute ${attribute} of ${obis}: ${why}`)
  }

  /** Confirms the last block received and asks for the one after it. */
  next(): GetRequestNext {
    return { apdu: 'get-request-next', invoke: this.request.invoke, block: this.#blocks.received }
  }
}

function unexpected(expected: string, response: Apdu): DlmsFault {
  if (response.apdu === 'exception-response') {
    const state = stateErrors.get(response.stateError)
    const service = serviceErrors.get(response.serviceError)
    return new DlmsFault('DLMS_EXCEPTION', `the meter answered with an exception: ${state}, ${service}`)
  }
  // Known to be ciphered before it is known to be unexpected: the meter wants a client with a key.
  if ('invocationCounter' in response && 'contents' in response)
    return new DlmsFault('DLMS_UNSUPPORTED', `the meter answered with ${response.apdu}: this association has no key`)
  return new DlmsFault('DLMS_UNEXPECTED', `${expected} was due, ${response.apdu} came`)
}
