import { failure, type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import type { Words } from './registers.js'
import { joinWords, type Orders, type ValueType, valueTypes } from './types.js'

export interface NumberField extends Orders {
  readonly type: ValueType
  readonly invalid?: string | readonly string[]
}

/** The wire carries a counter in at most 18 digits, which no meter's counter has. */
const mostRaw = 10n ** 18n

/**
 * The counts that registers hold, the last digit being worth 10^scaler.
 *
 * A float is a count only as far as the profile's scaler goes: of the shortest decimal that has the float's bytes, what lies
 * behind the last digit is cut off, as on a dial whose finer wheels are hidden. It is never rounded up, so an index never runs
 * ahead of what was consumed. What is not a number, infinite or below zero is no index.
 *
 * @param scaler of no effect on integers, which are counts already
 * @returns undefined when the registers hold a value that the profile calls invalid
 */
export function decodeNumber(read: Words, field: NumberField, scaler = 0): Result<bigint | undefined, DecodeFailure> {
  const bits = joinWords(read.words, field)
  if (isInvalid(bits, field)) return success(undefined)
  const raw = rawOf(bits, field.type, scaler, read.offset)
  if (!raw.ok || (raw.value < mostRaw && raw.value > -mostRaw)) return raw
  return failure({ code: 'MODBUS_VALUE_RANGE', message: `${raw.value} has more than 18 digits`, offset: read.offset })
}

function isInvalid(bits: bigint, { invalid }: NumberField): boolean {
  if (invalid === undefined) return false
  return typeof invalid === 'string' ? bits === BigInt(invalid) : invalid.some((each) => bits === BigInt(each))
}

function rawOf(bits: bigint, type: ValueType, scaler: number, offset: number): Result<bigint, DecodeFailure> {
  const width = valueTypes[type] * 16
  if (type === 'f32' || type === 'f64') return floatRaw(bits, type, scaler, offset)
  if (type.startsWith('i')) return success(BigInt.asIntN(width, bits))
  if (type.startsWith('u')) return success(bits)
  const digits = bits.toString(16)
  if (!/[a-f]/.test(digits)) return success(BigInt(digits))
  const shown = digits.padStart(width / 4, '0')
  return failure({ code: 'MODBUS_BCD', message: `0x${shown} is not binary coded decimal`, offset })
}

function floatRaw(bits: bigint, type: 'f32' | 'f64', scaler: number, offset: number): Result<bigint, DecodeFailure> {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, type === 'f32' ? bits << 32n : bits)
  const value = type === 'f32' ? view.getFloat32(0) : view.getFloat64(0)
  if (!Number.isFinite(value) || value < 0) {
    const shown = Number.isNaN(value) ? 'not a number' : String(value)
    const size = type === 'f32' ? 8 : 16
    return failure({ code: 'MODBUS_FLOAT', message: `0x${bits.toString(16).padStart(size, '0')} is ${shown}: no index`, offset })
  }
  const [mantissa = '0', exponent = '0'] = shortestDecimal(value, type).split('e')
  const digits = BigInt(mantissa.replace('.', ''))
  const decimals = mantissa.includes('.') ? mantissa.length - mantissa.indexOf('.') - 1 : 0
  const shift = Number(exponent) - decimals - scaler
  return success(shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift))
}

/** In exponential form, with the fewest digits that still give the same float: nine do for any of 32 bits. */
function shortestDecimal(value: number, type: 'f32' | 'f64'): string {
  if (type === 'f64') return value.toExponential()
  for (let decimals = 0; decimals < 8; decimals += 1) {
    const text = value.toExponential(decimals)
    if (Math.fround(Number(text)) === value) return text
  }
  return value.toExponential(8)
}
