import { divideRounded, minorUnitMicro } from './round.js'

/**
 * An amount of money before it is rounded: a fraction of micro. A percent such as one third of the water price has no
 * finite decimals, and a charge is rounded once, so the fraction is carried to the end.
 */
export interface Exact {
  readonly numerator: bigint
  readonly denominator: bigint
}

export function exact(numerator: bigint, denominator: bigint): Exact {
  if (denominator <= 0n) throw new RangeError('exact: the denominator must be positive')
  return { numerator, denominator }
}

export function exactOf(micro: bigint): Exact {
  return { numerator: micro, denominator: 1n }
}

export function addExact(a: Exact, b: Exact): Exact {
  if (a.denominator === b.denominator) return { numerator: a.numerator + b.numerator, denominator: a.denominator }
  return { numerator: a.numerator * b.denominator + b.numerator * a.denominator, denominator: a.denominator * b.denominator }
}

/** `amount` times `numerator / denominator`. */
export function scaleExact(amount: Exact, numerator: bigint, denominator: bigint): Exact {
  return exact(amount.numerator * numerator, amount.denominator * denominator)
}

/** The only way from an exact amount to one that can be charged: whole kuruş, half up, in micro. */
export function toMicroRounded(amount: Exact): bigint {
  return divideRounded(amount.numerator, amount.denominator * minorUnitMicro) * minorUnitMicro
}
