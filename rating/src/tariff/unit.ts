import { meterUnits, type QuantityUnit } from '@endeks/domain/units'
import Type, { type Static } from 'typebox'

/** Units that a tariff may ask a price for. */
export const TariffUnit = Type.Enum(['m3', 'L', 'kWh', 'MJ'])
export type TariffUnit = Static<typeof TariffUnit>

/** A tariff's unit in the integers that rating reckons with. */
export interface UnitScale {
  readonly unit: TariffUnit
  readonly base: QuantityUnit
  /** One unit in thousandths of the base unit. */
  readonly milli: bigint
  /** One thousandth of the unit in thousandths of the base unit: the grid on which tiers are cut, because bills print three places. */
  readonly grid: bigint
  /** What turns thousandths of the base unit times billionths of the currency into micro. */
  readonly priceDenominator: bigint
  /** Decimal places of the unit that are exact in thousandths of the base unit. */
  readonly places: number
}

export function unitScale(unit: TariffUnit): UnitScale {
  const { base, milli } = meterUnits[unit]
  return { unit, base, milli, grid: milli / 1_000n, priceDenominator: milli * 1_000n, places: milli.toString().length - 1 }
}
