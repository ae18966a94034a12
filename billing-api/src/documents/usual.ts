import { divideRounded } from '@endeks/domain/money'
import { change, quotient, scaled, shortMonth, type Words } from './format.js'

/** A month of consumption beside the same month a year before, as `GET /api/participants/{registryNo}/consumption` has it. */
export interface ConsumptionMonth {
  readonly month: string
  readonly amount: string | null
  readonly lastYear: string | null
  readonly estimated: boolean
}

export interface Bar {
  readonly label: Words
  /** printed under the first bar and under every January */
  readonly year: string | null
  /** thousandths of the highest bar */
  readonly height: number | null
  readonly lastYear: number | null
  readonly estimated: boolean
  /** the amount in words on the first, the last and the highest bar */
  readonly value: string | null
}

export interface Usual {
  readonly bars: readonly Bar[]
  /** thousandths of the highest bar */
  readonly average: number | null
  readonly perDay: string | null
  readonly overLastMonth: string | null
  readonly overLastYear: string | null
  readonly pricePerUnit: string | null
  readonly anyEstimated: boolean
  readonly anyLastYear: boolean
}

const chartMonths = 13

/** Whether this bill is usual: the months up to its period, and what a day and a unit came to. */
export function usual(facts: {
  readonly period: string
  readonly months: readonly ConsumptionMonth[]
  readonly consumption: string
  readonly days: number
  readonly gross: string
}): Usual {
  const months = facts.months.filter((month) => month.month <= facts.period).slice(-chartMonths)
  const amounts = months.flatMap(({ amount }) => (amount === null ? [] : [scaled(amount)]))
  const highest = largest([...amounts, ...months.flatMap(({ lastYear }) => (lastYear === null ? [] : [scaled(lastYear)]))])
  const heightOf = (value: bigint): number => (highest === 0n || value <= 0n ? 0 : Number(divideRounded(value * 1_000n, highest)))
  const top = months.findIndex(({ amount }) => amount !== null && scaled(amount) === largest(amounts))
  const current = months.at(-1)
  const consumption = scaled(facts.consumption)
  return {
    bars: months.map(({ month, amount, lastYear, estimated }, index) => ({
      label: shortMonth(month),
      year: index === 0 || month.endsWith('-01') ? month.slice(0, 4) : null,
      height: amount === null ? null : heightOf(scaled(amount)),
      lastYear: lastYear === null ? null : heightOf(scaled(lastYear)),
      estimated,
      value: amount !== null && [0, months.length - 1, top].includes(index) ? quotient(scaled(amount), 1_000_000_000n, 0) : null
    })),
    average: amounts.length === 0 ? null : heightOf(amounts.reduce((sum, value) => sum + value, 0n) / BigInt(amounts.length)),
    perDay: facts.days > 0 ? quotient(consumption, BigInt(facts.days) * 1_000_000_000n, 1) : null,
    overLastMonth: change(current?.amount, months.at(-2)?.amount) ?? null,
    overLastYear: change(current?.amount, current?.lastYear) ?? null,
    pricePerUnit: consumption > 0n ? quotient(scaled(facts.gross), consumption, 4) : null,
    anyEstimated: months.some(({ estimated }) => estimated),
    anyLastYear: months.some(({ lastYear }) => lastYear !== null)
  }
}

function largest(values: readonly bigint[]): bigint {
  let most = 0n
  for (const value of values) if (value > most) most = value
  return most
}
