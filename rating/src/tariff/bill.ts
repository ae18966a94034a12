import { AppError } from '@endeks/domain/errors'
import { type Exact, exactOf, toMicroRounded } from '@endeks/domain/money'
import type { Quantity } from '@endeks/domain/units'
import type { Priced, Rated, Terms } from './components/component.js'
import { type EpochDay, monthParts, monthsBetween } from './days.js'
import { kdvRateOn } from './kdv.js'
import type { PreparedComponent, PreparedTariff } from './prepare.js'
import { type Tax, taxOf } from './tax.js'

/** The days that a bill is for: two dates, half-open, or a count where only the count is known. */
export type BilledPeriod = { readonly from: EpochDay; readonly to: EpochDay } | { readonly days: number }

export interface RateInput {
  /** In the tariff's base unit, thousandths, not negative: a correction is the difference of two bills, never a negative one. */
  readonly consumption: Quantity
  readonly period: BilledPeriod
  /** Thousandths of the same unit that earlier bills with the same scale hold: tiers go on from there. */
  readonly billedBefore?: bigint
  /** Decides the KDV rates for the whole bill; without it the period's last day, or the tariff's first where only days are known. */
  readonly accrualDay?: EpochDay
}

/** Ten years: nothing is billed for longer, and a mistyped year is found out. */
const longestPeriodDays = 3_660

/** One priced line: what a component comes to on this bill. */
export interface Charge extends Priced {
  readonly component: string
  readonly kdvClass: string
  readonly kdvRateNano: bigint
  /** `amount` rounded once, half up, to whole kuruş. */
  readonly netMicro: bigint
  /** This line's part of its rate's KDV; parts add up to the document's KDV. */
  readonly kdvMicro: bigint
}

export interface Bill {
  readonly days: number
  /** In the order of the tariff's components; one that has nothing to say, such as a minimum that is reached, is left out. */
  readonly charges: readonly Charge[]
  /** By rate, lowest first. */
  readonly taxes: readonly Tax[]
  readonly totals: { readonly netMicro: bigint; readonly taxMicro: bigint; readonly totalMicro: bigint }
}

/**
 * Rates one bill. Pure: the same tariff and input give the same bill, whoever asks: the run, a quote, the console.
 *
 * @throws {AppError} UNIT_MISMATCH for a consumption in another base unit, VALIDATION for a negative one or a period that ends
 * before it begins, RATE_SCHEDULE_GAP when a KDV class has no rate on the accrual day
 */
export function rateBill(tariff: PreparedTariff, input: RateInput): Bill {
  const terms = termsOf(tariff, input)
  const accrualDay = input.accrualDay ?? ('to' in input.period ? lastDay(input.period) : tariff.validFrom)
  const priced = priceComponents(tariff, terms, terms.before > 0n)
  const lines: { netMicro: bigint; kdvRateNano: bigint; component: PreparedComponent; priced: Priced }[] = []
  for (let index = 0; index < tariff.components.length; index++) {
    const component = tariff.components[index]
    const amount = priced[index]
    if (component === undefined || amount === undefined || amount === null) continue
    const kdvRateNano = kdvRateOn(component.kdv, accrualDay)
    lines.push({ netMicro: toMicroRounded(amount.amount), kdvRateNano, component, priced: amount })
  }
  const { perLine, taxes } = taxOf(lines)
  let netMicro = 0n
  let taxMicro = 0n
  // Written out field by field: a rest pattern here made a bill ten times as dear.
  const charges = lines.map((line, index): Charge => {
    const kdvMicro = perLine[index] ?? 0n
    netMicro += line.netMicro
    taxMicro += kdvMicro
    return {
      component: line.component.code,
      kdvClass: line.component.kdvClass,
      kdvRateNano: line.kdvRateNano,
      quantity: line.priced.quantity,
      slices: line.priced.slices,
      amount: line.priced.amount,
      share: line.priced.share,
      netMicro: line.netMicro,
      kdvMicro
    }
  })
  return { days: terms.days, charges, taxes, totals: { netMicro, taxMicro, totalMicro: netMicro + taxMicro } }
}

/** A period's end stands at 24:00 of the day before; one that was opened and closed on a day has that day. */
export function lastDay({ from, to }: { readonly from: EpochDay; readonly to: EpochDay }): EpochDay {
  return Math.max(from, to - 1) as EpochDay
}

function termsOf(tariff: PreparedTariff, { consumption, period, billedBefore = 0n }: RateInput): Terms {
  if (consumption.unit !== tariff.scale.base) {
    throw new AppError('UNIT_MISMATCH', `the tariff prices ${tariff.scale.base}, the consumption is in ${consumption.unit}`, {
      tariff: tariff.scale.base,
      consumption: consumption.unit
    })
  }
  if (consumption.milli < 0n || billedBefore < 0n) throw new AppError('VALIDATION', 'a consumption is not negative')
  const days = 'days' in period ? period.days : period.to - period.from
  if (!Number.isSafeInteger(days) || days < 0) throw new AppError('VALIDATION', 'a period does not end before it begins')
  if (days > longestPeriodDays) throw new AppError('VALIDATION', `a period has at most ${longestPeriodDays} days, not ${days}`)
  const months = 'days' in period ? (BigInt(period.days) * monthParts) / 30n : monthsBetween(period.from, period.to)
  return { quantity: consumption.milli, before: billedBefore, days, months }
}

/** Prices every component after those whose amounts it takes; with earlier bills of the span, prices what they held as well. */
function priceComponents(tariff: PreparedTariff, terms: Terms, hasEarlier: boolean): readonly (Priced | null)[] {
  const earlier = hasEarlier ? priceComponents(tariff, { ...terms, quantity: terms.before, before: 0n }, false) : undefined
  const rated = new RatedSoFar(tariff.components.length, earlier)
  for (const index of tariff.order) {
    const component = tariff.components[index]
    if (component !== undefined) rated.priced[index] = component.rate(terms, rated)
  }
  return rated.priced
}

const nothing = exactOf(0n)

class RatedSoFar implements Rated {
  readonly priced: (Priced | null)[]
  readonly #earlier: readonly (Priced | null)[] | undefined

  constructor(count: number, earlier: readonly (Priced | null)[] | undefined) {
    this.priced = new Array<Priced | null>(count).fill(null)
    this.#earlier = earlier
  }

  amount(index: number): Exact {
    return this.priced[index]?.amount ?? nothing
  }

  amountBefore(index: number): Exact | undefined {
    if (this.#earlier === undefined) return undefined
    return this.#earlier[index]?.amount ?? nothing
  }
}
