import { failure, type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'

/** The two functions that read 16-bit registers: holding (3) and input (4) (Modbus Application Protocol V1.1b3, 6.3 and 6.4). */
export const readFunctions = [3, 4] as const
export type ReadFunction = (typeof readFunctions)[number]

/** The most registers that one answer can hold (6.3: quantity 1 to 125). */
export const mostRegisters = 125

/** A request or response with its header (Modbus Messaging on TCP/IP V1.0b, 3.1.3), and where in the bytes it stood. */
export interface Adu {
  readonly transaction: number
  readonly unit: number
  /** function code and data */
  readonly pdu: Uint8Array
  /** of the header's first byte */
  readonly offset: number
}

export interface RegisterRange {
  readonly function: ReadFunction
  readonly address: number
  readonly count: number
}

const headerLength = 7
/** A PDU is at most 253 bytes (V1.1b3, 4.1); the header's length field counts the unit as well. */
const mostLength = 254

export const exceptionNames: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'server device failure',
  5: 'acknowledge',
  6: 'server device busy',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'gateway target device failed to respond'
}

/** The unit one frame begins at `offset`: its header is checked, its PDU is not. */
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
    offset
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
    offset += headerLength + adu.value.pdu.length
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

export function encodeReadRequest(range: RegisterRange): Uint8Array {
  const pdu = new Uint8Array(5)
  const view = new DataView(pdu.buffer)
  pdu[0] = range.function
  view.setUint16(1, range.address)
  view.setUint16(3, range.count)
  return pdu
}

export function encodeReadResponse(code: ReadFunction, registers: readonly number[]): Uint8Array {
  const pdu = new Uint8Array(2 + registers.length * 2)
  const view = new DataView(pdu.buffer)
  pdu[0] = code
  pdu[1] = registers.length * 2
  for (const [index, register] of registers.entries()) view.setUint16(2 + index * 2, register)
  return pdu
}

export function encodeException(code: number, exception: number): Uint8Array {
  return Uint8Array.of(code | 0x80, exception)
}

/** Which registers a request asks for; a failure for every other function and for ranges that no server may answer. */
export function parseReadRequest(adu: Adu): Result<RegisterRange, DecodeFailure> {
  const { pdu } = adu
  const at = adu.offset + headerLength
  const code = readFunctions.find((each) => each === pdu[0])
  if (code === undefined) {
    return failure({ code: 'MODBUS_FUNCTION', message: `function ${pdu[0] ?? '-'} does not read registers`, offset: at })
  }
  if (pdu.length !== 5) {
    return failure({ code: 'MODBUS_LENGTH', message: `a read request has 5 bytes after the unit, not ${pdu.length}`, offset: at })
  }
  const address = word(pdu, 1)
  const count = word(pdu, 3)
  if (count < 1 || count > mostRegisters || address + count > 65_536) {
    return failure({ code: 'MODBUS_RANGE', message: `${count} registers from ${address} cannot be read in one request`, offset: at + 1 })
  }
  return success({ function: code, address, count })
}

/** The registers of an answer; MODBUS_EXCEPTION when the device refused. */
export function parseReadResponse(adu: Adu): Result<{ function: ReadFunction; registers: number[]; offset: number }, DecodeFailure> {
  const { pdu } = adu
  const at = adu.offset + headerLength
  const first = pdu[0] ?? 0
  if ((first & 0x80) !== 0) return refused(pdu, at)
  const code = readFunctions.find((each) => each === first)
  if (code === undefined) return failure({ code: 'MODBUS_FUNCTION', message: `function ${first} does not read registers`, offset: at })
  const size = pdu[1] ?? 0
  if (pdu.length < 2 || size !== pdu.length - 2 || size % 2 !== 0 || size === 0) {
    return failure({
      code: 'MODBUS_BYTE_COUNT',
      message: `byte count ${size} does not fit the ${Math.max(pdu.length - 2, 0)} bytes that follow`,
      offset: at + 1
    })
  }
  const registers: number[] = []
  for (let index = 2; index < pdu.length; index += 2) registers.push(word(pdu, index))
  return success({ function: code, registers, offset: at + 2 })
}

function refused(pdu: Uint8Array, offset: number): { ok: false; error: DecodeFailure } {
  const exception = pdu[1]
  if (exception === undefined || pdu.length !== 2) {
    return failure({ code: 'MODBUS_LENGTH', message: `an exception has 2 bytes after the unit, not ${pdu.length}`, offset })
  }
  const name = exceptionNames[exception] ?? 'unknown'
  return failure({
    code: 'MODBUS_EXCEPTION',
    message: `the device refused function ${(pdu[0] ?? 0) & 0x7f}: exception ${exception} (${name})`,
    offset: offset + 1
  })
}

function word(bytes: Uint8Array, index: number): number {
  return ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)
}
