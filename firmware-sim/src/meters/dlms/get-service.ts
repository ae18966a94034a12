import { dlms } from '@endeks/gateway/codec'
import { readAttribute, type View } from './cosem-object.js'
import { answerHeader, LongAnswer } from './long-answer.js'

export type GetRequest = Extract<dlms.Apdu, { readonly apdu: 'get-request-normal' | 'get-request-next' | 'get-request-with-list' }>

const { accessResult } = dlms
const resultChoice = 1

/** GET of one association: whole, in blocks, and of many attributes at once (Green Book 9.3.6). */
export class GetService {
  #long: LongAnswer | undefined

  respond(request: GetRequest, view: View): dlms.Apdu {
    if (request.apdu === 'get-request-next') return this.#next(request)
    this.#long = undefined
    return request.apdu === 'get-request-normal' ? this.#one(request, view) : this.#many(request, view)
  }

  #one(request: dlms.GetRequestNormal, view: View): dlms.Apdu {
    const { invoke } = request
    const result = readAttribute(view, request)
    const whole: dlms.Apdu = { apdu: 'get-response-normal', invoke, result }
    if ('error' in result) return whole
    // A block of one value carries the value, not the choice in front of it.
    return this.#sized(whole, invoke, view, answerHeader + resultChoice)
  }

  #many(request: Extract<GetRequest, { readonly apdu: 'get-request-with-list' }>, view: View): dlms.Apdu {
    const { invoke, attributes } = request
    const results = attributes.map((each) => readAttribute(view, each))
    return this.#sized({ apdu: 'get-response-with-list', invoke, results }, invoke, view, answerHeader)
  }

  #sized(whole: dlms.Apdu, invoke: number, view: View, header: number): dlms.Apdu {
    const encoded = dlms.encodeApdu(whole)
    if (encoded.length <= view.room) return whole
    if (!dlms.allows(view.conformance, 'block-transfer-with-get-or-read')) {
      if (encoded.length <= view.most) return whole
      return { apdu: 'get-response-normal', invoke, result: { error: accessResult.otherReason } }
    }
    this.#long = new LongAnswer(invoke, encoded.subarray(header), view.room)
    return this.#block(this.#long)
  }

  #next({ invoke, block }: dlms.GetRequestNext): dlms.Apdu {
    const long = this.#long
    if (long === undefined || !long.belongsTo(invoke)) return this.#abort(invoke, block, accessResult.noLongGetInProgress)
    return block === long.sent ? this.#block(long) : this.#abort(invoke, block, accessResult.dataBlockNumberInvalid)
  }

  #abort(invoke: number, block: number, error: number): dlms.Apdu {
    this.#long = undefined
    return { apdu: 'get-response-with-datablock', invoke, last: true, block, result: { error } }
  }

  #block(long: LongAnswer): dlms.Apdu {
    const { last, block, raw } = long.next()
    if (last) this.#long = undefined
    return { apdu: 'get-response-with-datablock', invoke: long.invoke, last, block, result: { raw } }
  }
}
