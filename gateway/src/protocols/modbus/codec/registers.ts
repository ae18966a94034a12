import { failure, type Result, success } from '@endeks/domain/result'
import { type EpochMs, startOfDay } from '@endeks/domain/time'
import { Temporal } from 'temporal-polyfill'
import type { DecodeFailure } from '../../protocol.js'
import type { ReadFunction } from './mbap.js'
import { type TimestampType, timestampTypes, type ValueField, valueTypes } from './profile.js'

/** What the device's registers held, with the place of each in the response bytes. */
export class RegisterMap {
  readonly #words = new Map<number, { readonly word: number; readonly offset: number }>()

  set(code: ReadFunction, address: number, word: number, offset: number): void {
    this.#words.set(code * 65_536 + address, { word, offset })
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

export interface Words {
  readonly words: readonly number[]
  readonly offset: number
}

type NumberField = Pick<ValueField, 'type' | 'wordOrder' | 'invalid'>

/** @returns undefined when the registers hold the value that the profile calls invalid */
export function decodeNumber(read: Words, field: NumberField): Result<bigint | undefined, DecodeFailure> {
  const bits = join(read.words, field.wordOrder)
  const width = BigInt(valueTypes[field.type] * 16)
  if (field.invalid !== undefined && bits === BigInt(field.invalid)) return success(undefined)
  if (field.type === 'bcd32') {
    const digits = bits.toString(16)
    if (/[a-f]/.test(digits)) {
      return failure({ code: 'MODBUS_BCD', message: `0x${digits.padStart(8, '0')} is not binary coded decimal`, offset: read.offset })
    }
    return success(BigInt(digits))
  }
  const raw = field.type.startsWith('i') ? BigInt.asIntN(Number(width), bits) : bits
  // The wire carries a counter in at most 18 digits, which no meter's counter has.
  if (raw >= 10n ** 18n || raw <= -(10n ** 18n)) {
    return failure({ code: 'MODBUS_VALUE_RANGE', message: `${raw} has more than 18 digits`, offset: read.offset })
  }
  return success(raw)
}

/** @returns undefined for an entry never filled: all zeros or all ones */
export function decodeTimestamp(
  read: Words,
  type: TimestampType,
  order: ValueField['wordOrder'],
  zone: string
): Result<EpochMs | undefined, DecodeFailure> {
  const bits = join(read.words, order)
  if (bits === 0n || bits === (1n << BigInt(timestampTypes[type] * 16)) - 1n) return success(undefined)
  if (type === 'epoch-u32') return success((Number(bits) * 1000) as EpochMs)
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(bits.toString(16).padStart(8, '0'))
  const date = match === null ? undefined : plainDate(Number(match[1]), Number(match[2]), Number(match[3]))
  if (date === undefined || date.year < 1970) {
    return failure({ code: 'MODBUS_DATE', message: `0x${bits.toString(16).padStart(8, '0')} is not a date`, offset: read.offset })
  }
  return success(startOfDay(date.add({ days: 1 }), zone))
}

function plainDate(year: number, month: number, day: number): Temporal.PlainDate | undefined {
  if (month < 1 || month > 12 || day < 1) return undefined
  const first = Temporal.PlainDate.from({ year, month, day: 1 })
  return day > first.daysInMonth ? undefined : first.with({ day })
}

export function decodeText(read: Words): Result<string, DecodeFailure> {
  const bytes = read.words.flatMap((word) => [word >> 8, word & 0xff])
  const end = bytes.indexOf(0)
  const text = String.fromCharCode(...(end === -1 ? bytes : bytes.slice(0, end))).trim()
  if (!/^[\x20-\x7e]{1,64}$/.test(text)) {
    return failure({ code: 'MODBUS_IDENTITY', message: 'the identity registers hold no printable text', offset: read.offset })
  }
  return success(text)
}

function join(words: readonly number[], order: ValueField['wordOrder']): bigint {
  const bigFirst = order === 'little' ? [...words].reverse() : words
  return bigFirst.reduce((bits, word) => (bits << 16n) | BigInt(word), 0n)
}
