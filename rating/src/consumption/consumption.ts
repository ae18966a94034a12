import { AppError } from '@endeks/domain/errors'
import { divideRounded } from '@endeks/domain/money'
import { parseRatio } from '../tariff/index.js'
import type { BilledSegment, BilledSupply } from './input.js'

/**
 * The consumption of a subscription: the sum over its supplies of sign x share x segments, in thousandths of the base unit.
 * Shares are summed as fractions and rounded once, at the end.
 *
 * @throws {AppError} CONSUMPTION_NEGATIVE when more is taken off than was supplied: a person has to look at it
 */
export function totalConsumption(supplies: readonly Pick<BilledSupply, 'sign' | 'share' | 'registers'>[]): bigint {
  let numerator = 0n
  let denominator = 1n
  for (const supply of supplies) {
    const share = parseRatio(supply.share)
    const amount = supply.registers.reduce((sum, register) => sum + BigInt(register.amount), 0n)
    numerator = numerator * share.denominator + BigInt(supply.sign) * amount * share.numerator * denominator
    denominator *= share.denominator
  }
  const total = divideRounded(numerator, denominator)
  if (total < 0n) throw new AppError('CONSUMPTION_NEGATIVE', `the supplies add up to ${total} thousandths: less than nothing`)
  return total
}

/**
 * Neighbouring segments of one quality and rule as one: a bill of minute readings would otherwise hold forty thousand of them.
 * Amounts and both indexes are kept, so the sum and the chain of indexes stay provable.
 *
 * @param segments of one register, in order of time
 */
export function mergeSegments(segments: readonly BilledSegment[]): BilledSegment[] {
  const merged: BilledSegment[] = []
  for (const segment of segments) {
    const last = merged.at(-1)
    const joins =
      last !== undefined &&
      last.to === segment.from &&
      last.toRaw === segment.fromRaw &&
      last.scaler === segment.scaler &&
      last.unit === segment.unit &&
      last.quality === segment.quality &&
      last.rule === segment.rule
    if (joins) {
      merged[merged.length - 1] = {
        ...last,
        to: segment.to,
        toRaw: segment.toRaw,
        amount: (BigInt(last.amount) + BigInt(segment.amount)).toString()
      }
    } else {
      merged.push(segment)
    }
  }
  return merged
}
