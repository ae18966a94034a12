import { failure, type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { type Frame, word } from './pdu.js'

/** Write single coil, write single register, write multiple registers (Modbus Application Protocol V1.1b3, 6.5, 6.6, 6.12). */
export const writeFunctions = [5, 6, 16] as const
export type WriteFunction = (typeof writeFunctions)[number]

/** 6.12: quantity 1 to 123. */
const mostWritten = 123
/** 6.5: a coil is switched on by FF00 and off by 0000; all other values are illegal. */
const coilOn = 0xff00

export interface Write {
  readonly function: WriteFunction
  readonly address: number
  /** one for functions 5 (1 or 0: on or off) and 6 */
  readonly words: readonly number[]
}

export function isWrite(code: number | undefined): boolean {
  return writeFunctions.some((each) => each === code)
}

export function encodeWriteRequest({ function: code, address, words }: Write): Uint8Array {
  const [first = 0] = words
  if (code !== 16) return Uint8Array.of(code, ...bytesOf(address), ...bytesOf(code === 5 ? (first === 0 ? 0 : coilOn) : first))
  return Uint8Array.of(code, ...bytesOf(address), ...bytesOf(words.length), 2 * words.length, ...words.flatMap(bytesOf))
}

/** The slave's half: what a request writes; a failure for every other function and for what no server may do. */
export function parseWriteRequest({ pdu, pduOffset: at }: Frame): Result<Write, DecodeFailure> {
  const code = writeFunctions.find((each) => each === pdu[0])
  if (code === undefined) return failure({ code: 'MODBUS_FUNCTION', message: `function ${pdu[0] ?? '-'} does not write`, offset: at })
  const count = code === 16 ? word(pdu, 3) : 1
  const size = code === 16 ? 6 + 2 * count : 5
  if (pdu.length !== size || (code === 16 && pdu[5] !== 2 * count)) {
    return failure({ code: 'MODBUS_LENGTH', message: `a request that writes ${count} has ${size} bytes, not ${pdu.length}`, offset: at })
  }
  if (count < 1 || count > mostWritten) {
    return failure({ code: 'MODBUS_QUANTITY', message: `${count} can't be written in one request: 1 to ${mostWritten}`, offset: at + 3 })
  }
  const address = word(pdu, 1)
  if (address + count > 65_536)
    return failure({ code: 'MODBUS_RANGE', message: `${count} from ${address} reach past 65535`, offset: at + 1 })
  const first = code === 16 ? 6 : 3
  const words = Array.from({ length: count }, (_, index) => word(pdu, first + 2 * index))
  if (code !== 5) return success({ function: code, address, words })
  if (words[0] !== 0 && words[0] !== coilOn) {
    return failure({ code: 'MODBUS_QUANTITY', message: `a coil is set by 0000 or FF00, not ${words[0]}`, offset: at + 3 })
  }
  return success({ function: code, address, words: [words[0] === 0 ? 0 : 1] })
}

/** What a server says that has done it: address and value again, or address and quantity. */
export function writeResponse(request: Frame): Uint8Array {
  return request.pdu.slice(0, 5)
}

/** Why a frame is no answer to a request that writes; undefined when it is one. A refusal is one too. */
export function writeMismatch(request: Frame, response: Frame): DecodeFailure | undefined {
  const { pdu, pduOffset: offset } = response
  if (response.unit !== request.unit) {
    return { code: 'MODBUS_UNIT', message: `unit ${request.unit} was asked and unit ${response.unit} answered`, offset: offset - 1 }
  }
  const code = request.pdu[0] ?? 0
  if (pdu[0] === (code | 0x80) && pdu.length === 2) return undefined
  if (Buffer.compare(pdu, writeResponse(request)) === 0) return undefined
  return { code: 'MODBUS_WRONG_ANSWER', message: `what came says not that function ${code} was done as asked`, offset }
}

function bytesOf(value: number): number[] {
  return [value >> 8, value & 0xff]
}
