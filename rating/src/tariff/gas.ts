import { AppError } from '@endeks/domain/errors'
import { divideRounded } from '@endeks/domain/money'
import { type Quantity, quantity } from '@endeks/domain/units'
import type { Fraction } from './ratio.js'

/** What turns a gas meter's cubic metres into the kilowatt-hours that are billed. */
export interface GasConversion {
  /** K = (P / Pr) x (Tr / T) x (Zr / Z), with Pr 1.01325 bar and Tr 288.15 K. */
  readonly correction: Fraction
  /** Flow-weighted average of the accrual period, kcal for a corrected m3. */
  readonly heatingValueKcal: Fraction
}

/**
 * Energy of a volume of gas: read m3 x K x heating value / 860.42, rounded once, half up, to a thousandth of a kilowatt-hour.
 *
 * @see EPDK's rule for billing in kWh; 9,155 kcal/m3 is 10.640 kWh/m3
 * @throws {AppError} VALIDATION for a factor or a heating value of zero: it would make gas free
 */
export function gasEnergy(volume: Quantity<'L'>, { correction, heatingValueKcal }: GasConversion): Quantity<'Wh'> {
  if (correction.numerator <= 0n || heatingValueKcal.numerator <= 0n) {
    throw new AppError('VALIDATION', 'correction factor and heating value are above zero')
  }
  // A m3 is a million thousandths of a litre; 860.42 is 86,042 hundredths. Rounded to whole Wh, which are thousandths of a kWh.
  const numerator = volume.milli * correction.numerator * heatingValueKcal.numerator * 100n
  const denominator = 1_000_000n * correction.denominator * heatingValueKcal.denominator * 86_042n
  return quantity('Wh', divideRounded(numerator * 1_000n, denominator) * 1_000n)
}
