import type { Apdu } from './apdu.js'
import { BlockAssembler } from './blocks.js'
import { checkInvoke, refusal } from './conversation.js'
import type { DlmsData } from './data-types.js'
import { readData } from './decode-data.js'
import { DlmsFault } from './fault.js'
import { type AttributeReference, dataAccessResults, type GetRequestNext, type GetRequestNormal } from './get.js'
import { ByteReader } from './reader.js'
import { type AttributeTarget, type GetResult, serviceLayouts } from './service-layouts.js'
import type { ServiceApdu } from './services.js'

export type GetRequestWithList = Extract<ServiceApdu, { readonly apdu: 'get-request-with-list' }>

/** Why a meter does not give an attribute. */
export function accessFault({ obis, attribute }: AttributeReference, error: number): DlmsFault {
  const why = dataAccessResults.get(error) ?? `result ${error}`
  return new DlmsFault('DLMS_ACCESS', `the meter does not give attribute ${attribute} of ${obis}: ${why}`)
}

/** The value of a result. @throws {DlmsFault} DLMS_ACCESS with the object's name */
export function valueIn(reference: AttributeReference, result: GetResult): DlmsData {
  if ('error' in result) throw accessFault(reference, result.error)
  return result.data
}

/** One GET, of an attribute or of a list, from its request to its results over as many blocks as it takes. The same for the client and for evidence. */
export class OpenGet {
  readonly request: GetRequestNormal | GetRequestWithList
  readonly targets: readonly AttributeTarget[]
  readonly #blocks = new BlockAssembler()

  constructor(request: GetRequestNormal | GetRequestWithList) {
    this.request = request
    this.targets = request.apdu === 'get-request-normal' ? [request] : request.attributes
  }

  /**
   * @returns a result for each target, or undefined when the next block must be asked for
   * @throws {DlmsFault} DLMS_INVOKE_ID, DLMS_BLOCK, and as `refusal`
   */
  accept(response: Apdu): readonly GetResult[] | undefined {
    const list = this.request.apdu === 'get-request-with-list'
    if (response.apdu === 'get-response-with-datablock') {
      checkInvoke(this.request, response)
      // A block that fails ends the whole GET (Green Book 9.3.6).
      if ('error' in response.result) return this.#all({ error: response.result.error })
      const whole = this.#blocks.add(response.block, response.result.raw, response.last)
      return whole === undefined ? undefined : this.#read(whole, list)
    }
    // Also a list is refused as a whole by a response of the plain kind.
    const plain = response.apdu === 'get-response-normal' && (!list || 'error' in response.result)
    if (!plain && !(list && response.apdu === 'get-response-with-list')) throw refusal('a GET response', response)
    checkInvoke(this.request, response)
    if (this.#blocks.received > 0) throw new DlmsFault('DLMS_BLOCK', 'a whole answer came inside a block transfer')
    return response.apdu === 'get-response-normal' ? this.#all(response.result) : this.#paired(response.results)
  }

  /** Confirms the last block received and asks for the one after it. */
  next(): GetRequestNext {
    return { apdu: 'get-request-next', invoke: this.request.invoke, block: this.#blocks.received }
  }

  #read(whole: Uint8Array, list: boolean): readonly GetResult[] {
    const reader = new ByteReader(whole)
    const results = list ? serviceLayouts['get-results'].read(reader) : [{ data: readData(reader) }]
    reader.finish('the value put together from blocks')
    return this.#paired(results)
  }

  #paired(results: readonly GetResult[]): readonly GetResult[] {
    if (results.length !== this.targets.length)
      throw new DlmsFault('DLMS_VALUE', `${this.targets.length} attributes were asked for, ${results.length} results came`)
    return results
  }

  #all(result: GetResult): readonly GetResult[] {
    return this.targets.map(() => result)
  }
}
