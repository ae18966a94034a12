import type { Priced, Slice, Terms } from '../component.js'
import type { ScaledTier } from './scale.js'

/**
 * Each unit at the price of the tier that it lies in, counted from the first unit of the span: with 10 m3 billed before, the
 * eleventh is the first of this bill.
 *
 * @returns one slice per tier touched, in order; their quantities add up to the consumption. None for zero, except a first
 * tier whose flat amount falls due. The first tier is entered by the bill that starts the span, each other by its first unit.
 */
export function rateGraduated(tiers: readonly ScaledTier[], denominator: bigint, { quantity, before }: Terms): Priced {
  const end = before + quantity
  const slices: Slice[] = []
  let sum = 0n
  for (const tier of tiers) {
    const start = tier.from > before ? tier.from : before
    const stop = tier.to === null || tier.to > end ? end : tier.to
    const part = stop > start ? stop - start : 0n
    const flatMicro = enters(tier, before, end) ? tier.flatMicro : 0n
    if (part > 0n || flatMicro > 0n) {
      const slice = sliceOf(tier, 'consumption', part, tier.rateNano, flatMicro, denominator)
      sum += slice.amount.numerator
      slices.push(slice)
    }
    if (tier.to === null || tier.to > end) break
  }
  return { quantity, slices, amount: { numerator: sum, denominator }, share: null }
}

/**
 * All units at the price of the tier that the last one of the span lies in. When earlier bills of the span ended in another
 * tier, a second slice brings what they held to the new price: several bills of a span come to the same as one.
 */
export function rateVolume(tiers: readonly ScaledTier[], denominator: bigint, { quantity, before }: Terms): Priced {
  const reached = tierOf(tiers, before + quantity)
  const earlier = before > 0n ? tierOf(tiers, before) : undefined
  if (reached === undefined) return { quantity, slices: [], amount: { numerator: 0n, denominator }, share: null }
  const flatMicro = earlier === undefined ? reached.flatMicro : 0n
  const slices: Slice[] = []
  if (quantity > 0n || flatMicro > 0n) {
    slices.push(sliceOf(reached, 'consumption', quantity, reached.rateNano, flatMicro, denominator))
  }
  if (earlier !== undefined && earlier !== reached) {
    const flatDifference = reached.flatMicro - earlier.flatMicro
    slices.push(sliceOf(reached, 'billed-before', before, reached.rateNano - earlier.rateNano, flatDifference, denominator))
  }
  const sum = slices.reduce((total, slice) => total + slice.amount.numerator, 0n)
  return { quantity, slices, amount: { numerator: sum, denominator }, share: null }
}

/** The tier that the last of `total` units lies in. Exactly 100 units end below the tier that begins at 100. */
function tierOf(tiers: readonly ScaledTier[], total: bigint): ScaledTier | undefined {
  for (const tier of tiers) if (tier.to === null || total <= tier.to) return tier
  return undefined
}

function enters(tier: ScaledTier, before: bigint, end: bigint): boolean {
  if (tier.index === 0) return before === 0n
  return before <= tier.from && end > tier.from
}

function sliceOf(
  tier: ScaledTier,
  basis: Slice['basis'],
  quantity: bigint,
  rateNano: bigint,
  flatMicro: bigint,
  denominator: bigint
): Slice {
  const amount = { numerator: quantity * rateNano + flatMicro * denominator, denominator }
  return { tier: tier.index, from: tier.from, to: tier.to, basis, quantity, rateNano, flatMicro, amount }
}
