import { failure, type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { identificationFunction, identificationNames, parseIdentification } from './identification.js'
import { type Adu, parseAdu } from './mbap.js'
import { exceptionNames, type Frame, parseReadRequest, parseReadResponse, readsBits, word } from './pdu.js'
import { longestRtuFrame, parseRtu } from './rtu.js'

type Description = Readonly<Record<string, unknown>>

/**
 * One frame for a person. With the CRC right at its end it is RTU, with the header of Modbus TCP it is that; whichever side sent
 * it shows in the lengths.
 */
export function describeFrame(bytes: Uint8Array): Result<Description, DecodeFailure> {
  const rtu: Result<Frame, DecodeFailure> =
    bytes.length > longestRtuFrame
      ? failure({ code: 'MODBUS_LENGTH', message: `an RTU frame has at most ${longestRtuFrame} bytes`, offset: longestRtuFrame })
      : parseRtu(bytes, 0, bytes.length)
  if (rtu.ok) return describePdu(rtu.value, { framing: 'rtu', unit: rtu.value.unit })
  const adu = parseAdu(bytes, 0)
  if (adu.ok) return describeAdu(adu.value, bytes.length)
  // Without the zeros of a header it never was Modbus TCP: then the CRC is what is wrong.
  return adu.error.code === 'MODBUS_PROTOCOL_ID' ? rtu : adu
}

function describeAdu(adu: Adu, length: number): Result<Description, DecodeFailure> {
  if (adu.size !== length) {
    return failure({ code: 'MODBUS_LENGTH', message: `${length - adu.size} bytes follow the frame`, offset: adu.size })
  }
  return describePdu(adu, { framing: 'tcp', transaction: adu.transaction, unit: adu.unit })
}

function describePdu(frame: Frame, frameHead: Description): Result<Description, DecodeFailure> {
  const { pdu } = frame
  const code = pdu[0] ?? 0
  const head = { ...frameHead, function: code & 0x7f }
  if ((code & 0x80) !== 0 && pdu.length === 2) {
    const exception = pdu[1] ?? 0
    return success({ ...head, kind: 'exception', exception, meaning: exceptionNames[exception] ?? 'unknown' })
  }
  if (code === identificationFunction) return describeIdentification(frame, head)
  const response = parseReadResponse(frame)
  if (pdu.length === 5) {
    const request = parseReadRequest(frame)
    // Three bytes of inputs have the length of a request; where both can be meant it is said.
    const also = request.ok && response.ok ? { orResponse: hex(response.value.data) } : {}
    if (request.ok) return success({ ...head, kind: 'request', address: request.value.address, count: request.value.count, ...also })
    if (!response.ok) return request
  }
  if (!response.ok) return response
  const { data } = response.value
  if (readsBits(response.value.function)) {
    return success({ ...head, kind: 'response', inputs: Array.from({ length: data.length * 8 }, (_, bit) => inputOf(data, bit)) })
  }
  const registers = Array.from({ length: data.length / 2 }, (_, index) =>
    word(data, index * 2)
      .toString(16)
      .padStart(4, '0')
  )
  return success({ ...head, kind: 'response', registers })
}

function describeIdentification(frame: Frame, head: Description): Result<Description, DecodeFailure> {
  if (frame.pdu.length === 4) {
    return success({ ...head, kind: 'request', service: 'read device identification', object: frame.pdu[3] })
  }
  const parsed = parseIdentification(frame)
  if (!parsed.ok) return parsed
  const objects = parsed.value.objects.map(({ id, text }) => [identificationNames[id] ?? `object ${id}`, text])
  return success({ ...head, kind: 'response', service: 'read device identification', ...Object.fromEntries(objects) })
}

function inputOf(data: Uint8Array, bit: number): number {
  return ((data[bit >> 3] ?? 0) >> (bit & 7)) & 1
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
