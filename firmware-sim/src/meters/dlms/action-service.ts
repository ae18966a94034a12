import { dlms } from '@endeks/gateway/codec'
import { invokeMethod, type View } from './cosem-object.js'
import { answerHeader, LongAnswer } from './long-answer.js'
import { LongRequest } from './long-request.js'

type Named<Name extends dlms.Apdu['apdu']> = Extract<dlms.Apdu, { readonly apdu: Name }>
type Whole = Named<'action-request-normal' | 'action-request-with-list'>
type First = Named<'action-request-with-first-pblock' | 'action-request-with-list-and-first-pblock'>
type Further = Named<'action-request-with-pblock'>
type Next = Named<'action-request-next-pblock'>
export type ActionRequest = Whole | First | Further | Next

const { accessResult } = dlms
/** Values of Action-Result (Green Book 9.5) that Data-Access-Result does not have, or has for a GET. */
const longAction = { aborted: 15, noneInProgress: 16 } as const
const nothing: dlms.DlmsData = { type: 'null-data' }

/** ACTION of one association: whole, in blocks either way, and of many methods at once (Green Book 9.3.8). */
export class ActionService {
  #request: LongRequest<Whole> | undefined
  #answer: LongAnswer | undefined

  respond(request: ActionRequest, view: View): dlms.Apdu {
    const { invoke } = request
    if (request.apdu === 'action-request-next-pblock') return this.#next(request)
    if (request.apdu === 'action-request-with-pblock') return this.#further(request, view)
    this.#answer = undefined
    this.#request = undefined
    if (request.apdu === 'action-request-normal' || request.apdu === 'action-request-with-list') return this.#perform(request, view)
    this.#request = opened(request)
    return this.#add(this.#request, request.piece, { invoke, view })
  }

  #perform(request: Whole, view: View): dlms.Apdu {
    const { invoke } = request
    const whole: dlms.Apdu =
      request.apdu === 'action-request-normal'
        ? { apdu: 'action-response-normal', invoke, response: invokeMethod(view, request.method, request.parameters) }
        : {
            apdu: 'action-response-with-list',
            invoke,
            responses: request.methods.map((method, index) => invokeMethod(view, method, request.values[index]))
          }
    const encoded = dlms.encodeApdu(whole)
    if (encoded.length <= view.room) return whole
    if (!dlms.allows(view.conformance, 'block-transfer-with-action')) {
      return encoded.length <= view.most ? whole : failed(invoke, accessResult.otherReason)
    }
    this.#answer = new LongAnswer(invoke, encoded.subarray(answerHeader), view.room)
    return this.#block(this.#answer)
  }

  #block(answer: LongAnswer): dlms.Apdu {
    const piece = answer.next()
    if (piece.last) this.#answer = undefined
    return { apdu: 'action-response-with-pblock', invoke: answer.invoke, piece }
  }

  #next({ invoke, block }: Next): dlms.Apdu {
    const answer = this.#answer
    const here = answer?.belongsTo(invoke) === true
    if (answer !== undefined && here && block === answer.sent) return this.#block(answer)
    this.#answer = undefined
    return failed(invoke, here ? longAction.aborted : longAction.noneInProgress)
  }

  #further({ invoke, piece }: Further, view: View): dlms.Apdu {
    const request = this.#request
    if (request === undefined || !request.belongsTo(invoke)) {
      this.#request = undefined
      return failed(invoke, longAction.noneInProgress)
    }
    return this.#add(request, piece, { invoke, view })
  }

  #add(request: LongRequest<Whole>, piece: dlms.Piece, { invoke, view }: { readonly invoke: number; readonly view: View }): dlms.Apdu {
    const whole = dlms.guarded(() => request.add(piece))
    if (whole.ok && whole.value === 'more') return { apdu: 'action-response-next-pblock', invoke, block: piece.block }
    this.#request = undefined
    if (!whole.ok || whole.value === 'more') return failed(invoke, longAction.aborted)
    return whole.value === undefined ? failed(invoke, accessResult.typeUnmatched) : this.#perform(whole.value, view)
  }
}

function failed(invoke: number, result: number): dlms.Apdu {
  return { apdu: 'action-response-normal', invoke, response: { result } }
}

function opened(first: First): LongRequest<Whole> {
  const { invoke } = first
  if (first.apdu === 'action-request-with-first-pblock') {
    return new LongRequest(invoke, { apdu: 'action-request-normal', invoke, method: first.method, parameters: nothing }, undefined)
  }
  const { methods } = first
  const values = methods.map(() => nothing)
  return new LongRequest(invoke, { apdu: 'action-request-with-list', invoke, methods, values }, values.length)
}
