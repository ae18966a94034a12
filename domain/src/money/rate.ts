import { AppError } from '../errors/catalogue.js'
import type { Quantity, QuantityUnit } from '../units/quantity.js'
import { type Exact, exact } from './exact.js'

/** What a price is asked for. Each divides into thousandths of its base unit without remainder. */
const milliOfUnit = {
  m3: { unit: 'L', milli: 1_000_000n },
  L: { unit: 'L', milli: 1_000n },
  kWh: { unit: 'Wh', milli: 1_000_000n },
  MJ: { unit: 'J', milli: 1_000_000_000n },
  GJ: { unit: 'J', milli: 1_000_000_000_000n }
} as const satisfies Record<string, { readonly unit: QuantityUnit; readonly milli: bigint }>

export type PerUnit = keyof typeof milliOfUnit

/** A price in billionths of the currency for one `per`. */
export interface Rate {
  readonly per: PerUnit
  readonly nano: bigint
}

/**
 * Quantity times rate, not yet rounded.
 *
 * @throws {AppError} UNIT_MISMATCH when a volume meets a price of energy: converting is a charge's business, not pricing's
 */
export function priceExact(quantity: Quantity, rate: Rate): Exact {
  const per = milliOfUnit[rate.per]
  if (per.unit !== quantity.unit) {
    throw new AppError('UNIT_MISMATCH', `a quantity in ${quantity.unit} has no price per ${rate.per}`, {
      unit: quantity.unit,
      per: rate.per
    })
  }
  return exact(quantity.milli * rate.nano, per.milli * 1_000n)
}
