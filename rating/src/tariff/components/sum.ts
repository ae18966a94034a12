import { addExact, type Exact, exactOf } from '@endeks/domain/money'
import type { Rated } from './component.js'

const zero = exactOf(0n)

/** The exact amounts of this bill's components at these places, together. */
export function sumOf(places: readonly number[], rated: Rated): Exact {
  const [first, ...rest] = places
  if (first === undefined) return zero
  let sum = rated.amount(first)
  for (const place of rest) sum = addExact(sum, rated.amount(place))
  return sum
}

/** The same for the earlier bills of the span; undefined when there are none. */
export function sumBefore(places: readonly number[], rated: Rated): Exact | undefined {
  let sum = zero
  for (const place of places) {
    const amount = rated.amountBefore(place)
    if (amount === undefined) return undefined
    sum = addExact(sum, amount)
  }
  return sum
}

export function subtractExact(a: Exact, b: Exact): Exact {
  return addExact(a, { numerator: -b.numerator, denominator: b.denominator })
}

export function isZero(amount: Exact): boolean {
  return amount.numerator === 0n
}

/** What `amount` is above zero, else zero. */
export function positivePart(amount: Exact): Exact {
  return amount.numerator > 0n ? amount : zero
}
