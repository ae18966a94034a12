import { failure, type Result, success } from '@endeks/domain/result'

/** A number as meters count: raw x 10^scaler. */
export interface ExactNumber {
  readonly raw: bigint
  readonly scaler: number
}

/** How a number was held before it was written: a decimal is exact, a binary fraction is off by a part of its last bit. */
export type Precision = 'decimal' | 'double' | 'float'

/** The wire's bounds on a reading: 18 digits, and a scaler of -12 to 12. */
const mostDigits = 18
const mostScaler = 12
const mostLiteral = 64

/** What is lost of a value by one or two steps of arithmetic, as a power of two: three bits above the last one that is kept. */
const noiseBits: Readonly<Record<Precision, bigint>> = { decimal: 50n, double: 50n, float: 21n }

const literalPattern = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?$/

/**
 * A number's literal as raw and scaler, exactly as it was written: "12.50" is 1250 x 10^-2. Where the register's least unit is
 * known, the value is told in it, and what arithmetic on binary fractions added ("12.500000000000002") is taken off; any more than
 * that is no rounding error, and refused.
 *
 * @param scaler of the register's least unit, as entered for the gateway; undefined to keep what was written
 * @returns the number, or in words why it is no index of a register
 */
export function exactNumber(
  literal: string,
  options: { readonly scaler?: number; readonly precision?: Precision } = {}
): Result<ExactNumber, string> {
  const match = literal.length > mostLiteral ? null : literalPattern.exec(literal)
  if (match === null) return failure(`"${literal.slice(0, mostLiteral)}" is no decimal number of at most ${mostLiteral} characters`)
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match
  const digits = BigInt(whole + fraction)
  const written = { raw: sign === '-' ? -digits : digits, scaler: Number(exponent) - fraction.length }
  return options.scaler === undefined ? bounded(written, literal) : inUnit(written, options.scaler, options.precision ?? 'decimal', literal)
}

/** The shortest decimal that gives the same number again. */
export function shortestLiteral(value: number, precision: 'double' | 'float'): string {
  if (precision === 'double') return String(value)
  for (let digits = 1; digits < 9; digits += 1) {
    const text = value.toPrecision(digits)
    if (Math.fround(Number(text)) === value) return text
  }
  return value.toPrecision(9)
}

/** Zeros at the end move between raw and scaler only as far as the bounds ask for it. */
function bounded(written: ExactNumber, literal: string): Result<ExactNumber, string> {
  let { raw, scaler } = written
  if (raw === 0n) return success({ raw, scaler: Math.max(-mostScaler, Math.min(mostScaler, scaler)) })
  while ((scaler < -mostScaler || digitsOf(raw) > mostDigits) && raw % 10n === 0n) {
    raw /= 10n
    scaler += 1
  }
  while (scaler > mostScaler && digitsOf(raw) < mostDigits) {
    raw *= 10n
    scaler -= 1
  }
  const fits = digitsOf(raw) <= mostDigits && Math.abs(scaler) <= mostScaler
  return fits ? success({ raw, scaler }) : failure(`${literal} has more than ${mostDigits} digits or ${mostScaler} decimal places`)
}

function inUnit(written: ExactNumber, scaler: number, precision: Precision, literal: string): Result<ExactNumber, string> {
  const shift = written.scaler - scaler
  const factor = 10n ** BigInt(Math.abs(shift))
  let raw = written.raw * factor
  if (shift < 0) {
    const magnitude = written.raw < 0n ? -written.raw : written.raw
    const rounded = (magnitude + factor / 2n) / factor
    const off = rounded * factor - magnitude
    if ((off < 0n ? -off : off) << noiseBits[precision] > magnitude) return failure(`${literal} is no whole multiple of 10^${scaler}`)
    raw = written.raw < 0n ? -rounded : rounded
  }
  return digitsOf(raw) <= mostDigits ? success({ raw, scaler }) : failure(`${literal} has more than ${mostDigits} digits of 10^${scaler}`)
}

function digitsOf(raw: bigint): number {
  return (raw < 0n ? -raw : raw).toString().length
}
