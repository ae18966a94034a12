import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { loadKdvTable } from '../../src/kdv-file.js'
import { longestLine, quoteLine } from '../../src/quote.js'
import { canonicalJson, checkKdvTable, checkTariff, prepareTariff, TariffDocument } from '../../src/tariff/index.js'
import { problemsOf } from '../../src/tariff/problem.js'
import { tariffHash } from '../../src/tariff-hash.js'
import { bound, fixed, kdvTable, percent, tariff, tiers } from './fixtures.js'

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url))
const shipped = fileURLToPath(new URL('../../../tariffs/', import.meta.url))
const water = tiers('water', [
  { from: '0', price: '2' },
  { from: '10', price: '3.5' }
])

function problems(value: unknown): string[] {
  const checked = checkTariff(value, kdvTable)
  return checked.ok ? [] : checked.error.map((problem) => `${problem.path} ${problem.message}`)
}

async function rating(args: string[], input = ''): Promise<{ code: number; out: string; err: string }> {
  const child = spawn(process.execPath, [main, ...args])
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [code] = await once(child, 'close')
  return { code: Number(code), out, err }
}

function written(t: Test, value: unknown): string {
  const path = join(t.testdir(), 'tariff.json')
  writeFileSync(path, JSON.stringify(value))
  return path
}

t.test('every shipped tariff comes out as its examples say, by the shipped KDV table', async (t) => {
  for (const name of readdirSync(shipped)) {
    const value: unknown = JSON.parse(readFileSync(join(shipped, name), 'utf8'))
    const checked = checkTariff(value, loadKdvTable())
    t.strictSame(checked.ok ? [] : checked.error, [], name)
    t.ok(checked.ok && (checked.value.examples?.length ?? 0) > 0, `${name} has examples`)
    t.strictSame(problemsOf(TariffDocument, value), [], `${name} fits the schema that the API publishes`)
  }
})

t.test('every problem of shape is listed with its path', async (t) => {
  const value = {
    ...tariff([{ ...water, price: 2 } as never, { kind: 'magic' } as never, { ...fixed('fee', '-1'), per: 'week' } as never]),
    unit: 'pint',
    extra: 1
  }
  t.strictSame(problems(value), [
    '/ must not have additional properties: extra',
    '/unit must be equal to one of the allowed values: m3, L, kWh, MJ',
    '/components/0 must not have additional properties: price',
    '/components/1/kind must be one of: tiers, percent, fixed, minimum, maximum, allowance, package',
    '/components/2/amount must match pattern "^\\d{1,12}(\\.\\d{1,6})?$"',
    '/components/2/per must be equal to one of the allowed values: bill, day, 30days, month'
  ])
  for (const wrong of [null, 1, [], {}, { components: 'x' }]) t.ok(problems(wrong).length > 0)
})

t.test('a gap, an overlap and an end are named with both numbers', async (t) => {
  const prices = { kind: 'tiers', code: 'water', name: water.name, kdv: 'none', mode: 'graduated', scale: 'none' } as const
  const of = (list: { from: string; to?: string }[]) =>
    problems(tariff([{ ...prices, tiers: list.map((tier) => ({ ...tier, price: '1' })) }])).map((text) =>
      text.replace('/components/0/tiers', '')
    )
  t.strictSame(of([{ from: '0', to: '13' }, { from: '14' }]), ['/1/from gap: nothing covers 13 to 14'])
  t.strictSame(of([{ from: '0', to: '13' }, { from: '12' }]), ['/1/from overlap: 12 to 13 lies in two tiers'])
  t.strictSame(of([{ from: '1' }]), ['/0/from gap: nothing covers 0 to 1'])
  t.strictSame(of([{ from: '0', to: '13' }]), ['/0/to gap: nothing covers what is above 13; the last tier has no "to"'])
  t.strictSame(of([{ from: '0' }, { from: '13' }]), ['/0/to only the last tier is open, but another begins at 13'])
  t.strictSame(of([{ from: '0', to: '5' }, { from: '5', to: '5.000' }, { from: '5' }]), ['/1/to 5.000 does not come after 5'])
})

t.test('bases that are not there, cycles, doubles and unknown classes are refused', async (t) => {
  t.strictSame(problems(tariff([water, percent('waste', ['wather'], '1/3')])), ['/components/1/of there is no component "wather"'])
  t.strictSame(
    problems(tariff([percent('a', ['b'], '1'), percent('b', ['c'], '1'), bound('minimum', ['a'], '1'), percent('c', ['a'], '1')])),
    ["/components/0/of components take each other's amounts: a > b > c > a"]
  )
  t.strictSame(problems(tariff([percent('a', ['a'], '1')])), ["/components/0/of components take each other's amounts: a > a"])
  t.strictSame(problems(tariff([water, water])), ['/components/1/code "water" is another component\'s too'])
  t.strictSame(problems(tariff([fixed('fee', '1', 'bill', 'constructor')])), [
    '/components/0/kdv no KDV rate is known for the class "constructor"; known: water, general, none'
  ])
  t.strictSame(problems(tariff([water], { validFrom: '2026-02-30' })), ['/validFrom 2026-02-30 is not a day of the calendar'])
})

t.test('an example that does not come out says what was expected, what came, and of which component', async (t) => {
  const document = tariff([water], {
    examples: [
      { quantity: '13.000', days: 30, charges: { water: '30.51', wine: '1' }, slices: { water: ['13.000'] }, total: '30.50' },
      { quantity: '13.000', charges: {} }
    ]
  })
  const checked = checkTariff(document, kdvTable)
  t.strictSame(checked.ok ? [] : checked.error, [
    { path: '/examples/0/charges/water', message: 'water: expected 30.51, got 30.50', component: 'water', expected: '30.51', got: '30.50' },
    { path: '/examples/0/charges/wine', message: 'there is no component "wine"', component: 'wine' },
    {
      path: '/examples/0/slices/water',
      message: 'slices of water: expected 13.000, got 10.000, 3.000',
      component: 'water',
      expected: '13.000',
      got: '10.000, 3.000'
    },
    { path: '/examples/1', message: 'a case has either "days" or both "from" and "to"' }
  ])
})

t.test('a KDV table out of order or with a day that is none is refused', async (t) => {
  const row = (from: string, rate = '0.2') => ({ from, rate })
  t.ok(checkKdvTable({ water: [row('2022-01-01'), row('2023-01-01')] }).ok)
  for (const rows of [[row('2023-01-01'), row('2022-01-01')], [row('2023-02-29')], [row('2023-01-01', '20')], []]) {
    t.notOk(checkKdvTable({ water: rows }).ok)
  }
})

t.test('the hash is of the meaning, not of the order of keys', async (t) => {
  const document = tariff([water])
  const turned = Object.fromEntries(Object.entries(document).reverse()) as typeof document
  t.equal(tariffHash(turned), tariffHash(document))
  t.not(tariffHash({ ...document, version: '2' }), tariffHash(document))
  t.equal(canonicalJson({ b: [1, null], a: 'ı', c: undefined }), '{"a":"ı","b":[1,null]}')
  t.throws(() => canonicalJson({ a: 0.5 }), { code: 'VALIDATION' })
})

t.test('rating quote answers every line, also those it cannot rate', async (t) => {
  const cases = [
    '{"quantity":"1240.000","unit":"m3","from":"2026-10-01","to":"2026-11-01","billedBefore":"0"}',
    '{"quantity":"500","unit":"m3","days":30,"billedBefore":"490.5"}',
    'no json',
    '{"quantity":1,"unit":"m3","days":30,"colour":"red"}',
    '{"quantity":"1","unit":"kWh","days":30}',
    '{"quantity":"1","unit":"m3","from":"2025-10-01","to":"2025-11-01"}',
    `{"quantity":"${'1'.repeat(longestLine)}"}`,
    '{"quantity":"1","unit":"m3","from":"2026-11-01","to":"2026-10-01"}'
  ]
  const { code, out, err } = await rating(['quote', join(shipped, 'osb-sanayi.json'), '--lines'], cases.join('\n'))
  t.equal(code, 0, err)
  const answers = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.strictSame(
    answers.map((answer) => answer.code ?? 'OK'),
    ['OK', 'OK', 'VALIDATION', 'VALIDATION', 'UNIT_MISMATCH', 'RATE_SCHEDULE_GAP', 'MESSAGE_TOO_LARGE', 'VALIDATION']
  )
  t.match(answers[0], {
    net: '106260.70',
    tax: '7190.94',
    total: '113451.64',
    kdv: [{ rate: '0.01', base: '74006.30', tax: '740.06' }, {}]
  })
  t.match(answers[1].charges[0].slices, [
    { from: '0.000', to: '500.000', quantity: '9.500', rate: '57.4880', amount: '546.136' },
    { from: '500.000', to: '2000.000', quantity: '490.500', rate: '61.2500', amount: '30043.125' }
  ])
  t.match(answers[3].message, /colour.*quantity|quantity.*colour/)
})

t.test('gas is read in m3 and billed in kWh', async (t) => {
  const document = tariff([tiers('gas', [{ from: '0', price: '1' }])], { unit: 'kWh' })
  const answer = (line: string) => JSON.parse(quoteLine(prepareTariff(document, kdvTable), line))
  // 1,000 x 1.02 x 9,155 / 860.42 = 10,852.9555...
  t.match(answer('{"quantity":"1000","unit":"m3","days":30,"heatingValue":"9155","correctionFactor":"1.02"}'), {
    charges: [{ component: 'gas', quantity: '10852.956', unit: 'kWh', net: '10852.96' }]
  })
  t.equal(answer('{"quantity":"1000","unit":"m3","days":30}').code, 'UNIT_MISMATCH')
  t.equal(answer('{"quantity":"1000","unit":"m3","days":30,"correctionFactor":"1.02"}').code, 'VALIDATION')
  t.equal(answer('{"quantity":"1000","unit":"m3","days":30,"heatingValue":"0"}').code, 'VALIDATION')
})

t.test('a tariff that cannot be used ends the verb with all its problems and exit code 2', async (t) => {
  const path = written(t, { ...tariff([water]), unit: 'pint', validFrom: 'today' })
  const { code, out, err } = await rating(['quote', path, '--lines'], '{}\n')
  t.equal(code, 2)
  t.equal(out, '')
  t.match(err, '/unit: ')
  t.match(err, '/validFrom: ')
  for (const args of [['sing'], ['quote', path, '--loud']]) {
    t.equal((await rating(args)).code, 2, args.join(' '))
  }
})
