import { formatMicro, parseMicro } from '@endeks/domain/money'
import fc from 'fast-check'
import t from 'tap'
import { type Charge, type ComponentDefinition, epochDay, formatEpochDay, prepareTariff, rateBill } from '../../src/tariff/index.js'
import { bill, bound, fixed, kdvTable, m3, percent, tariff, tiers } from './fixtures.js'

const period = (from: string, to: string) => ({ from: epochDay(from), to: epochDay(to) })
const nets = (charges: readonly Charge[]): string[] => charges.map((charge) => formatMicro(charge.netMicro))

t.test('a slab is as wide as its bounds are apart, not as its end', async (t) => {
  // DIGIT compares what is left with the slab's absolute end and gets 72.5, 35 and 140.
  const slabs = [
    tiers('water', [
      { from: '0', price: '2' },
      { from: '10', price: '3.5' },
      { from: '20', price: '6' }
    ])
  ]
  t.strictSame(
    [25, 10, 30].map((amount) => formatMicro(bill(slabs, amount).totals.netMicro)),
    ['85.00', '20.00', '115.00']
  )
})

t.test('a part of a block is billed as a part', async (t) => {
  // Kill Bill rounds blocks up to whole ones.
  const blocks = [
    tiers('water', [
      { from: '0', price: '1.5' },
      { from: '1', price: '2' }
    ])
  ]
  t.equal(formatMicro(bill(blocks, 1.25).totals.netMicro), '2.00')
})

t.test('there is no consumption between two tiers', async (t) => {
  // Lago writes 0-10 and 11-20 and guesses where 10.4 belongs.
  const prices = [
    { from: '0', price: '1' },
    { from: '10', price: '10' }
  ]
  t.equal(formatMicro(bill([tiers('water', prices)], 10.4).totals.netMicro), '14.00')
  t.equal(formatMicro(bill([tiers('water', prices, { mode: 'volume' })], 10.4).totals.netMicro), '104.00')
  t.equal(formatMicro(bill([tiers('water', prices, { mode: 'volume' })], 10).totals.netMicro), '10.00', 'ten units end below ten')
})

t.test('a percent takes the exact amount of its base, also of another percent declared later', async (t) => {
  const list = [percent('sixth', ['third'], '1/2'), tiers('water', [{ from: '0', price: '0.01' }]), percent('third', ['water'], '1/3')]
  t.strictSame(nets(bill(list, 3).charges), ['0.01', '0.03', '0.01'], 'half of a third of 0.03 is half a kuruş, which rounds up')
})

t.test('bounds of 13 and 20 m3 for 30 days are 13.433 and 20.667 for 31', async (t) => {
  const list = [
    tiers(
      'water',
      [
        { from: '0', price: '1' },
        { from: '13', price: '2' },
        { from: '20', price: '3' }
      ],
      { scale: '30days' }
    )
  ]
  const result = bill(list, 22, { period: period('2026-10-01', '2026-11-01') })
  t.strictSame(
    result.charges[0]?.slices.map((slice) => slice.quantity),
    [13_433_000n, 7_234_000n, 1_333_000n]
  )
})

t.test('a subscription opened and closed on one day has the tiers of one day and no daily fee', async (t) => {
  const list = [
    tiers(
      'water',
      [
        { from: '0', price: '1' },
        { from: '30', price: '5' }
      ],
      { scale: '30days' }
    ),
    fixed('fee', '3', 'day')
  ]
  t.strictSame(nets(bill(list, 1, { period: period('2026-10-01', '2026-10-01') }).charges), ['1.00', '0.00'])
})

t.test('a month costs one month, however long it is', async (t) => {
  const list = [fixed('fee', '31', 'month')]
  const fee = (from: string, to: string) => formatMicro(bill(list, 0, { period: period(from, to) }).totals.netMicro)
  t.equal(fee('2028-02-01', '2028-03-01'), '31.00', 'February 2028 has 29 days')
  t.equal(fee('2026-10-01', '2026-11-01'), '31.00')
  t.equal(fee('2026-01-01', '2027-01-01'), '372.00')
  t.equal(fee('2026-01-31', '2026-02-15'), '16.50', 'a day of January is 1.00, fourteen of February half a month')
})

t.test('the accrual day decides the rate for the whole bill', async (t) => {
  const list = [fixed('fee', '100', 'bill', 'general')]
  const rate = (accrual: string) => bill(list, 0, { period: period('2023-06-15', '2023-07-15'), accrualDay: epochDay(accrual) }).totals
  t.equal(rate('2023-07-09').taxMicro, parseMicro('18'))
  t.equal(rate('2023-07-10').taxMicro, parseMicro('20'))
  t.equal(
    bill(list, 0, { period: period('2023-06-15', '2023-07-15') }).totals.taxMicro,
    parseMicro('20'),
    'without one, the end of the period'
  )
  t.throws(() => rate('1999-01-01'), { code: 'RATE_SCHEDULE_GAP' })
})

t.test('KDV is of the sum of the rounded lines, and a deduction bears its own', async (t) => {
  const three = ['a', 'b', 'c'].map((code) => fixed(code, '0.12', 'bill', 'general'))
  const result = bill(three, 0, { accrualDay: epochDay('2026-11-01') })
  t.equal(formatMicro(result.totals.taxMicro), '0.07', '0.36 x 0.20, where each line alone would make 0.02 x 3')
  t.strictSame(
    result.charges.map((charge) => formatMicro(charge.kdvMicro)),
    ['0.03', '0.02', '0.02']
  )
  const capped = [fixed('a', '100', 'bill', 'general'), { ...bound('maximum', ['a'], '60'), kdv: 'general' }]
  const cappedBill = bill(capped, 0, { accrualDay: epochDay('2026-11-01') })
  t.strictSame(
    cappedBill.charges.map((charge) => formatMicro(charge.kdvMicro)),
    ['20.00', '-8.00']
  )
  t.equal(formatMicro(cappedBill.totals.totalMicro), '72.00')
})

t.test('a minimum that an earlier bill charged is given back as consumption fills it', async (t) => {
  const list = [tiers('water', [{ from: '0', price: '2' }]), bound('minimum', ['water'], '100')]
  t.strictSame(nets(bill(list, 10).charges), ['20.00', '80.00'])
  t.strictSame(nets(bill(list, 30, { billedBefore: m3(10) }).charges), ['60.00', '-60.00'])
  t.strictSame(nets(bill(list, 60).charges), ['120.00'], 'a minimum that is reached is no line')
})

t.test('what cannot be rated is refused by code', async (t) => {
  const prepared = prepareTariff(tariff([tiers('water', [{ from: '0', price: '1' }])]), kdvTable)
  const milli = 1n
  t.throws(() => rateBill(prepared, { consumption: { unit: 'Wh', milli }, period: { days: 1 } }), { code: 'UNIT_MISMATCH' })
  t.throws(() => rateBill(prepared, { consumption: { unit: 'L', milli: -1n }, period: { days: 1 } }), { code: 'VALIDATION' })
  t.throws(() => rateBill(prepared, { consumption: { unit: 'L', milli }, period: { days: -1 } }), { code: 'VALIDATION' })
  t.throws(() => rateBill(prepared, { consumption: { unit: 'L', milli }, period: { days: 100_000 } }), { code: 'VALIDATION' })
  t.throws(() => prepareTariff(tariff([fixed('fee', '1', 'bill', 'unheard-of')]), kdvTable), { code: 'RATE_SCHEDULE_GAP' })
})

t.test("a day number is the calendar's, there and back", async (t) => {
  t.equal(epochDay('1970-01-01'), 0)
  t.equal(epochDay('2000-02-29'), 11_016)
  for (const wrong of ['2026-02-29', '2026-13-01', '2026-00-10', '2026-1-1', '']) t.throws(() => epochDay(wrong), { code: 'VALIDATION' })
  fc.assert(
    fc.property(fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
      const text = date.toISOString().slice(0, 10)
      return epochDay(text) === Math.floor(date.getTime() / 86_400_000) && formatEpochDay(epochDay(text)) === text
    })
  )
})

/** Tiers with rising bounds, at prices that rise or not. */
const anyTiers = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 4 }),
    fc.array(fc.integer({ min: 0, max: 99_999 }), { minLength: 5, maxLength: 5 })
  )
  .map(([widths, prices]) => {
    let from = 0
    return [0, ...widths].map((width, index) => {
      from += width
      return { from: (from / 1_000).toFixed(3), price: ((prices[index] ?? 0) / 1_000).toFixed(3) }
    })
  })
const anyDays = fc.integer({ min: 0, max: 400 })
const anyMilli = fc.bigInt(0n, 200_000_000n)

function graduated(prices: { from: string; price: string }[]): ComponentDefinition[] {
  const water = tiers('water', prices, { scale: '30days', kdv: 'water' })
  return [
    water,
    percent('wastewater', ['water'], '1/3', 'general'),
    fixed('fee', '18.50', '30days', 'general'),
    fixed('rent', '0.07', 'day', 'water')
  ]
}

function ratedWith(
  prices: { from: string; price: string }[]
): (milli: bigint, days: number, billedBefore?: bigint) => ReturnType<typeof rateBill> {
  const prepared = prepareTariff(tariff(graduated(prices)), kdvTable)
  return (milli, days, billedBefore = 0n) => rateBill(prepared, { consumption: { unit: 'L', milli }, period: { days }, billedBefore })
}

t.test('slices add up to the consumption and amounts to their charge', async () => {
  fc.assert(
    fc.property(anyTiers, anyMilli, anyDays, anyMilli, (prices, milli, days, before) => {
      const [water] = ratedWith(prices)(milli, days, before).charges
      const slices = water?.slices ?? []
      const quantity = slices.reduce((sum, slice) => sum + slice.quantity, 0n)
      const amount = slices.reduce((sum, slice) => sum + slice.quantity * slice.rateNano, 0n)
      return quantity === milli && amount === water?.amount.numerator
    })
  )
})

t.test('more consumption never costs less, and one more thousandth costs at most its price', async () => {
  fc.assert(
    fc.property(anyTiers, anyMilli, anyDays, (prices, milli, days) => {
      const rated = ratedWith(prices)
      const amount = (quantity: bigint) => rated(quantity, days).charges[0]?.amount.numerator ?? -1n
      const step = amount(milli + 1_000n) - amount(milli)
      return step >= 0n && step <= 1_000n * 99_999_000_000n
    })
  )
})

t.test('splitting a consumption in two with the same scale changes no amount', async () => {
  fc.assert(
    fc.property(anyTiers, anyMilli, anyMilli, anyDays, (prices, first, second, days) => {
      const rated = ratedWith(prices)
      const amount = (milli: bigint, before: bigint, line: number) => rated(milli, days, before).charges[line]?.amount.numerator ?? -1n
      return [0, 1].every((line) => amount(first, 0n, line) + amount(second, first, line) === amount(first + second, 0n, line))
    })
  )
})

t.test('volume tiers over two bills come to the same as over one', async () => {
  fc.assert(
    fc.property(anyTiers, anyMilli, anyMilli, (prices, first, second) => {
      const prepared = prepareTariff(tariff([tiers('water', prices, { mode: 'volume' })]), kdvTable)
      const amount = (milli: bigint, billedBefore: bigint) =>
        rateBill(prepared, { consumption: { unit: 'L', milli }, period: { days: 30 }, billedBefore }).charges[0]?.amount.numerator ?? -1n
      return amount(first, 0n) + amount(second, first) === amount(first + second, 0n)
    })
  )
})

t.test('lines add up to the totals, and KDV of lines to KDV of rates', async () => {
  fc.assert(
    fc.property(anyTiers, anyMilli, anyDays, (prices, milli, days) => {
      const { charges, taxes, totals } = ratedWith(prices)(milli, days)
      const sum = (amounts: readonly bigint[]) => amounts.reduce((a, b) => a + b, 0n)
      const perRate = taxes.every((tax) => {
        const lines = charges.filter((charge) => charge.kdvRateNano === tax.rateNano)
        const ofLines = sum(lines.map((line) => line.kdvMicro))
        return ofLines === tax.taxMicro && sum(lines.map((line) => line.netMicro)) === tax.baseMicro
      })
      const whole = charges.every((charge) => charge.netMicro % 10_000n === 0n && charge.kdvMicro % 10_000n === 0n)
      const net = sum(charges.map((charge) => charge.netMicro)) === totals.netMicro
      return perRate && whole && net && sum(taxes.map((tax) => tax.taxMicro)) === totals.taxMicro
    })
  )
})
