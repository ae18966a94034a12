import { failure, type Result, success } from '@endeks/domain/result'
import type { DecodeFailure, Exchange } from '../../protocol.js'
import { type Adu, parseAdus } from './mbap.js'
import type { Frame } from './pdu.js'
import { parseRtu, rtuRequestSize, rtuResponseSize } from './rtu.js'

export interface Question {
  readonly request: Frame
  readonly answer: Result<Frame, DecodeFailure>
}

export interface Conversation {
  readonly questions: readonly Question[]
  /** an answer to nothing that was asked; the ones before it say more, so it is looked at last */
  readonly unasked: DecodeFailure | undefined
}

/**
 * Requests with their answers. The requests are our own and intact, so they tell the framing: with a right CRC on each they went
 * out as RTU (three frames of Modbus TCP would have to meet three CRCs to look alike), otherwise as Modbus TCP. There answers
 * are matched by transaction identifier; RTU has none, and they came in the order of the requests.
 */
export function conversationOf(exchange: Pick<Exchange, 'request' | 'response'>): Result<Conversation, DecodeFailure> {
  if (exchange.request.length === 0) return failure({ code: 'MODBUS_TRUNCATED', message: 'request: nothing was asked' })
  const rtu = parseRtuRun(exchange.request, rtuRequestSize)
  if (rtu.ok) return rtuConversation(rtu.value, exchange.response)
  const requests = parseAdus(exchange.request)
  if (requests.ok) return tcpConversation(requests.value, exchange.response)
  // Our own request can't be damaged on the way, but what was kept of it can: without the zeros of a header it was RTU.
  const closer = requests.error.code === 'MODBUS_PROTOCOL_ID' ? rtu.error : requests.error
  return failure({ ...closer, message: `request: ${closer.message}` })
}

function tcpConversation(requests: readonly Adu[], bytes: Uint8Array): Result<Conversation, DecodeFailure> {
  const responses = parseAdus(bytes)
  if (!responses.ok) return responses
  const waiting = [...responses.value]
  const questions = requests.map((request): Question => {
    const place = waiting.findIndex((each) => each.transaction === request.transaction)
    const answer = place === -1 ? undefined : waiting.splice(place, 1)[0]
    return { request, answer: answer === undefined ? unanswered(`request ${request.transaction}`, bytes) : success(answer) }
  })
  const extra = waiting[0]
  const unasked = extra === undefined ? undefined : unaskedAt(extra.offset, `answer ${extra.transaction} belongs to no request`)
  return success({ questions, unasked })
}

function rtuConversation(requests: readonly Frame[], bytes: Uint8Array): Result<Conversation, DecodeFailure> {
  const responses = parseRtuRun(bytes, rtuResponseSize)
  if (!responses.ok) return responses
  const questions = requests.map((request, index): Question => {
    const answer = responses.value[index]
    return { request, answer: answer === undefined ? unanswered(`request ${index + 1}`, bytes) : success(answer) }
  })
  const extra = responses.value[requests.length]
  const unasked = extra === undefined ? undefined : unaskedAt(extra.offset, `${requests.length} requests have more answers than that`)
  return success({ questions, unasked })
}

function unanswered(request: string, bytes: Uint8Array): Result<never, DecodeFailure> {
  return failure({ code: 'MODBUS_TRANSACTION', message: `${request} has no answer`, offset: bytes.length })
}

function unaskedAt(offset: number, message: string): DecodeFailure {
  return { code: 'MODBUS_TRANSACTION', message, offset }
}

function parseRtuRun(bytes: Uint8Array, sizeOf: (bytes: Uint8Array, offset: number) => number | undefined): Result<Frame[], DecodeFailure> {
  const frames: Frame[] = []
  let offset = 0
  while (offset < bytes.length) {
    const size = sizeOf(bytes, offset)
    if (size === undefined) {
      return failure({
        code: 'MODBUS_FUNCTION',
        message: `function ${bytes[offset + 1] ?? '-'} is none that reads meters`,
        offset: offset + 1
      })
    }
    const frame = parseRtu(bytes, offset, size)
    if (!frame.ok) return frame
    frames.push(frame.value)
    offset += size
  }
  return success(frames)
}
