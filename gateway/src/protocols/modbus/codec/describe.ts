import { failure, type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { exceptionNames, parseAdu, parseReadRequest, parseReadResponse } from './mbap.js'

/**
 * One frame for a person. A request has five bytes after the unit and an answer never does, because its byte count is even:
 * the two can be told apart without knowing which side sent it.
 */
export function describeFrame(frame: Uint8Array): Result<Readonly<Record<string, unknown>>, DecodeFailure> {
  const adu = parseAdu(frame, 0)
  if (!adu.ok) return adu
  const { transaction, unit, pdu } = adu.value
  if (pdu.length + 7 !== frame.length) {
    return failure({ code: 'MODBUS_LENGTH', message: `${frame.length - pdu.length - 7} bytes follow the frame`, offset: pdu.length + 7 })
  }
  const head = { transaction, unit, function: (pdu[0] ?? 0) & 0x7f }
  if (((pdu[0] ?? 0) & 0x80) !== 0 && pdu.length === 2) {
    const exception = pdu[1] ?? 0
    return success({ ...head, kind: 'exception', exception, meaning: exceptionNames[exception] ?? 'unknown' })
  }
  if (pdu.length === 5) {
    const request = parseReadRequest(adu.value)
    return request.ok ? success({ ...head, kind: 'request', address: request.value.address, count: request.value.count }) : request
  }
  const response = parseReadResponse(adu.value)
  if (!response.ok) return response
  const registers = response.value.registers.map((word) => word.toString(16).padStart(4, '0'))
  return success({ ...head, kind: 'response', registers })
}
