import { divideRounded, parseNano } from '@endeks/domain/money'
import { parseScaled } from '@endeks/domain/units'
import Type from 'typebox'
import type { Problem } from '../../problem.js'
import { Price, Quantity3 } from '../../text.js'
import { type ComponentKind, componentSchema, type Priced, type RateFunction, type Terms } from '../component.js'

const AllowanceComponent = componentSchema('allowance', {
  /** For each `every` of the consumption, `amount` is free, counted up to `upTo`. */
  every: Quantity3,
  amount: Quantity3,
  upTo: Quantity3,
  /** At what price the free units are taken off. */
  price: Price,
  /** As for tiers. */
  scale: Type.Enum(['30days', 'none'])
})

/**
 * Water that is not invoiced, as a deduction of its own, so that the tiers still add up to the consumption. Only whole steps
 * count: "for each 2.5 m3 a month 0.5 m3 is free, up to 15 m3" makes 1.0 free at 5 m3 and at 7.4.
 */
export const allowance: ComponentKind<typeof AllowanceComponent> = {
  schema: AllowanceComponent,
  bases: () => [],
  problems: (component): Problem[] =>
    parseScaled(component.every, 3, 'TARIFF_INVALID') === 0n ? [{ path: '/every', message: 'a step is more than nothing' }] : [],
  prepare: (component, { scale }): RateFunction => {
    const milli = (text: string): bigint => parseScaled(text, scale.places, 'TARIFF_INVALID')
    const rule: Rule = {
      every: milli(component.every),
      amount: milli(component.amount),
      upTo: milli(component.upTo),
      rateNano: -parseNano(component.price),
      byDays: component.scale === '30days',
      grid: scale.grid
    }
    return (terms) => rate(rule, terms, scale.priceDenominator)
  }
}

interface Rule {
  readonly every: bigint
  readonly amount: bigint
  readonly upTo: bigint
  readonly rateNano: bigint
  readonly byDays: boolean
  readonly grid: bigint
}

function rate(rule: Rule, { quantity, before, days }: Terms, denominator: bigint): Priced | null {
  const scaleDays = rule.byDays ? BigInt(Math.max(days, 1)) : 30n
  const free = freeOf(rule, before + quantity, scaleDays) - freeOf(rule, before, scaleDays)
  if (free === 0n) return null
  const amount = { numerator: free * rule.rateNano, denominator }
  const slice = {
    tier: 0,
    from: 0n,
    to: null,
    basis: 'consumption',
    quantity: free,
    rateNano: rule.rateNano,
    flatMicro: 0n,
    amount
  } as const
  return { quantity: free, slices: [slice], amount, share: null }
}

/** Whole steps of a total, each of `amount`, on the grid on which tiers are cut. */
function freeOf(rule: Rule, total: bigint, scaleDays: bigint): bigint {
  const counted = total * 30n < rule.upTo * scaleDays ? total * 30n : rule.upTo * scaleDays
  const steps = counted / (rule.every * scaleDays)
  return divideRounded(steps * rule.amount * scaleDays, 30n * rule.grid) * rule.grid
}
