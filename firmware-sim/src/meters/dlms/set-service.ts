import { dlms } from '@endeks/gateway/codec'
import { type View, writeAttribute } from './cosem-object.js'
import { LongRequest } from './long-request.js'

type Named<Name extends dlms.Apdu['apdu']> = Extract<dlms.Apdu, { readonly apdu: Name }>
type Whole = Named<'set-request-normal' | 'set-request-with-list'>
type First = Named<'set-request-with-first-datablock' | 'set-request-with-list-and-first-datablock'>
type Further = Named<'set-request-with-datablock'>
export type SetRequest = Whole | First | Further

const { accessResult } = dlms
const noLongSetInProgress = 18
const nothing: dlms.DlmsData = { type: 'null-data' }

/** SET of one association: whole, in blocks, and of many attributes at once (Green Book 9.3.7). */
export class SetService {
  #long: LongRequest<Whole> | undefined

  respond(request: SetRequest, view: View): dlms.Apdu {
    if (request.apdu === 'set-request-with-datablock') return this.#further(request, view)
    this.#long = undefined
    if (request.apdu === 'set-request-normal' || request.apdu === 'set-request-with-list') {
      const { invoke } = request
      const results = write(request, view)
      if (request.apdu === 'set-request-with-list') return { apdu: 'set-response-with-list', invoke, results }
      return { apdu: 'set-response-normal', invoke, result: results[0] ?? accessResult.otherReason }
    }
    this.#long = opened(request)
    return this.#add(this.#long, request.piece, view)
  }

  #further({ invoke, piece }: Further, view: View): dlms.Apdu {
    const long = this.#long
    if (long === undefined || !long.belongsTo(invoke)) return this.#abort(invoke, piece.block, noLongSetInProgress)
    return this.#add(long, piece, view)
  }

  #add(long: LongRequest<Whole>, piece: dlms.Piece, view: View): dlms.Apdu {
    const { invoke } = long
    const { block } = piece
    const whole = dlms.guarded(() => long.add(piece))
    if (!whole.ok) return this.#abort(invoke, block, accessResult.dataBlockNumberInvalid)
    if (whole.value === undefined) return this.#abort(invoke, block, accessResult.typeUnmatched)
    if (whole.value === 'more') return { apdu: 'set-response-datablock', invoke, block }
    this.#long = undefined
    const results = write(whole.value, view)
    if (whole.value.apdu === 'set-request-with-list') return { apdu: 'set-response-last-datablock-with-list', invoke, results, block }
    return { apdu: 'set-response-last-datablock', invoke, result: results[0] ?? accessResult.otherReason, block }
  }

  #abort(invoke: number, block: number, result: number): dlms.Apdu {
    this.#long = undefined
    return { apdu: 'set-response-last-datablock', invoke, result, block }
  }
}

function opened(first: First): LongRequest<Whole> {
  const { invoke } = first
  if (first.apdu === 'set-request-with-first-datablock') {
    return new LongRequest(invoke, { apdu: 'set-request-normal', invoke, attribute: first.attribute, value: nothing }, undefined)
  }
  const { attributes } = first
  const values = attributes.map(() => nothing)
  return new LongRequest(invoke, { apdu: 'set-request-with-list', invoke, attributes, values }, values.length)
}

/** Attribute by attribute, in the order of the list: one that is refused does not hold up the others. */
function write(request: Whole, view: View): number[] {
  if (request.apdu === 'set-request-normal') return [writeAttribute(view, request.attribute, request.value)]
  return request.attributes.map((attribute, index) => writeAttribute(view, attribute, request.values[index] ?? nothing))
}
