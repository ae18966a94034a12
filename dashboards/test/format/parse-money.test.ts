import fc from 'fast-check'
import t from 'tap'
import { numberFormats } from '../../staff/src/format/number.js'
import { parseMoney } from '../../staff/src/format/parse-money.js'

t.test('money is read in both ways of writing', (t) => {
  for (const [typed, value] of [
    ['1.234,56', '1234.56'],
    ['1234.56', '1234.56'],
    ['1234,5', '1234.50'],
    ['1,234.56', '1234.56'],
    ['1.234.567,89', '1234567.89'],
    ['1.234.567', '1234567.00'],
    ['15000', '15000.00'],
    [' ₺ 15 000,00 ', '15000.00'],
    ['12,50TL', '12.50'],
    ['0,05', '0.05']
  ] as const) {
    t.same(parseMoney(typed), { kind: 'money', value }, typed)
  }
  t.end()
})

t.test('1.234 is asked about, not guessed', (t) => {
  t.same(parseMoney('1.234'), { kind: 'ambiguous', thousands: '1234.00', fraction: '1.23' })
  t.same(parseMoney('12,345'), { kind: 'ambiguous', thousands: '12345.00', fraction: '12.34' })
  t.end()
})

t.test('what is no amount is refused', (t) => {
  for (const typed of ['abc', '-5', '1.2.3', '1,23,45', '1.234.56', '12.345.6789', '1e5', '1.234,567', '9'.repeat(30)]) {
    t.same(parseMoney(typed), { kind: 'invalid' }, typed)
  }
  t.same(parseMoney('  '), { kind: 'empty' })
  t.end()
})

t.test('what is written for people is read back, in both languages', (t) => {
  for (const language of ['tr', 'en'] as const) {
    const { amount, money } = numberFormats(language, 'TRY')
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), (kurus) => {
        const text = kurus.toString().padStart(3, '0')
        const value = `${text.slice(0, -2)}.${text.slice(-2)}`
        for (const shown of [amount(value), money(value)]) {
          const read = parseMoney(shown)
          if (read.kind !== 'money' || read.value !== value) return false
        }
        return true
      })
    )
  }
  t.end()
})
