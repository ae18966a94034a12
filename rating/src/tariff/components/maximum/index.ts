import { addExact, type Exact, exactOf, parseMicro } from '@endeks/domain/money'
import { Amount } from '../../text.js'
import { Bases, type ComponentKind, componentSchema, type Priced, type RateFunction } from '../component.js'
import { amountPer, Per } from '../period.js'
import { isZero, positivePart, subtractExact, sumBefore, sumOf } from '../sum.js'

const MaximumComponent = componentSchema('maximum', { of: Bases, amount: Amount, per: Per })

/**
 * What goes beyond a greatest amount, taken off as a line of its own, so that every other line stays quantity times price.
 * Over several bills of one span it is settled against what the earlier ones held.
 */
export const maximum: ComponentKind<typeof MaximumComponent> = {
  schema: MaximumComponent,
  bases: (component) => component.of,
  problems: () => [],
  prepare: (component, preparation): RateFunction => {
    const places = component.of.map((code) => preparation.indexOf(code))
    const micro = parseMicro(component.amount)
    const per = component.per
    return (terms, rated) => rate(amountPer(per, micro, terms), sumOf(places, rated), sumBefore(places, rated))
  }
}

const zero = exactOf(0n)

function rate(bound: Exact, sum: Exact, before: Exact | undefined): Priced | null {
  const amount = before === undefined ? beyond(bound, sum) : subtractExact(beyond(bound, addExact(before, sum)), beyond(bound, before))
  return isZero(amount) ? null : { quantity: null, slices: [], amount, share: null }
}

/** What is taken off, below zero. */
function beyond(bound: Exact, sum: Exact): Exact {
  return subtractExact(zero, positivePart(subtractExact(sum, bound)))
}
