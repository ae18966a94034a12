import { dlms } from '@endeks/gateway/codec'
import type { SimulatedMeter } from '../meter.js'
import { type CosemObject, objectsOf, readAttribute } from './objects.js'

/** What the simulated meters grant at most. */
const granted = dlms.conformance('get', 'selective-access', 'block-transfer-with-get-or-read', 'priority-mgmt-supported')
/** Longest APDU that a meter takes and sends, as small as real ones have it, so that a load profile comes in blocks. */
export const defaultPduSize = 512

/** A client that takes shorter APDUs than this cannot be answered (Green Book 9.4.2: pdu-size-too-short). */
const shortestPduSize = 12
const resultRejected = 1
const diagnostic = { none: 0, noReason: 1, contextNotSupported: 2, mechanismNotRecognised: 11 } as const
/** Service 1 initiateError, category 6 initiate: dlms-version-too-low, incompatible-conformance, pdu-size-too-short. */
const initiateError = { service: 1, category: 6, versionTooLow: 1, incompatibleConformance: 2, pduSizeTooShort: 3 } as const
const notAssociated = { apdu: 'exception-response', stateError: 1, serviceError: 1 } as const
const notKnown = { apdu: 'exception-response', stateError: 2, serviceError: 2 } as const

interface LongGet {
  readonly invoke: number
  readonly blocks: readonly Uint8Array[]
  next: number
}

interface Agreement {
  readonly conformance: number
  readonly pduSize: number
}

/** One logical device as one client sees it on one connection: request in, response out, no socket. */
export class MeterAssociation {
  readonly #objects: readonly CosemObject[]
  readonly #maxPduSize: number
  #agreed: Agreement | undefined
  #long: LongGet | undefined

  constructor(meter: SimulatedMeter, maxPduSize = defaultPduSize) {
    this.#objects = objectsOf(meter)
    this.#maxPduSize = maxPduSize
  }

  /** What a meter answers to these bytes. Bytes that are no APDU get an exception-response, as from a real one. */
  answer(bytes: Uint8Array): Uint8Array {
    const request = dlms.decodeApdu(bytes)
    return dlms.encodeApdu(request.ok ? this.#respond(request.value) : notKnown)
  }

  #respond(request: dlms.Apdu): dlms.Apdu {
    if (request.apdu === 'aarq') return this.#associate(request)
    if (request.apdu === 'rlrq') {
      this.#agreed = undefined
      this.#long = undefined
      return { apdu: 'rlre', reason: 0 }
    }
    const agreed = this.#agreed
    if (agreed === undefined) return notAssociated
    if (request.apdu === 'get-request-normal') return this.#get(request, agreed)
    return request.apdu === 'get-request-next' ? this.#nextBlock(request) : notKnown
  }

  #associate(request: dlms.Aarq): dlms.Apdu {
    this.#agreed = undefined
    this.#long = undefined
    if (request.applicationContextName !== dlms.applicationContexts.logicalNames) return refused(diagnostic.contextNotSupported)
    // Only the lowest level of security is simulated: a client that names a mechanism is told so.
    if (request.mechanismName !== undefined) return refused(diagnostic.mechanismNotRecognised)
    const proposed = request.userInformation
    if (proposed?.apdu !== 'initiate-request') return refused(diagnostic.noReason)
    if (proposed.dlmsVersion < dlms.dlmsVersion) return refused(diagnostic.noReason, initiateError.versionTooLow)
    const conformance = proposed.conformance & granted
    if (!dlms.allows(conformance, 'get')) return refused(diagnostic.noReason, initiateError.incompatibleConformance)
    // Zero means that the client sets no limit.
    const clientSize = proposed.maxPduSize === 0 ? this.#maxPduSize : proposed.maxPduSize
    if (clientSize < shortestPduSize) return refused(diagnostic.noReason, initiateError.pduSizeTooShort)
    this.#agreed = { conformance, pduSize: Math.min(clientSize, this.#maxPduSize) }
    return {
      apdu: 'aare',
      applicationContextName: dlms.applicationContexts.logicalNames,
      result: 0,
      diagnostic: { source: 'service-user', value: diagnostic.none },
      userInformation: {
        apdu: 'initiate-response',
        dlmsVersion: dlms.dlmsVersion,
        conformance,
        maxPduSize: this.#maxPduSize,
        vaaName: dlms.vaaNameForLogicalNames
      }
    }
  }

  #get(request: dlms.GetRequestNormal, agreed: Agreement): dlms.Apdu {
    this.#long = undefined
    const { invoke } = request
    const selected = request.access !== undefined
    const refusedSelection = selected && !dlms.allows(agreed.conformance, 'selective-access')
    const result = refusedSelection ? { error: dlms.accessResult.scopeOfAccessViolated } : readAttribute(this.#objects, request)
    const whole: dlms.Apdu = { apdu: 'get-response-normal', invoke, result }
    if ('error' in result || dlms.encodeApdu(whole).length <= agreed.pduSize) return whole
    if (!dlms.allows(agreed.conformance, 'block-transfer-with-get-or-read')) {
      return { apdu: 'get-response-normal', invoke, result: { error: dlms.accessResult.otherReason } }
    }
    this.#long = { invoke, blocks: dlms.cutBlocks(dlms.encodeData(result.data), agreed.pduSize), next: 0 }
    return this.#block(this.#long)
  }

  #nextBlock(request: dlms.GetRequestNext): dlms.Apdu {
    const long = this.#long
    const { invoke, block } = request
    const fault = (error: number): dlms.Apdu => {
      this.#long = undefined
      return { apdu: 'get-response-with-datablock', invoke, last: true, block, result: { error } }
    }
    if (long === undefined || (long.invoke & dlms.invokeBits.id) !== (invoke & dlms.invokeBits.id)) {
      return fault(dlms.accessResult.noLongGetInProgress)
    }
    return block === long.next ? this.#block(long) : fault(dlms.accessResult.dataBlockNumberInvalid)
  }

  #block(long: LongGet): dlms.Apdu {
    const raw = long.blocks[long.next] ?? new Uint8Array(0)
    long.next += 1
    const last = long.next >= long.blocks.length
    if (last) this.#long = undefined
    return { apdu: 'get-response-with-datablock', invoke: long.invoke, last, block: long.next, result: { raw } }
  }
}

function refused(value: number, error?: number): dlms.Aare {
  const { service, category } = initiateError
  return {
    apdu: 'aare',
    applicationContextName: dlms.applicationContexts.logicalNames,
    result: resultRejected,
    diagnostic: { source: 'service-user', value },
    ...(error === undefined ? {} : { userInformation: { apdu: 'confirmed-service-error', service, category, value: error } })
  }
}
