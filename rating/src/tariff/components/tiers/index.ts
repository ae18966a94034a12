import { parseMicro, parseNano } from '@endeks/domain/money'
import { parseScaled } from '@endeks/domain/units'
import Type, { type Static } from 'typebox'
import type { Problem } from '../../problem.js'
import { Amount, Price, Quantity3 } from '../../text.js'
import type { UnitScale } from '../../unit.js'
import { type ComponentKind, componentSchema, type RateFunction } from '../component.js'
import { rateGraduated, rateVolume } from './rate.js'
import { scaler, type TierDefinition } from './scale.js'

/** From `from` to below `to`, which is the next tier's `from`; the last has no `to`. `flat` falls due once the tier is entered. */
const Tier = Type.Object(
  { from: Quantity3, to: Type.Optional(Quantity3), price: Price, flat: Type.Optional(Amount) },
  { additionalProperties: false }
)
type Tier = Static<typeof Tier>

const TiersComponent = componentSchema('tiers', {
  /** graduated: each unit at its tier's price. volume: all units at the price of the tier that the last one lies in. */
  mode: Type.Enum(['graduated', 'volume']),
  /** 30days: bounds are for thirty days and scale with the days of the bill. none: bounds are for the bill. */
  scale: Type.Enum(['30days', 'none']),
  tiers: Type.Array(Tier, { minItems: 1, maxItems: 50 })
})

/** Prices the consumption, in one tier or several. */
export const tiers: ComponentKind<typeof TiersComponent> = {
  schema: TiersComponent,
  bases: () => [],
  problems: (component) => boundProblems(component.tiers),
  prepare: (component, { scale }): RateFunction => {
    const scaled = scaler(
      component.tiers.map((tier) => prepareTier(tier, scale)),
      component.scale === '30days',
      scale.grid
    )
    const { priceDenominator } = scale
    if (component.mode === 'volume') return (terms) => rateVolume(scaled(terms.days), priceDenominator, terms)
    return (terms) => rateGraduated(scaled(terms.days), priceDenominator, terms)
  }
}

function prepareTier(tier: Tier, scale: UnitScale): TierDefinition {
  return {
    from: parseScaled(tier.from, scale.places, 'TARIFF_INVALID'),
    rateNano: parseNano(tier.price),
    flatMicro: tier.flat === undefined ? 0n : parseMicro(tier.flat)
  }
}

/** Gaps, overlaps, empty tiers and a bound at the end, each with both numbers. */
function boundProblems(list: readonly Tier[]): Problem[] {
  const problems: Problem[] = []
  for (const [index, tier] of list.entries()) {
    const path = `/tiers/${index}`
    const previous = index === 0 ? '0' : list[index - 1]?.to
    const last = index === list.length - 1
    if (previous === undefined) {
      problems.push({ path: `/tiers/${index - 1}/to`, message: `only the last tier is open, but another begins at ${tier.from}` })
    } else if (thousandths(tier.from) > thousandths(previous)) {
      problems.push({ path: `${path}/from`, message: `gap: nothing covers ${previous} to ${tier.from}` })
    } else if (thousandths(tier.from) < thousandths(previous)) {
      problems.push({ path: `${path}/from`, message: `overlap: ${tier.from} to ${previous} lies in two tiers` })
    }
    if (tier.to !== undefined && thousandths(tier.to) <= thousandths(tier.from)) {
      problems.push({ path: `${path}/to`, message: `${tier.to} does not come after ${tier.from}` })
    }
    if (last && tier.to !== undefined) {
      problems.push({ path: `${path}/to`, message: `gap: nothing covers what is above ${tier.to}; the last tier has no "to"` })
    }
  }
  return problems
}

function thousandths(text: string): bigint {
  return parseScaled(text, 3, 'TARIFF_INVALID')
}
