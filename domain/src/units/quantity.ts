import { formatScaled } from './decimal.js'

/** Base units of billed quantities: litre, watt-hour, joule. */
export type QuantityUnit = 'L' | 'Wh' | 'J'

/** A billed or measured amount in thousandths of its unit. `number` never holds one. */
export interface Quantity<Unit extends QuantityUnit = QuantityUnit> {
  readonly unit: Unit
  readonly milli: bigint
}

export function quantity<Unit extends QuantityUnit>(unit: Unit, milli: bigint): Quantity<Unit> {
  return { unit, milli }
}

export function isQuantityUnit(text: string): text is QuantityUnit {
  return text === 'L' || text === 'Wh' || text === 'J'
}

/** In the unit people read: m3, kWh, MJ; three places at least, as bills print them. */
export function formatQuantity(amount: Quantity): { readonly value: string; readonly unit: 'm3' | 'kWh' | 'MJ' } {
  if (amount.unit === 'L') return { value: formatScaled(amount.milli, 6, 3), unit: 'm3' }
  if (amount.unit === 'Wh') return { value: formatScaled(amount.milli, 6, 3), unit: 'kWh' }
  return { value: formatScaled(amount.milli, 9, 3), unit: 'MJ' }
}
