import { readFileSync } from 'node:fs'
import { type EpochDay, epochDay, type KdvTable, prepareTariff, type RateInput, rateBill, type TariffDocument } from '@endeks/rating/tariff'

const rating = new URL('../../../rating/', import.meta.url)

function json<Value>(path: string): Value {
  return JSON.parse(readFileSync(new URL(path, rating), 'utf8')) as Value
}

/**
 * Bills of households: one to three tiers, 28 to 31 days, drawn from a fixed sequence, so that every run rates the same ones.
 */
export function households(count: number): RateInput[] {
  const firstDay = epochDay('2026-02-01')
  let state = 20_260_201
  const draw = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
  return Array.from({ length: count }, () => {
    const from = (firstDay + draw(300)) as EpochDay
    const to = (from + 28 + draw(4)) as EpochDay
    return { consumption: { unit: 'L' as const, milli: BigInt(draw(40_000)) * 1_000n }, period: { from, to } }
  })
}

/** What the run does for each bill, with the household tariff that ships; returns the sum of all totals in micro. */
export function rateAll(inputs: readonly RateInput[]): (count: number) => bigint {
  const tariff = prepareTariff(json<TariffDocument>('tariffs/konut.json'), json<KdvTable>('parameters/kdv.json'))
  return (count) => {
    let sum = 0n
    for (let bill = 0; bill < count; bill += 1) {
      const input = inputs[bill % inputs.length]
      if (input !== undefined) sum += rateBill(tariff, input).totals.totalMicro
    }
    return sum
  }
}
