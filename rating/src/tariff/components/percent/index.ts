import { type Exact, scaleExact } from '@endeks/domain/money'
import { type Fraction, parseRatio } from '../../ratio.js'
import { Ratio } from '../../text.js'
import { Bases, type ComponentKind, componentSchema, type Priced, type RateFunction } from '../component.js'
import { sumOf } from '../sum.js'

const PercentComponent = componentSchema('percent', { of: Bases, ratio: Ratio })

/**
 * A share of other components, such as wastewater at a third of the water or the zone's share of the supplier's price. It
 * takes their exact amounts: 10 % of 57.488 is 5.7488, and only that makes the published 64.961 with KDV.
 */
export const percent: ComponentKind<typeof PercentComponent> = {
  schema: PercentComponent,
  bases: (component) => component.of,
  problems: () => [],
  prepare: (component, preparation): RateFunction => {
    const of = component.of
    const places = of.map((code) => preparation.indexOf(code))
    const ratio = parseRatio(component.ratio)
    return (_terms, rated) => rate(ratio, of, sumOf(places, rated))
  }
}

function rate(ratio: Fraction, of: readonly string[], base: Exact): Priced {
  return { quantity: null, slices: [], amount: scaleExact(base, ratio.numerator, ratio.denominator), share: { ratio, of, base } }
}
