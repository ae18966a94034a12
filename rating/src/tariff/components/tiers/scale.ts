import { divideRounded } from '@endeks/domain/money'

/** A tier as the tariff states it, in integers. */
export interface TierDefinition {
  readonly from: bigint
  readonly rateNano: bigint
  readonly flatMicro: bigint
}

/** A tier for a number of days. */
export interface ScaledTier extends TierDefinition {
  readonly index: number
  /** Null is open. */
  readonly to: bigint | null
}

/** Day counts whose bounds are kept: a population is billed for a few dozen of them. */
const keptDayCounts = 512

/**
 * Scales bounds by days / 30 and cuts them to the grid, a thousandth of the tariff's unit.
 *
 * The bound itself is a rational number: 13 m3 for 31 days is 13.4333... A bill prints 13.433, and its lines must be quantity
 * times price to the last digit, so each bound is rounded once, half up, counted from zero. Slices are differences of these
 * cuts and the last one takes the rest: they add up to the consumption, and two bills of one span meet at the same cuts.
 *
 * A period of no days (opened and closed on one day) is scaled as one day; at zero days everything would fall into the last tier.
 */
export function scaler(tiers: readonly TierDefinition[], byDays: boolean, grid: bigint): (days: number) => readonly ScaledTier[] {
  const kept = new Map<number, readonly ScaledTier[]>()
  return (days) => {
    const scaleDays = byDays ? Math.max(days, 1) : 30
    const known = kept.get(scaleDays)
    if (known !== undefined) return known
    const cuts = tiers.map((tier) => divideRounded(tier.from * BigInt(scaleDays), 30n * grid) * grid)
    const scaled = tiers.map((tier, index) => ({ ...tier, index, from: cuts[index] ?? 0n, to: cuts[index + 1] ?? null }))
    if (kept.size >= keptDayCounts) kept.clear()
    kept.set(scaleDays, scaled)
    return scaled
  }
}
