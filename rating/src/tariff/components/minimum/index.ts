import { addExact, type Exact, parseMicro } from '@endeks/domain/money'
import { Amount } from '../../text.js'
import { Bases, type ComponentKind, componentSchema, type Priced, type RateFunction } from '../component.js'
import { amountPer, Per } from '../period.js'
import { isZero, positivePart, subtractExact, sumBefore, sumOf } from '../sum.js'

const MinimumComponent = componentSchema('minimum', { of: Bases, amount: Amount, per: Per })

/**
 * What is missing to a least amount, as a line of its own, so that every other line stays quantity times price.
 * Over several bills of one span it is settled against what the earlier ones held.
 */
export const minimum: ComponentKind<typeof MinimumComponent> = {
  schema: MinimumComponent,
  bases: (component) => component.of,
  problems: () => [],
  prepare: (component, preparation): RateFunction => {
    const places = component.of.map((code) => preparation.indexOf(code))
    const micro = parseMicro(component.amount)
    const per = component.per
    return (terms, rated) => rate(amountPer(per, micro, terms), sumOf(places, rated), sumBefore(places, rated))
  }
}

function rate(bound: Exact, sum: Exact, before: Exact | undefined): Priced | null {
  const amount = before === undefined ? missing(bound, sum) : subtractExact(missing(bound, addExact(before, sum)), missing(bound, before))
  return isZero(amount) ? null : { quantity: null, slices: [], amount, share: null }
}

/** What the sum lacks. */
function missing(bound: Exact, sum: Exact): Exact {
  return positivePart(subtractExact(bound, sum))
}
