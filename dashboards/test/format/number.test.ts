import t from 'tap'
import { kdvPercent } from '../../staff/src/format/kdv.js'
import { numberFormats, withUnit } from '../../staff/src/format/number.js'

const tr = numberFormats('tr', 'TRY')
const en = numberFormats('en', 'TRY')

t.test('amounts are exact past 2^53', (t) => {
  t.equal(tr.amount('9007199254740993.01'), '9.007.199.254.740.993,01')
  t.equal(en.amount('123456789012345678901234.56'), '123,456,789,012,345,678,901,234.56')
  t.equal(tr.money('9007199254740993.01'), '₺9.007.199.254.740.993,01')
  t.equal(tr.quantity('90071992547409.931'), '90.071.992.547.409,931')
  t.end()
})

t.test('each kind of number has its places', (t) => {
  t.equal(tr.money('1234.5'), '₺1.234,50')
  t.equal(en.money('1234.5'), '₺1,234.50')
  t.equal(tr.money('-0.05'), '-₺0,05')
  t.equal(tr.rate('57.488'), '57,4880')
  t.equal(en.rate('57.488'), '57.4880')
  t.equal(tr.rate('0.123456789'), '0,123456789')
  t.equal(tr.quantity('1240'), '1.240,000')
  t.equal(tr.whole('1240.4'), '1.240')
  t.equal(tr.exact('77.206384', 2), '77,206384')
  t.equal(tr.exact('77', 0), '77')
  t.equal(tr.count(12431), '12.431')
  t.end()
})

t.test('percent stands before the number in Turkish and after it in English', (t) => {
  t.equal(tr.percent('9.2'), '%9,2')
  t.equal(en.percent('9.2'), '9.2%')
  t.equal(tr.percent('-0.5'), '-%0,5')
  t.equal(tr.percent('100'), '%100')
  t.end()
})

t.test('a tax rate of 0.2 is twenty percent', (t) => {
  for (const [rate, percent] of [
    ['0.2', '20'],
    ['0.01', '1'],
    ['0.175', '17.5'],
    ['1', '100'],
    ['0', '0']
  ] as const) {
    t.equal(kdvPercent(rate), percent)
  }
  t.equal(kdvPercent('?'), '?')
  t.end()
})

t.test('what is no decimal is shown as it came', (t) => {
  t.equal(tr.amount('NaN'), 'NaN')
  t.equal(tr.percent(''), '')
  t.end()
})

t.test('a unit stays on the line of its number', (t) => {
  t.equal(withUnit('1.240,000', 'm3'), '1.240,000\u00a0m³')
  t.equal(withUnit('1', 'kWh'), '1\u00a0kWh')
  t.end()
})
