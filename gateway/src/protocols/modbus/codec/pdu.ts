import { failure, type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'

/** The functions that read bits (1 coils, 2 discrete inputs) and registers (3 holding, 4 input) (Modbus Application Protocol V1.1b3, 6.1-6.4). */
export const readFunctions = [1, 2, 3, 4] as const
export type ReadFunction = (typeof readFunctions)[number]

/** The most registers that one answer can hold (6.3: quantity 1 to 125), and the most bits (6.1: 1 to 2000). */
export const mostRegisters = 125
export const mostBits = 2_000

/** One request or answer without its framing: who, what, and where in the bytes it stood. */
export interface Frame {
  readonly unit: number
  /** function code and data */
  readonly pdu: Uint8Array
  /** of the frame's first byte */
  readonly offset: number
  /** of the function code */
  readonly pduOffset: number
  /** bytes of the whole frame */
  readonly size: number
}

export interface ReadRange {
  readonly function: ReadFunction
  readonly address: number
  /** registers, or bits of functions 1 and 2 */
  readonly count: number
}

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

export function readsBits(code: ReadFunction): boolean {
  return code === 1 || code === 2
}

export function encodeReadRequest(range: ReadRange): Uint8Array {
  const pdu = new Uint8Array(5)
  const view = new DataView(pdu.buffer)
  pdu[0] = range.function
  view.setUint16(1, range.address)
  view.setUint16(3, range.count)
  return pdu
}

/** Registers, high byte first: an answer to function 3 or 4. */
export function encodeReadResponse(code: ReadFunction, registers: readonly number[]): Uint8Array {
  const pdu = new Uint8Array(2 + registers.length * 2)
  const view = new DataView(pdu.buffer)
  pdu[0] = code
  pdu[1] = registers.length * 2
  for (const [index, register] of registers.entries()) view.setUint16(2 + index * 2, register)
  return pdu
}

/** The lowest bit of the first byte is the first input; what is left of the last byte is zero (6.1). */
export function encodeBitsResponse(code: ReadFunction, bits: readonly boolean[]): Uint8Array {
  const size = Math.ceil(bits.length / 8)
  const pdu = new Uint8Array(2 + size)
  pdu[0] = code
  pdu[1] = size
  for (const [index, bit] of bits.entries()) if (bit) pdu[2 + (index >> 3)] = (pdu[2 + (index >> 3)] ?? 0) | (1 << (index & 7))
  return pdu
}

export function encodeException(code: number, exception: number): Uint8Array {
  return Uint8Array.of(code | 0x80, exception)
}

/** What a request asks for; a failure for every other function and for ranges that no server may answer. */
export function parseReadRequest(frame: Frame): Result<ReadRange, DecodeFailure> {
  const { pdu, pduOffset: at } = frame
  const code = readFunctions.find((each) => each === pdu[0])
  if (code === undefined) {
    return failure({ code: 'MODBUS_FUNCTION', message: `function ${pdu[0] ?? '-'} does not read registers or inputs`, offset: at })
  }
  if (pdu.length !== 5) {
    return failure({ code: 'MODBUS_LENGTH', message: `a read request has 5 bytes after the unit, not ${pdu.length}`, offset: at })
  }
  const address = word(pdu, 1)
  const count = word(pdu, 3)
  const most = readsBits(code) ? mostBits : mostRegisters
  if (count < 1 || count > most) {
    return failure({ code: 'MODBUS_QUANTITY', message: `${count} can't be read in one request: 1 to ${most}`, offset: at + 3 })
  }
  if (address + count > 65_536) {
    return failure({ code: 'MODBUS_RANGE', message: `${count} from ${address} reach past 65535`, offset: at + 1 })
  }
  return success({ function: code, address, count })
}

export interface ReadResponse {
  readonly function: ReadFunction
  readonly data: Uint8Array
  /** of the data's first byte */
  readonly offset: number
}

/** The data of an answer; MODBUS_EXCEPTION when the device refused. */
export function parseReadResponse(frame: Frame): Result<ReadResponse, DecodeFailure> {
  const { pdu, pduOffset: at } = frame
  const first = pdu[0] ?? 0
  if ((first & 0x80) !== 0) return refused(pdu, at)
  const code = readFunctions.find((each) => each === first)
  if (code === undefined) {
    return failure({ code: 'MODBUS_FUNCTION', message: `function ${first} does not read registers or inputs`, offset: at })
  }
  const size = pdu[1] ?? 0
  if (pdu.length < 2 || size !== pdu.length - 2 || size === 0 || (!readsBits(code) && size % 2 !== 0)) {
    return failure({
      code: 'MODBUS_BYTE_COUNT',
      message: `byte count ${size} does not fit the ${Math.max(pdu.length - 2, 0)} bytes that follow`,
      offset: at + 1
    })
  }
  return success({ function: code, data: pdu.subarray(2), offset: at + 2 })
}

/** The registers of an answer, or its bits in their order; empty for a frame that is none. */
export function wordsIn(frame: Frame): number[] {
  const answer = parseReadResponse(frame)
  if (!answer.ok) return []
  const { function: code, data } = answer.value
  if (readsBits(code)) return [...data].flatMap((byte) => Array.from({ length: 8 }, (_, bit) => (byte >> bit) & 1))
  return Array.from({ length: data.length / 2 }, (_, index) => word(data, 2 * index))
}

/** Holds an answer against its request: the same unit and function, and as much as was asked for. */
export function matchResponse(request: Frame, range: ReadRange, response: Frame): Result<ReadResponse, DecodeFailure> {
  if (response.unit !== request.unit) {
    return failure({
      code: 'MODBUS_UNIT',
      message: `unit ${request.unit} was asked and unit ${response.unit} answered`,
      offset: response.pduOffset - 1
    })
  }
  const code = (response.pdu[0] ?? 0) & 0x7f
  if (code !== range.function) {
    return failure({
      code: 'MODBUS_FUNCTION',
      message: `function ${range.function} was asked and ${code} answered`,
      offset: response.pduOffset
    })
  }
  const answer = parseReadResponse(response)
  if (!answer.ok) return answer
  const { data, offset } = answer.value
  const expected = answerBytes(range)
  if (data.length !== expected) {
    return failure({ code: 'MODBUS_BYTE_COUNT', message: `${expected} bytes were asked for and ${data.length} came`, offset: offset - 1 })
  }
  return answer
}

/** How many bytes of data the answer to a request has. */
export function answerBytes({ function: code, count }: ReadRange): number {
  return readsBits(code) ? Math.ceil(count / 8) : count * 2
}

function refused(pdu: Uint8Array, offset: number): { ok: false; error: DecodeFailure } {
  const exception = pdu[1] ?? 0
  if (pdu.length !== 2) {
    return failure({ code: 'MODBUS_LENGTH', message: `an exception has 2 bytes after the unit, not ${pdu.length}`, offset })
  }
  return failure({
    code: 'MODBUS_EXCEPTION',
    message: `the device refused function ${(pdu[0] ?? 0) & 0x7f}: exception ${exception} (${exceptionNames[exception] ?? 'unknown'})`,
    offset: offset + 1
  })
}

export function word(bytes: Uint8Array, index: number): number {
  return ((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)
}
