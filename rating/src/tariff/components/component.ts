import type { Exact } from '@endeks/domain/money'
import Type, { type Static, type TProperties, type TSchema } from 'typebox'
import type { Problem } from '../problem.js'
import type { Fraction } from '../ratio.js'
import { Code, Name } from '../text.js'
import type { UnitScale } from '../unit.js'

/** What one bill is rated on. */
export interface Terms {
  /** Consumption, in thousandths of the base unit. */
  readonly quantity: bigint
  /** What earlier bills of the same span and scale hold: the first unit of this bill is the one after it. */
  readonly before: bigint
  readonly days: number
  /** Calendar months, in `monthParts`. */
  readonly months: bigint
}

/** Consumption at one price. */
export interface Slice {
  /** Index of the tier in the component. */
  readonly tier: number
  /** Bounds of the tier for this many days, in thousandths of the base unit, on the grid; null is open. */
  readonly from: bigint
  readonly to: bigint | null
  /**
   * `consumption`: part of what is billed; these add up to it. `billed-before`: in volume mode, what earlier bills priced at
   * another tier, at the difference of the two prices.
   */
  readonly basis: 'consumption' | 'billed-before'
  readonly quantity: bigint
  readonly rateNano: bigint
  /** The flat amount of the tier where this bill enters it, else zero. */
  readonly flatMicro: bigint
  /** Quantity times rate plus flat, not rounded. */
  readonly amount: Exact
}

/** What a component comes to, before it is rounded. */
export interface Priced {
  /** Thousandths of the base unit, where the component prices a quantity. */
  readonly quantity: bigint | null
  readonly slices: readonly Slice[]
  readonly amount: Exact
  /** For a share of others: which, and of how much. */
  readonly share: { readonly ratio: Fraction; readonly of: readonly string[]; readonly base: Exact } | null
}

/** The other components of the bill, by their place in the document; those that a component names are rated before it. */
export interface Rated {
  /** The exact amount of this bill. */
  amount(index: number): Exact
  /** What earlier bills of the span came to, or undefined when there are none. */
  amountBefore(index: number): Exact | undefined
}

/** Rates one bill; null when the component has nothing to say on it, such as a minimum that is reached. */
export type RateFunction = (terms: Terms, rated: Rated) => Priced | null

export interface Preparation {
  readonly scale: UnitScale
  /** The place of a component in the document. */
  indexOf(code: string): number
}

/**
 * A kind of component: its schema, what can be wrong with it beyond the schema, and how it is rated. The methods are written
 * as methods on purpose: a kind of tiers then stands where a kind of any component is expected, and is only ever handed its own.
 */
export interface ComponentKind<Schema extends TSchema = TSchema> {
  readonly schema: Schema
  /** Codes of the components whose amounts it takes. */
  bases(component: Static<Schema>): readonly string[]
  /** Problems with their path below the component. */
  problems(component: Static<Schema>): Problem[]
  /** Turns text into integers once; what it returns is called for every bill. */
  prepare(component: Static<Schema>, preparation: Preparation): RateFunction
}

/** The schema of a component: what all of them have, and what the kind adds. */
export function componentSchema<Kind extends string, Own extends TProperties>(kind: Kind, own: Own) {
  return Type.Object({ kind: Type.Literal(kind), code: Code, name: Name, kdv: Code, ...own }, { additionalProperties: false })
}

/** One component or several, by code. */
export const Bases = Type.Array(Code, { minItems: 1, maxItems: 20, uniqueItems: true })
