import {
  type Bill,
  type ComponentDefinition,
  type KdvTable,
  prepareTariff,
  type RateInput,
  rateBill,
  type TariffDocument
} from '../../src/tariff/index.js'

export const kdvTable: KdvTable = {
  water: [{ from: '2022-01-01', rate: '0.01' }],
  general: [
    { from: '2001-05-15', rate: '0.18' },
    { from: '2023-07-10', rate: '0.20' }
  ],
  none: [{ from: '1970-01-01', rate: '0' }]
}

const name = { tr: 'Kalem', en: 'Line' }

export interface TierPrice {
  readonly from: string
  readonly price: string
  readonly flat?: string
}

export function tiersOf(prices: readonly TierPrice[]): { from: string; to?: string; price: string; flat?: string }[] {
  return prices.map((tier, index) => {
    const to = prices[index + 1]?.from
    return to === undefined ? { ...tier } : { ...tier, to }
  })
}

export function tiers(
  code: string,
  prices: readonly TierPrice[],
  options: { mode?: 'graduated' | 'volume'; scale?: '30days' | 'none'; kdv?: string } = {}
): ComponentDefinition {
  const { mode = 'graduated', scale = 'none', kdv = 'none' } = options
  return { kind: 'tiers', code, name, kdv, mode, scale, tiers: tiersOf(prices) }
}

export function fixed(code: string, amount: string, per: 'bill' | 'day' | '30days' | 'month' = 'bill', kdv = 'none'): ComponentDefinition {
  return { kind: 'fixed', code, name, kdv, amount, per }
}

export function percent(code: string, of: string[], ratio: string, kdv = 'none'): ComponentDefinition {
  return { kind: 'percent', code, name, kdv, of, ratio }
}

export function bound(kind: 'minimum' | 'maximum', of: string[], amount: string): ComponentDefinition {
  return { kind, code: kind, name, kdv: 'none', of, amount, per: 'bill' }
}

export function allowance(rule: { every: string; amount: string; upTo: string; price: string }): ComponentDefinition {
  return { kind: 'allowance', code: 'allowance', name, kdv: 'none', scale: '30days', ...rule }
}

export function tariff(components: ComponentDefinition[], more: Partial<TariffDocument> = {}): TariffDocument {
  return {
    format: 1,
    code: 'trial',
    name: { tr: 'Deneme', en: 'Trial' },
    currency: 'TRY',
    version: '1',
    validFrom: '2026-01-01',
    unit: 'm3',
    components,
    ...more
  }
}

/** A quantity of whole or decimal cubic metres in thousandths of a litre. */
export function m3(amount: number): bigint {
  return BigInt(Math.round(amount * 1_000)) * 1_000n
}

export function bill(components: ComponentDefinition[], amount: number, more: Partial<RateInput> = {}): Bill {
  return rateBill(prepareTariff(tariff(components), kdvTable), {
    consumption: { unit: 'L', milli: m3(amount) },
    period: { days: 30 },
    ...more
  })
}
