import { AppError, isAppError } from '@endeks/domain/errors'
import { addExact, type Exact, exactOf, formatMicro, formatNano, type PerUnit, priceExact, toMicroRounded } from '@endeks/domain/money'
import { formatQuantity, quantity } from '@endeks/domain/units'
import { type Bill, type Charge, checkTariff, epochDay, prepareTariff, rateBill, type TariffDocument } from '@endeks/rating/tariff'
import { baseUnit } from '../../../wire.js'
import type { FrozenInput } from '../frozen.js'
import { type StoredSlice, slicesOf } from '../present.js'
import type { Explanation } from '../schema.js'
import type { LineRow } from '../store/detail.js'
import type { AccrualRow } from '../store/evidence.js'

export type Link = Explanation['chain'][number]

export interface Priced {
  readonly line: LineRow
  readonly accrual: AccrualRow
  readonly frozen: FrozenInput
}

/**
 * The line's amount once more, twice: each slice's quantity times its rate with the product's exact arithmetic, and the whole
 * bill by the tariff engine from the frozen inputs. A share of other lines has no slices; its base comes out of the engine.
 */
export function priceLink({ line, accrual, frozen }: Priced): Link {
  const found = formatMicro(line.net_micro)
  try {
    const document = documentOf(accrual.document, frozen)
    const charge = rateAgain(document, frozen).charges.find((each) => each.component === line.component)
    if (charge === undefined) return { link: 'price', ok: false, expected: `no charge "${line.component}"`, found }
    const slices = slicesOf(line.slices)
    const again = slices.length > 0 ? priceSlices(slices, document.unit, accrual.unit) : undefined
    const net = again === undefined ? charge.netMicro : toMicroRounded(again)
    const ok = net === line.net_micro && charge.netMicro === line.net_micro
    return { link: 'price', ok, expected: `${formatMicro(net)} = ${derivation(charge, slices, accrual.unit)}`, found }
  } catch (thrown) {
    if (!isAppError(thrown)) throw thrown
    return { link: 'price', ok: false, expected: thrown.message, found }
  }
}

/** @throws {AppError} TARIFF_INVALID when the stored document is none that the engine takes */
function documentOf(value: unknown, frozen: FrozenInput): TariffDocument {
  const checked = checkTariff(value, frozen.kdv)
  if (checked.ok) return checked.value
  throw new AppError('TARIFF_INVALID', `the stored tariff is not accepted: ${checked.error[0]?.message ?? ''}`)
}

/** The bill of the frozen inputs, as the run made it. */
function rateAgain(document: TariffDocument, frozen: FrozenInput): Bill {
  return rateBill(prepareTariff(document, frozen.kdv), {
    consumption: quantity(baseUnit(frozen.unit), BigInt(frozen.consumption)),
    period: { from: epochDay(frozen.period.fromDay), to: epochDay(frozen.period.toDay) },
    accrualDay: epochDay(frozen.accrualDate)
  })
}

function priceSlices(slices: readonly StoredSlice[], per: PerUnit, unit: string): Exact {
  return slices.reduce((sum, slice) => {
    const amount = priceExact(quantity(baseUnit(unit), slice.quantity), { per, nano: slice.rateNano })
    return addExact(sum, addExact(amount, exactOf(slice.flatMicro)))
  }, exactOf(0n))
}

/** How the amount comes about, to be read beside it. */
function derivation(charge: Charge, slices: readonly StoredSlice[], unit: string): string {
  if (slices.length > 0) {
    const parts = slices.map((slice) => {
      const { value, unit: shown } = formatQuantity(quantity(baseUnit(unit), slice.quantity))
      const flat = slice.flatMicro === 0n ? '' : ` + ${formatMicro(slice.flatMicro)}`
      return `${value} ${shown} x ${formatNano(slice.rateNano)}${flat}`
    })
    return parts.join(' + ')
  }
  const { share } = charge
  if (share === null) return `component ${charge.component}`
  const { numerator, denominator } = share.ratio
  return `${numerator}/${denominator} x ${exactText(share.base)} (${share.of.join(' + ')})`
}

/** An exact amount in the currency, cut at a billionth: it is shown, not reckoned with. */
function exactText({ numerator, denominator }: Exact): string {
  const nano = (numerator * 1_000n) / denominator
  return formatNano(nano)
}

/** The component as published, for whoever wants to hold the line against the tariff. */
export function componentOf(document: unknown, code: string): unknown {
  const components: unknown =
    typeof document === 'object' && document !== null && 'components' in document ? document.components : undefined
  if (!Array.isArray(components)) return null
  const found: unknown = components.find(
    (each: unknown) => typeof each === 'object' && each !== null && 'code' in each && each.code === code
  )
  return found ?? null
}
