import type { DecodeFailure } from '../protocol.js'
import {
  encodeAdu,
  encodeRtu,
  type Frame,
  identificationFunction,
  isWrite,
  matchResponse,
  parseAdu,
  parseAdus,
  parseIdentification,
  parseReadRequest,
  parseRtu,
  rtuResponseSize,
  writeMismatch
} from './codec/index.js'

/** A request on its way. */
export interface Sent extends Frame {
  readonly bytes: Uint8Array
  /** 0 for RTU, which has none */
  readonly transaction: number
}

/** What the bytes that came so far are to a request. */
export type Verdict =
  | { readonly kind: 'answer'; readonly frame: Frame }
  /**
   * `failure`: what came instead so far, if anything did; `heard`: some of it is the unit's answer, damaged or too little;
   * `ended`: nothing better will come once the line is quiet
   */
  | { readonly kind: 'wait'; readonly failure?: DecodeFailure; readonly heard: boolean; readonly ended: boolean }
  /** where the next frame begins can't be known any more */
  | { readonly kind: 'broken'; readonly failure: DecodeFailure }

/** How requests go out and answers are told from what is none, without any line or clock. */
export interface Framing {
  readonly name: 'tcp' | 'rtu'
  send(transaction: number, unit: number, pdu: Uint8Array): Sent
  judge(sent: Sent, bytes: Uint8Array): Verdict
}

export const tcpFraming: Framing = {
  name: 'tcp',
  send: (transaction, unit, pdu) => {
    const bytes = encodeAdu(transaction, unit, pdu)
    return { bytes, transaction, unit, pdu, offset: 0, pduOffset: 7, size: bytes.length }
  },
  judge: judgeTcp
}

export const rtuFraming: Framing = {
  name: 'rtu',
  send: (_transaction, unit, pdu) => {
    const bytes = encodeRtu(unit, pdu)
    return { bytes, transaction: 0, unit, pdu, offset: 0, pduOffset: 1, size: bytes.length }
  },
  judge: judgeRtu
}

function judgeTcp(sent: Sent, bytes: Uint8Array): Verdict {
  let foreign: DecodeFailure | undefined
  let offset = 0
  while (offset < bytes.length) {
    const adu = parseAdu(bytes, offset)
    if (!adu.ok && adu.error.code === 'MODBUS_TRUNCATED') return { kind: 'wait', failure: adu.error, heard: true, ended: false }
    if (!adu.ok) return { kind: 'broken', failure: adu.error }
    if (adu.value.transaction === sent.transaction) {
      const failure = mismatch(sent, adu.value) ?? surplusOf(bytes, offset + adu.value.size)
      return failure === undefined ? { kind: 'answer', frame: adu.value } : { kind: 'broken', failure }
    }
    const message = `transaction ${sent.transaction} was asked and ${adu.value.transaction} answered`
    foreign ??= { code: 'MODBUS_TRANSACTION', message, offset }
    offset += adu.value.size
  }
  return { kind: 'wait', ...(foreign === undefined ? {} : { failure: foreign }), heard: false, ended: false }
}

/**
 * Modbus TCP has no checksum. Where a converter puts bytes in or doubles some, the length of the answer cuts off its end and the values
 * before it are moved: what is left over, and is no frame, shows it.
 *
 * @returns undefined where nothing or whole frames stand from `offset` on
 */
export function surplusOf(bytes: Uint8Array, offset: number): DecodeFailure | undefined {
  if (parseAdus(bytes.subarray(offset)).ok) return undefined
  return { code: 'MODBUS_LENGTH', message: `${bytes.length - offset} bytes came behind the answer, and are no frame`, offset }
}

/**
 * The answer may stand anywhere in what came: behind an echo of the request, the noise of a transmitter that was switched on, or
 * the late answer of another unit. It is known by unit, function, size and CRC together.
 */
function judgeRtu(sent: Sent, bytes: Uint8Array): Verdict {
  let own: DecodeFailure | undefined
  let foreign: DecodeFailure | undefined
  let strange = 0
  let heard = false
  let ended = false
  for (let offset = 0; offset < bytes.length; ) {
    // Whoever sets one coil or register hears the same again, as an answer.
    if (isEcho(sent.bytes, bytes, offset) && !(isWrite(sent.pdu[0]) && bytes.length - offset >= sent.size && sent.pdu.length === 5)) {
      offset += sent.size
      continue
    }
    const size = rtuResponseSize(bytes, offset)
    const frame = size === undefined ? undefined : parseRtu(bytes, offset, size)
    if (frame?.ok === true) {
      const failure = mismatch(sent, frame.value)
      if (failure === undefined) return { kind: 'answer', frame: frame.value }
      // Late, for another question: the answer to this one is still due.
      if (frame.value.unit === sent.unit) own ??= failure
      else foreign ??= failure
      offset += frame.value.size
      continue
    }
    const header = bytes[offset] === sent.unit && ((bytes[offset + 1] ?? 0) & 0x7f) === (sent.pdu[0] ?? 0)
    if (header && frame !== undefined) {
      own ??= frame.error
      heard = true
      ended ||= frame.error.code === 'MODBUS_CRC'
    }
    strange += 1
    offset += 1
  }
  const noise = strange === 0 ? undefined : { code: 'MODBUS_NOISE', message: `${bytes.length} bytes came, and none of them is an answer` }
  const failure = own ?? foreign ?? noise
  return { kind: 'wait', ...(failure === undefined ? {} : { failure }), heard, ended }
}

/** Some converters hand back what they were given to send, whole or, until the rest comes, its beginning. */
function isEcho(request: Uint8Array, bytes: Uint8Array, offset: number): boolean {
  const overlap = Math.min(request.length, bytes.length - offset)
  return Buffer.compare(bytes.subarray(offset, offset + overlap), request.subarray(0, overlap)) === 0
}

/** Why a frame is no answer to this request; undefined when it is one, be it a refusal. */
function mismatch(sent: Sent, frame: Frame): DecodeFailure | undefined {
  if (sent.pdu[0] === identificationFunction) return identificationMismatch(sent, frame)
  if (isWrite(sent.pdu[0])) return writeMismatch(sent, frame)
  const range = parseReadRequest(sent)
  if (!range.ok) return range.error
  const matched = matchResponse(sent, range.value, frame)
  return matched.ok || matched.error.code === 'MODBUS_EXCEPTION' ? undefined : matched.error
}

function identificationMismatch(sent: Sent, frame: Frame): DecodeFailure | undefined {
  if (frame.unit !== sent.unit) {
    return { code: 'MODBUS_UNIT', message: `unit ${sent.unit} was asked and unit ${frame.unit} answered`, offset: frame.pduOffset - 1 }
  }
  if (frame.pdu[0] === (identificationFunction | 0x80) && frame.pdu.length === 2) return undefined
  const parsed = parseIdentification(frame)
  return parsed.ok ? undefined : parsed.error
}
