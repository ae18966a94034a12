import { failure, type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { type ReadFunction, type ReadRange, type ReadResponse, readsBits, word } from './pdu.js'
import { swapBytes } from './types.js'

/** Registers in the order of their addresses, and where in the response bytes the first of them stood. */
export interface Words {
  readonly words: readonly number[]
  readonly offset: number
}

/** What the device's registers and inputs held, with the place of each in the response bytes. */
export class RegisterMap {
  readonly #words = new Map<number, { readonly word: number; readonly offset: number }>()

  /** Lays out what an answer to `range` held; a bit of functions 1 and 2 counts as a register that holds 0 or 1. */
  add(range: ReadRange, { data, offset }: ReadResponse): void {
    const bits = readsBits(range.function)
    for (let index = 0; index < range.count; index += 1) {
      const value = bits ? ((data[index >> 3] ?? 0) >> (index & 7)) & 1 : word(data, index * 2)
      const place = offset + (bits ? index >> 3 : index * 2)
      this.#words.set(range.function * 65_536 + range.address + index, { word: value, offset: place })
    }
  }

  has(code: ReadFunction, address: number): boolean {
    return this.#words.has(code * 65_536 + address)
  }

  read(code: ReadFunction, address: number, count: number): Result<Words, DecodeFailure> {
    const words: number[] = []
    let offset: number | undefined
    for (let index = 0; index < count; index += 1) {
      const found = this.#words.get(code * 65_536 + address + index)
      if (found === undefined) {
        return failure({
          code: 'MODBUS_REGISTER_MISSING',
          message: `register ${address + index} of function ${code} is not in the answers`
        })
      }
      offset ??= found.offset
      words.push(found.word)
    }
    return success({ words, offset: offset ?? 0 })
  }
}

export function decodeText(read: Words, byteOrder: 'big' | 'little' | undefined): Result<string, DecodeFailure> {
  const words = byteOrder === 'little' ? read.words.map(swapBytes) : read.words
  const bytes = words.flatMap((each) => [each >> 8, each & 0xff])
  const end = bytes.indexOf(0)
  const text = String.fromCharCode(...(end === -1 ? bytes : bytes.slice(0, end))).trim()
  if (!/^[\x20-\x7e]{1,64}$/.test(text)) {
    return failure({ code: 'MODBUS_IDENTITY', message: 'the identity registers hold no printable text', offset: read.offset })
  }
  return success(text)
}
