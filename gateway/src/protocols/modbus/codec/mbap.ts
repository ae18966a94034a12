import { failure, type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import type { Frame } from './pdu.js'

/** A frame of Modbus TCP (Modbus Messaging on TCP/IP V1.0b, 3.1.3). */
export interface Adu extends Frame {
  readonly transaction: number
}

const headerLength = 7
/** A PDU is at most 253 bytes (V1.1b3, 4.1); the header's length field counts the unit as well. */
const mostLength = 254

/** The frame that begins at `offset`: its header is checked, its PDU is not. */
export function parseAdu(bytes: Uint8Array, offset: number): Result<Adu, DecodeFailure> {
  if (bytes.length - offset < headerLength + 1) {
    return failure({ code: 'MODBUS_TRUNCATED', message: `a frame has at least 8 bytes, and ${bytes.length - offset} are left`, offset })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const protocol = view.getUint16(offset + 2)
  if (protocol !== 0) {
    return failure({
      code: 'MODBUS_PROTOCOL_ID',
      message: `protocol identifier ${protocol} is not Modbus, which has 0`,
      offset: offset + 2
    })
  }
  const length = view.getUint16(offset + 4)
  if (length < 2 || length > mostLength) {
    return failure({ code: 'MODBUS_LENGTH', message: `length ${length} is outside 2 to ${mostLength}`, offset: offset + 4 })
  }
  const end = offset + 6 + length
  if (end > bytes.length) {
    return failure({
      code: 'MODBUS_TRUNCATED',
      message: `the header promises ${end - offset} bytes, and ${bytes.length - offset} are left`,
      offset
    })
  }
  return success({
    transaction: view.getUint16(offset),
    unit: bytes[offset + 6] ?? 0,
    pdu: bytes.subarray(offset + headerLength, end),
    offset,
    pduOffset: offset + headerLength,
    size: end - offset
  })
}

/** A run of frames, one behind the other, with nothing between or after them. */
export function parseAdus(bytes: Uint8Array): Result<Adu[], DecodeFailure> {
  const adus: Adu[] = []
  let offset = 0
  while (offset < bytes.length) {
    const adu = parseAdu(bytes, offset)
    if (!adu.ok) return adu
    adus.push(adu.value)
    offset += adu.value.size
  }
  return success(adus)
}

export function encodeAdu(transaction: number, unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(headerLength + pdu.length)
  const view = new DataView(frame.buffer)
  view.setUint16(0, transaction)
  view.setUint16(4, pdu.length + 1)
  frame[6] = unit
  frame.set(pdu, headerLength)
  return frame
}
