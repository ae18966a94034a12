import { failure, type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import type { Frame } from './pdu.js'
import { isWrite } from './write.js'

/** Unit, function, CRC (Modbus over Serial Line V1.02, 2.5.1). */
const shortestFrame = 4
/** 2.5.1: the maximum size of a Modbus RTU frame. */
export const longestRtuFrame = 256

const crcTable = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >> 1 : (crc >> 1) ^ 0xa001
  return crc
})

/** One byte more (Modbus over Serial Line V1.02, 6.2.2); a frame begins with 0xFFFF, and one with its CRC behind it ends at 0. */
export function crcStep(crc: number, byte: number): number {
  return (crc >> 8) ^ (crcTable[(crc ^ byte) & 0xff] ?? 0)
}

export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff
  for (const byte of bytes) crc = crcStep(crc, byte)
  return crc
}

/** The CRC goes out low byte first. */
export function encodeRtu(unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(pdu.length + 3)
  frame[0] = unit
  frame.set(pdu, 1)
  const crc = crc16(frame.subarray(0, -2))
  frame[frame.length - 2] = crc & 0xff
  frame[frame.length - 1] = crc >> 8
  return frame
}

/** The frame of `size` bytes at `offset`, its CRC checked. */
export function parseRtu(bytes: Uint8Array, offset: number, size: number): Result<Frame, DecodeFailure> {
  const left = bytes.length - offset
  if (left < size || size < shortestFrame) {
    return failure({ code: 'MODBUS_TRUNCATED', message: `a frame of ${Math.max(size, shortestFrame)} bytes, and ${left} are left`, offset })
  }
  const frame = bytes.subarray(offset, offset + size)
  const sent = (frame[size - 2] ?? 0) | ((frame[size - 1] ?? 0) << 8)
  const counted = crc16(frame.subarray(0, -2))
  if (sent !== counted) {
    return failure({
      code: 'MODBUS_CRC',
      message: `the CRC is 0x${hex4(sent)} and the ${size - 2} bytes before it have 0x${hex4(counted)}`,
      offset: offset + size - 2
    })
  }
  return success({ unit: frame[0] ?? 0, pdu: frame.subarray(1, -2), offset, pduOffset: offset + 1, size })
}

/**
 * What a request's first bytes say of its size: undefined for functions that this codec never sends; a size beyond the bytes
 * that are there when more must come first.
 */
export function rtuRequestSize(bytes: Uint8Array, offset: number): number | undefined {
  const code = bytes[offset + 1] ?? 0
  if (code >= 1 && code <= 6) return 8
  if (code === 0x10) return 9 + (bytes[offset + 6] ?? 2)
  if (code === 0x2b) return 7
  return code === 0x11 ? 4 : undefined
}

/**
 * What an answer's first bytes say of its size.
 *
 * @returns undefined for a function that this codec never asks; a size beyond the bytes that are there when more must come first
 */
export function rtuResponseSize(bytes: Uint8Array, offset: number): number | undefined {
  const code = bytes[offset + 1]
  if (code === undefined) return shortestFrame
  if ((code & 0x80) !== 0) return 5
  if (isWrite(code)) return 8
  if ((code >= 1 && code <= 4) || code === 0x11) return 5 + (bytes[offset + 2] ?? 0)
  return code === 0x2b ? identificationSize(bytes, offset) : undefined
}

/** Read Device Identification says the length of each object before it (Modbus Application Protocol V1.1b3, 6.21). */
function identificationSize(bytes: Uint8Array, offset: number): number {
  const objects = bytes[offset + 7] ?? 0
  let size = 8
  for (let index = 0; index < objects; index += 1) size += 2 + (bytes[offset + size + 1] ?? 0)
  return size + 2
}

function hex4(value: number): string {
  return value.toString(16).padStart(4, '0')
}
