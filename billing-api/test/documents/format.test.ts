import fc from 'fast-check'
import t from 'tap'
import {
  amount,
  change,
  dayOf,
  decimal,
  iban,
  percent,
  price,
  quantity,
  quotient,
  scaled,
  shortMonth,
  span
} from '../../src/documents/format.js'

t.test('figures take their Turkish form and lose no digit', (t) => {
  t.equal(amount('80552.18'), '80.552,18')
  t.equal(amount('123456789012345678901.05'), '123.456.789.012.345.678.901,05', 'far past 2^53')
  t.equal(amount('-55.5'), '−55,50')
  t.equal(amount('-0.00'), '0,00', 'nothing has no sign')
  t.equal(price('57.488000000'), '57,4880')
  t.equal(price('0.12345678'), '0,12345678', 'more places than usual are shown, not rounded')
  t.equal(quantity('1240'), '1.240,000')
  t.equal(percent('0.01'), '%1')
  t.equal(percent('0.005'), '%0,5')
  t.equal(percent('0.20'), '%20')
  t.end()
})

t.test('what is no decimal is refused, since anything in its place would be a wrong figure', (t) => {
  for (const text of ['', '1,5', '1e3', 'NaN', '١', '1.2.3', ' 1'])
    t.throws(() => decimal(text, 2), { code: 'DOCUMENT_RENDERING' }, JSON.stringify(text))
  t.end()
})

t.test('form and figure say the same for any decimal', (t) => {
  const parts = fc.tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.stringMatching(/^\d{0,9}$/))
  fc.assert(
    fc.property(parts, fc.integer({ min: 0, max: 9 }), ([negative, whole, fraction], least) => {
      const text = `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
      const back = decimal(text, least).replaceAll('.', '').replace(',', '.').replace('−', '-')
      return scaled(back) === scaled(text)
    })
  )
  t.end()
})

t.test('averages are rounded once, half up', (t) => {
  t.equal(quotient(80552180000000n, 1240000000000n, 4), '64,9614')
  t.equal(quotient(1n, 2n, 0), '1')
  t.equal(quotient(1240n, 31n, 1), '40,0')
  t.equal(change('1240.000', '1170.000'), '+%6')
  t.equal(change('1240.000', '1265.000'), '−%2')
  t.equal(change('1240.000', '1240.000'), '%0')
  t.equal(change('1240.000', '0.000'), undefined, 'nothing compares with nothing')
  t.equal(change('1240.000', null), undefined)
  t.end()
})

t.test('days are those of the utility, periods half-open', (t) => {
  const zone = 'Europe/Istanbul'
  t.equal(dayOf('2026-10-31T21:00:00Z', zone), '01.11.2026')
  t.equal(span('2026-09-30T21:00:00Z', '2026-10-31T21:00:00Z', zone), '01.10-01.11.2026')
  t.equal(span('2025-11-30T21:00:00Z', '2025-12-31T21:00:00Z', zone), '01.12.2025-01.01.2026')
  t.same(shortMonth('2026-08'), { tr: 'Ağu', en: 'Aug' })
  t.equal(iban('TR330006100519786457841326'), 'TR33 0006 1005 1978 6457 8413 26')
  t.end()
})
