import { AppError } from '@endeks/domain/errors'
import { isQuantityUnit, quantity } from '@endeks/domain/units'
import type { BillInput } from '../consumption/input.js'
import { type Bill, epochDay, type PreparedTariff, rateBill } from '../tariff/index.js'

/**
 * Prices frozen inputs. Pure: the run, a replay and the console get the same bill from the same record.
 *
 * @param tariff the rate schedule that the record names, prepared with the record's KDV rows
 */
export function accrue(input: BillInput, tariff: PreparedTariff): Bill {
  if (!isQuantityUnit(input.unit)) throw new AppError('UNIT_MISMATCH', `"${String(input.unit)}" is no unit of a billed quantity`)
  return rateBill(tariff, {
    consumption: quantity(input.unit, BigInt(input.consumption)),
    period: { from: epochDay(input.period.fromDay), to: epochDay(input.period.toDay) },
    accrualDay: epochDay(input.accrualDate)
  })
}
