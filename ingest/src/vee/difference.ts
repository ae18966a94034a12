import type { QuantityUnit } from '@endeks/domain/units'
import { isMeterUnit, meterUnits, rawToMilli } from '@endeks/domain/units'
import type { IndexReading, RegisterFacts } from './facts.js'

/** What lies between two indexes of one register. */
export type Difference =
  | {
      readonly kind: 'measured'
      readonly rule: 'difference' | 'rollover'
      readonly amountMilli: bigint
      /** what has flowed for certain: each index hides up to one of its least units, the coarser one's counts */
      readonly certainMilli: bigint
      readonly fromRaw: bigint
      readonly toRaw: bigint
      readonly scaler: number
      readonly meterUnit: string
      readonly unit: QuantityUnit
    }
  | { readonly kind: 'negative'; readonly amountMilli: bigint }
  | { readonly kind: 'incomparable'; readonly why: string }

const int8 = 2n ** 63n
const msPerHour = 3_600_000n

/**
 * The difference of two indexes, exact. A step back is a rollover only when the counter was in its last tenth and what it
 * would for certain have counted over its end is no more than the meter can physically pass; anything else is negative, for a
 * person to judge. Indexes of different units can't be compared: whether the register's unit was set anew, no rule can know.
 */
export function differenceOf(from: IndexReading, to: IndexReading, register: RegisterFacts): Difference {
  if (from.unit !== to.unit) return { kind: 'incomparable', why: `the unit changes from ${from.unit} to ${to.unit}` }
  const { unit } = from
  if (!isMeterUnit(unit)) return { kind: 'incomparable', why: `"${unit}" is no unit a meter counts in` }
  const scaler = Math.min(from.scaler, to.scaler)
  const fromRaw = from.raw * 10n ** BigInt(from.scaler - scaler)
  const toRaw = to.raw * 10n ** BigInt(to.scaler - scaler)
  const forward = rawToMilli(toRaw - fromRaw, scaler, unit)
  if (forward === undefined) return { kind: 'incomparable', why: 'the difference is finer than a thousandth of the base unit' }
  if ([fromRaw, toRaw, forward].some((value) => value >= int8 || value < -int8)) {
    return { kind: 'incomparable', why: `the scaler changes from ${from.scaler} to ${to.scaler}, and the indexes are too large for that` }
  }
  const leastUnit = rawToMilli(1n, Math.max(from.scaler, to.scaler), unit) ?? 0n
  const certain = (amountMilli: bigint): bigint => (amountMilli > leastUnit ? amountMilli - leastUnit : 0n)
  const shape = { kind: 'measured', fromRaw, toRaw, scaler, meterUnit: unit, unit: meterUnits[unit].base } as const
  if (forward >= 0n) return { ...shape, rule: 'difference', amountMilli: forward, certainMilli: certain(forward) }
  const modulus = 10n ** BigInt(register.digits)
  const inLastTenth = from.raw * 10n > modulus * 9n && from.raw < modulus && to.raw >= 0n
  const wrapped = from.scaler === to.scaler && inLastTenth ? rawToMilli(to.raw - from.raw + modulus, scaler, unit) : undefined
  if (wrapped !== undefined && !exceedsFlow(certain(wrapped), to.at - from.at, register)) {
    return { ...shape, rule: 'rollover', amountMilli: wrapped, certainMilli: certain(wrapped) }
  }
  return { kind: 'negative', amountMilli: forward }
}

/** Whether a register can't have counted this much in this time. */
export function exceedsFlow(amountMilli: bigint, durationMs: number, register: RegisterFacts): boolean {
  return amountMilli * msPerHour > register.maxFlowMilliPerHour * BigInt(durationMs)
}
