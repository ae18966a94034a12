import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { formatMicro, parseMicro } from '@endeks/domain/money'
import t, { type Test } from 'tap'
import { type ComponentDefinition, gasEnergy, parseRatio, prepareTariff, rateBill } from '../../src/tariff/index.js'
import { allowance, bill, bound, fixed, kdvTable, m3, percent, type TierPrice, tariff, tiers } from './fixtures.js'

// Bills that utilities and other engines published. The file is read in place; figures of a case come from it wherever it has them.
const file = fileURLToPath(new URL('../../../../../shared/billing/worked-bills.json', import.meta.url))

interface PublishedTier {
  readonly upTo: number | null
  readonly price?: number
  readonly flat?: number
}

interface Published {
  readonly id: string
  readonly usage?: number
  readonly usage_implied?: number
  readonly fixed?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly graduated?: readonly PublishedTier[]
  readonly volume?: readonly PublishedTier[]
  readonly sewer?: readonly PublishedTier[]
  readonly tiers?: readonly PublishedTier[]
  readonly expect?: unknown
  readonly [key: string]: unknown
}

const published: readonly Published[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).cases : []

/** Cases that no tariff of ours can show, each with the reason. */
const leftOut: Readonly<Record<string, string>> = {
  'arden-hills-2013-10kgal': 'gives the amounts but no rates, and its printed total is not the sum of its lines',
  'clark-nj-sewer': 'its note says the unit of the rate is ambiguous; it has no expected amount'
}

const shown = new Set<string>()

function worked(id: string, check: (t: Test, given: Published) => void): void {
  shown.add(id)
  const given = published.find((one) => one.id === id)
  const skip = given === undefined ? `${file} is not there` : false
  t.test(`${id} comes out as published`, { skip }, async (t) => {
    if (given !== undefined) check(t, given)
  })
}

/** An inclusive upper bound is where the next tier begins; a last bound closes nothing here, since a tariff must price every unit. */
function pricesOf(list: readonly PublishedTier[] | undefined): TierPrice[] {
  return (list ?? []).map((tier, index, all) => ({
    from: index === 0 ? '0' : String(all[index - 1]?.upTo ?? 0),
    price: String(tier.price ?? 0),
    ...(tier.flat === undefined ? {} : { flat: String(tier.flat) })
  }))
}

function components(given: Published): ComponentDefinition[] {
  const list: ComponentDefinition[] = []
  if (given.graduated !== undefined) list.push(tiers('water', pricesOf(given.graduated)))
  if (given.volume !== undefined) list.push(tiers('water', pricesOf(given.volume), { mode: 'volume' }))
  if (given.sewer !== undefined) list.push(tiers('sewer', pricesOf(given.sewer)))
  if (given.fixed !== undefined) list.push(fixed('fixed', String(given.fixed)))
  return list
}

function net(list: ComponentDefinition[], usage: number, before = 0): number {
  return Number(formatMicro(bill(list, usage, { billedBefore: m3(before) }).totals.netMicro))
}

function byUsage(t: Test, given: Published, expected: unknown): void {
  for (const [usage, amount] of Object.entries(expected as Record<string, number>)) {
    t.equal(net(components(given), Number(usage)), amount, `${usage} units`)
  }
}

for (const id of ['killbill-water-400L', 'killbill-water-1200L-top', 'killbill-111-all', 'openmeter-grad-22', 'rateparser-row1']) {
  worked(id, (t, given) => t.equal(net(components(given), given.usage ?? 0), given.expect))
}

worked('nampa-2017-1400cf', (t, given) => {
  const result = bill(components(given), given.usage ?? 0)
  const expected = given.expect as Record<string, number>
  t.strictSame(
    result.charges[0]?.slices.map((slice) => Number(slice.amount.numerator) / Number(slice.amount.denominator) / 1e6),
    [expected['tier1'], expected['tier2']]
  )
  t.equal(Number(formatMicro(result.totals.netMicro)), expected['total'])
})

worked('hdwd-6units', (t, given) => {
  t.equal(net(components(given), given.usage_implied ?? 0), given['expect_published'], 'the eight units that it multiplied')
  t.equal(net(components(given), 6), 47.69, 'the six units that it says')
})

worked('makine-osb-2023-11', (t, given) => {
  // A thousand m3, so that three decimals of a price are whole kuruş.
  const list = [
    tiers('water', [{ from: '0', price: String(given['water_price']) }], { kdv: 'water' }),
    percent('osb-share', ['water'], `${given['osb_share_pct']}/100`, 'general')
  ]
  const input = { consumption: { unit: 'L', milli: m3(1_000) }, period: { days: 30 } } as const
  const { totals, charges } = rateBill(prepareTariff(tariff(list), kdvTable), input)
  const expected = given.expect as Record<string, string>
  t.equal(formatMicro(charges[1]?.netMicro ?? 0n), '5748.80')
  t.equal((Number(formatMicro(totals.netMicro)) / 1_000).toFixed(3), expected['net_total'])
  t.equal((Number(formatMicro(totals.totalMicro)) / 1_000).toFixed(3), expected['gross_per_m3'])
})

worked('izsu-22m3-30d', (t, given) => {
  const slices = (prices: TierPrice[]): number[] => {
    const result = bill([tiers('water', prices, { scale: '30days' })], given.usage ?? 0, { period: { days: Number(given['days']) } })
    return result.charges[0]?.slices.map((slice) => Number(slice.quantity / 1_000_000n)) ?? []
  }
  t.strictSame(slices(pricesOf(given.tiers)), given['expect_quantities'])
  const [first, second] = given['non_residential_tiers'] as number[]
  const other = [{ upTo: first ?? 0 }, { upTo: second ?? 0 }, { upTo: null }]
  t.strictSame(slices(pricesOf(other)), given['expect_non_residential'])
})

worked('openmeter-grad-maxspend-170', (t, given) => {
  const grad = published.find((one) => one.id === 'openmeter-grad-22')
  const before = Number(given['already_billed_usage'])
  const list = [tiers('water', pricesOf(grad?.graduated)), bound('maximum', ['water'], String(given.maximum))]
  t.equal(net(list, before), given['already_billed_amount'])
  t.equal(net(list, given.usage ?? 0, before), given.expect)
})

worked('openmeter-grad-minspend-1000', (t, given) => {
  const grad = published.find((one) => one.id === 'openmeter-grad-22')
  const list = [tiers('water', pricesOf(grad?.graduated)), bound('minimum', ['water'], String(given.minimum))]
  const { charges } = bill(list, given.usage ?? 0)
  t.equal(charges[0]?.netMicro, parseMicro(String(given['already_billed_amount'])))
  t.equal(charges[1]?.netMicro, parseMicro(String(given['expect_minimum_line'])))
})

worked('lago-grad', (t, given) => byUsage(t, given, given['expect_by_usage']))
worked('lago-volume', (t, given) => byUsage(t, given, given['expect_by_usage']))

worked('digit-residential', (t, given) => {
  byUsage(t, given, given['expect_before_minimum'])
  const list = [...components(given), bound('minimum', ['water'], String(given.minimum))]
  t.equal(net(list, 10), 100)
  t.equal(net(list, 25), 100)
  t.equal(net(list, 31), 137)
})

worked('gib-sample-temelfatura', (t, given) => {
  const list = [tiers('energy', [{ from: '0', price: String(given['price']) }], { kdv: 'general' })]
  const document = tariff(list, {
    unit: 'kWh',
    taxes: { kdv: { general: [{ from: '2000-01-01', rate: String(Number(given['kdv_pct']) / 100) }] } }
  })
  const { totals } = rateBill(prepareTariff(document, kdvTable), {
    consumption: { unit: 'Wh', milli: BigInt(Number(given['qty_kwh'])) * 1_000_000n },
    period: { days: 30 }
  })
  t.equal(Number(formatMicro(totals.netMicro)), given['line'])
  t.equal(Number(formatMicro(totals.taxMicro)), given['kdv'])
  t.equal(Number(formatMicro(totals.totalMicro)), given['payable'])
})

worked('iski-2023-human-right', (t, given) => {
  // No bill is printed with the rule: these are its steps at the printed prices, wastewater a third of what is left.
  const [first] = pricesOf(given.tiers)
  const list = [
    tiers('water', pricesOf(given.tiers), { scale: '30days' }),
    allowance({ every: '2.5', amount: '0.5', upTo: '15', price: first?.price ?? '0' }),
    percent('wastewater', ['water', 'allowance'], '1/3')
  ]
  const nets = (usage: number): string[] => bill(list, usage).charges.map((charge) => formatMicro(charge.netMicro))
  t.strictSame(nets(2), ['29.22', '9.74'])
  t.strictSame(nets(7.4), ['108.11', '-14.61', '31.17'])
  t.strictSame(nets(15), ['219.15', '-43.83', '58.44'])
  t.strictSame(nets(20), ['328.90', '-43.83', '95.02'], 'never more than three m3')
})

worked('lago-package', (t, given) => {
  const name = { tr: 'Paket', en: 'Package' }
  const size = String(given['package_size'])
  for (const { usage, free, amount } of given.expect as { usage: number; free: number; amount: number }[]) {
    const list: ComponentDefinition[] = [
      { kind: 'package', code: 'package', name, kdv: 'none', size, free: String(free), price: String(given['amount']) }
    ]
    t.equal(net(list, usage), amount, `${usage} units, ${free} of them free`)
  }
})

worked('gas-esgaz', (t, given) => {
  const { m3: volume, uid_kcal } = given['expect_reference'] as { m3: number; uid_kcal: number }
  const conversion = { correction: parseRatio('1'), heatingValueKcal: parseRatio(String(uid_kcal)) }
  t.equal(gasEnergy({ unit: 'L', milli: m3(volume) }, conversion).milli, 10_640_000n, '10.640 kWh')
})

t.test(
  'every published bill is shown or left out for a reason',
  { skip: published.length === 0 ? `${file} is not there` : false },
  async (t) => {
    for (const { id } of published) {
      if (!shown.has(id)) t.comment(`${id}: ${leftOut[id]}`)
      t.not(shown.has(id), Object.hasOwn(leftOut, id), id)
    }
  }
)
