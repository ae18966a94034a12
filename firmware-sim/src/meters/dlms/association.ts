import { dlms } from '@endeks/gateway/codec'
import { type ActionRequest, ActionService } from './action-service.js'
import type { AssociationDefinition } from './associations-of.js'
import { type Envelope, isCiphered, type Opened, protectionOverhead } from './ciphering.js'
import { type CosemObject, type View, visibleTo } from './cosem-object.js'
import type { MeterDevice } from './device.js'
import { type Agreement, establish, initiateResponse, sealInformation } from './establish.js'
import { type GetRequest, GetService } from './get-service.js'
import {
  associationClass,
  associationObjects,
  type CurrentAssociation,
  currentAssociationName,
  replyToHlsMethod
} from './objects/association-object.js'
import { securitySetupObject } from './objects/security-setup.js'
import { type SetRequest, SetService } from './set-service.js'
import { otherReason, typeUnmatched } from './values.js'

const exception = (stateError: number, serviceError: number) => ({ apdu: 'exception-response', stateError, serviceError }) as const
/** State error 1 is service-not-allowed, 2 service-unknown (Green Book 9.5, ExceptionResponse). */
const exceptions = {
  notAllowed: exception(1, 1),
  notGranted: exception(1, 2),
  other: exception(1, 3),
  tooLong: exception(1, 4),
  deciphering: exception(1, 5),
  unknown: exception(2, 2)
} as const
const invocationCounterError = 6

type ServiceRequest = GetRequest | SetRequest | ActionRequest

/** What an association has to agree on before a service is answered, by the beginning of its name. */
const servicesByName = [
  { begins: 'get-request', needs: 'get' },
  { begins: 'set-request', needs: 'set' },
  { begins: 'action-request', needs: 'action' }
] as const satisfies readonly { readonly begins: string; readonly needs: dlms.ConformanceBit }[]

function isService(apdu: dlms.Apdu): apdu is ServiceRequest {
  return servicesByName.some((each) => apdu.apdu.startsWith(each.begins))
}

export interface AssociationHost {
  readonly device: MeterDevice
  /** the meter's objects, without those of associations */
  readonly objects: readonly CosemObject[]
  readonly client: number
  readonly server: number
  readonly random: (size: number) => Uint8Array
}

/** One logical device as one client sees it on one connection: request in, response out, no socket. */
export class MeterAssociation {
  readonly #host: AssociationHost
  readonly #definition: AssociationDefinition | undefined
  readonly #objects: readonly CosemObject[]
  #agreed: Agreement | undefined
  #pending = false
  /** the message being answered: an answer to a challenge is judged by the counter before it */
  #opened: Opened | undefined
  #get = new GetService()
  #set = new SetService()
  #action = new ActionService()

  constructor(host: AssociationHost) {
    this.#host = host
    const { device, client } = host
    this.#definition = device.associations.find((each) => each.client === undefined || each.client === client)
    this.#objects = this.#definition === undefined ? [] : this.#objectsFor(this.#definition)
  }

  /**
   * What a meter answers to these bytes. Bytes that are no APDU get an exception-response, as from a real one.
   *
   * @returns undefined where the standard says nothing is answered
   */
  answer(bytes: Uint8Array): Uint8Array | undefined {
    const request = dlms.decodeApdu(bytes)
    const { device } = this.#host
    const answered = dlms.guarded(() => device.answering(() => this.#answer(request.ok ? request.value : undefined, bytes.length)))
    return answered.ok ? answered.value : dlms.encodeApdu(exceptions.other)
  }

  #answer(request: dlms.Apdu | undefined, size: number): Uint8Array | undefined {
    const response = request === undefined ? exceptions.unknown : this.#respond(request, size)
    return response === undefined ? undefined : dlms.encodeApdu(response)
  }

  #respond(request: dlms.Apdu, size: number): dlms.Apdu | undefined {
    this.#opened = undefined
    if (request.apdu === 'aarq') return this.#associate(request)
    if (request.apdu === 'rlrq') return this.#release(request)
    const agreed = this.#agreed
    if (agreed === undefined) return exceptions.notAllowed
    // Clients cut their blocks before they cipher them: what protects an APDU does not count.
    const room = this.#host.device.maxPduSize + (isCiphered(request) ? protectionOverhead : 0)
    if (size > room) return exceptions.tooLong
    if (!isCiphered(request)) {
      // What the policy wants closed is not taken open.
      if (agreed.ciphering !== undefined && agreed.ciphering.required !== 'none') return exceptions.notAllowed
      return this.#serve(request, agreed)
    }
    const opened = this.#open(request, agreed)
    if (!('envelope' in opened)) return opened
    this.#opened = opened
    const response = this.#serve(opened.apdu, agreed)
    return response === undefined ? undefined : sealed(response, agreed, opened.envelope)
  }

  #associate(request: dlms.Aarq): dlms.Apdu | undefined {
    this.#close()
    const { device, random } = this.#host
    device.beginReadout()
    const { aare, agreement } = establish(request, { device, definition: this.#definition, random })
    this.#agreed = agreement
    this.#pending = agreement?.challenges !== undefined
    return agreement?.silent === true ? undefined : aare
  }

  /** A release that is closed is opened first: one that does not open comes from somebody else, and is passed over (Green Book 9.4.4). */
  #release(request: dlms.Rlrq): dlms.Apdu | undefined {
    const agreed = this.#agreed
    const information = request.userInformation
    if (agreed?.ciphering === undefined || information?.apdu !== 'opaque') {
      this.#close()
      return { apdu: 'rlre', reason: 0 }
    }
    const closed = dlms.decodeApdu(information.bytes)
    const opened = closed.ok && isCiphered(closed.value) ? this.#open(closed.value, agreed) : exceptions.deciphering
    if (!('envelope' in opened)) return undefined
    this.#close()
    const response = initiateResponse(this.#host.device, agreed.conformance)
    return { apdu: 'rlre', reason: 0, userInformation: sealInformation(response, agreed.ciphering, opened.envelope) }
  }

  #close(): void {
    this.#agreed = undefined
    this.#pending = false
    this.#get = new GetService()
    this.#set = new SetService()
    this.#action = new ActionService()
  }

  #open(request: dlms.CipheredApdu, agreed: Agreement): Opened | dlms.ExceptionResponse {
    const { ciphering, conformance } = agreed
    if (ciphering === undefined) return exceptions.deciphering
    const general = request.apdu === 'general-glo-ciphering' || request.apdu === 'general-ded-ciphering'
    if (general && !dlms.allows(conformance, 'general-protection')) return exceptions.notGranted
    const opened = dlms.guarded(() => ciphering.open(request))
    if (opened.ok) return opened.value
    const { code } = opened.error
    if (code === 'DLMS_COUNTER') {
      const invocationCounter = Math.min(ciphering.due(request), dlms.maxInvocationCounter)
      return { ...exceptions.notAllowed, serviceError: invocationCounterError, invocationCounter }
    }
    if (code === 'DLMS_SECURITY_LEVEL') return exceptions.notAllowed
    return code === 'DLMS_DECIPHERED' || code === 'DLMS_UNEXPECTED' ? exceptions.unknown : exceptions.deciphering
  }

  #serve(request: dlms.Apdu, agreed: Agreement): dlms.Apdu | undefined {
    if (!isService(request)) return exceptions.unknown
    if (this.#pending && !isReplyToHls(request)) return exceptions.notAllowed
    if (!isReplyToHls(request) && !granted(request, agreed.conformance)) return exceptions.notGranted
    const response = this.#perform(request, this.#view(agreed))
    // SET and ACTION that are not to be confirmed are done in silence; a GET is always confirmed.
    const silent = (request.invoke & dlms.invokeBits.confirmed) === 0 && !request.apdu.startsWith('get-request')
    return silent ? undefined : response
  }

  #perform(request: ServiceRequest, view: View): dlms.Apdu {
    switch (request.apdu) {
      case 'get-request-normal':
      case 'get-request-next':
      case 'get-request-with-list':
        return this.#get.respond(request, view)
      case 'set-request-normal':
      case 'set-request-with-list':
      case 'set-request-with-first-datablock':
      case 'set-request-with-datablock':
      case 'set-request-with-list-and-first-datablock':
        return this.#set.respond(request, view)
      default:
        return this.#action.respond(request, view)
    }
  }

  #view({ conformance, clientSize, ciphering }: Agreement): View {
    const { ailment, maxPduSize } = this.#host.device
    const behindProtection = (size: number) => Math.max(1, size - (ciphering === undefined ? 0 : protectionOverhead))
    return {
      objects: this.#objects,
      rights: this.#definition?.rights ?? 'identify',
      conformance,
      room: behindProtection(Math.min(clientSize, maxPduSize)),
      most: behindProtection(clientSize),
      applicationError: ailment.applicationError
    }
  }

  #objectsFor(definition: AssociationDefinition): readonly CosemObject[] {
    const { device, client, server, objects } = this.#host
    const current: CurrentAssociation = {
      definition,
      client,
      server,
      status: () => (this.#pending ? 1 : 2),
      agreed: () => this.#agreed,
      clientTitle: () => this.#agreed?.clientTitle,
      replyToHls: (parameters) => this.#replyToHls(parameters)
    }
    const security = device.keys === undefined ? [] : [securitySetupObject(device, current)]
    const all: readonly CosemObject[] = [...associationObjects(device, current, () => all), ...objects, ...security]
    return visibleTo(all, definition.rights)
  }

  /** Passes 3 and 4 of HLS-5 (Green Book 9.2.7.4): f(StoC) is judged, f(CtoS) goes back. */
  #replyToHls(parameters: dlms.DlmsData | undefined): dlms.ActionResult {
    const { device } = this.#host
    const { challenges, clientTitle } = this.#agreed ?? {}
    const { keys, counters } = device
    if (!this.#pending || challenges === undefined || clientTitle === undefined || keys?.global === undefined) return otherReason
    if (parameters?.type !== 'octet-string') return typeUnmatched
    const shared = { encryptionKey: keys.global, authenticationKey: keys.authentication }
    const peer = { ...shared, systemTitle: clientTitle }
    const least = this.#opened?.envelope.key === 'global' ? this.#opened.leastBefore : counters.nextToReceive
    const exchange = { challenge: challenges.own, reply: parameters.value, least }
    const judged = dlms.guarded(() => dlms.checkGmacReply(peer, exchange))
    const invocationCounter = counters.nextToSend
    const own = { ...shared, systemTitle: device.title, invocationCounter }
    const reply = dlms.guarded(() => dlms.gmacReply(own, challenges.client, challenges.own))
    if (!judged.ok || !reply.ok) {
      // Who does not know the key is not asked twice: the association is gone with this answer.
      this.#pending = false
      this.#agreed = undefined
      return { result: dlms.accessResult.readWriteDenied }
    }
    counters.receiveFrom(judged.value + 1)
    this.#pending = false
    counters.sendFrom(invocationCounter + 1)
    return { result: 0, returned: { data: { type: 'octet-string', value: reply.value } } }
  }
}

/** An exception-response has no ciphered form of its own, and says nothing that is secret. */
function sealed(response: dlms.Apdu, { ciphering }: Agreement, envelope: Envelope): dlms.Apdu {
  return ciphering === undefined || response.apdu === 'exception-response' ? response : ciphering.seal(response, envelope)
}

function isReplyToHls(request: ServiceRequest): boolean {
  if (request.apdu !== 'action-request-normal') return false
  const { class: objectClass, obis, method } = request.method
  return objectClass === associationClass && obis === currentAssociationName && method === replyToHlsMethod
}

/** Further blocks of what was granted when it began are granted. */
function granted(request: ServiceRequest, conformance: number): boolean {
  const service = servicesByName.find((each) => request.apdu.startsWith(each.begins))
  if (service === undefined || !dlms.allows(conformance, service.needs)) return false
  if (request.apdu.includes('with-list') && !dlms.allows(conformance, 'multiple-references')) return false
  if (!/first-(datablock|pblock)$/.test(request.apdu)) return true
  return dlms.allows(conformance, service.needs === 'set' ? 'block-transfer-with-set-or-write' : 'block-transfer-with-action')
}
