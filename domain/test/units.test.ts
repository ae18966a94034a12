import fc from 'fast-check'
import t from 'tap'
import {
  formatQuantity,
  formatScaled,
  isMeterUnit,
  isQuantityUnit,
  meterUnits,
  parseScaled,
  quantity,
  rawToMilli
} from '../src/units/index.js'

t.test('a litre counter with two decimals and a cubic metre counter with three say the same', (t) => {
  t.equal(rawToMilli(1_234_567n, -3, 'm3'), 1_234_567_000n)
  t.equal(rawToMilli(123_456_700n, -2, 'L'), 1_234_567_000n)
  t.equal(rawToMilli(5n, 3, 'Wh'), rawToMilli(5n, 0, 'kWh'))
  t.equal(rawToMilli(7n, 6, 'J'), rawToMilli(7n, 0, 'MJ'))
  t.equal(rawToMilli(-40n, -1, 'kWh'), -4_000_000n)
  t.end()
})

t.test('what is finer than a thousandth of the base unit is refused, not rounded', (t) => {
  t.equal(rawToMilli(1n, -6, 'm3'), 1n)
  t.equal(rawToMilli(1n, -7, 'm3'), undefined)
  t.equal(rawToMilli(10n, -7, 'm3'), 1n)
  t.equal(rawToMilli(1n, -4, 'Wh'), undefined)
  t.end()
})

t.test('a difference of counters is the difference of their amounts', (t) => {
  const raw = fc.bigInt(-(10n ** 17n), 10n ** 17n)
  const unit = fc.constantFrom(...Object.keys(meterUnits).filter(isMeterUnit))
  fc.assert(
    fc.property(raw, raw, fc.integer({ min: -3, max: 6 }), unit, (a, b, scaler, unit) => {
      const [left, right, both] = [rawToMilli(a, scaler, unit), rawToMilli(b, scaler, unit), rawToMilli(a - b, scaler, unit)]
      return left !== undefined && right !== undefined && both === left - right
    })
  )
  t.end()
})

t.test('names of units are exact, and inherited properties are none', (t) => {
  for (const text of ['m3', 'L', 'Wh', 'kWh', 'J', 'MJ']) t.ok(isMeterUnit(text), text)
  for (const text of ['M3', 'l', 'GJ', '', 'toString', 'constructor']) t.notOk(isMeterUnit(text), text)
  for (const text of ['L', 'Wh', 'J']) t.ok(isQuantityUnit(text), text)
  for (const text of ['m3', 'kWh', 'toString']) t.notOk(isQuantityUnit(text), text)
  t.end()
})

t.test('bills print cubic metres, kilowatt-hours and megajoules with three places at least', (t) => {
  t.same(formatQuantity(quantity('L', 1_240_000_000n)), { value: '1240.000', unit: 'm3' })
  t.same(formatQuantity(quantity('L', 1n)), { value: '0.000001', unit: 'm3' })
  t.same(formatQuantity(quantity('Wh', -12_345_600n)), { value: '-12.3456', unit: 'kWh' })
  t.same(formatQuantity(quantity('J', 38_931_000_000n)), { value: '38.931', unit: 'MJ' })
  t.end()
})

t.test('scaled decimals survive the way there and back, at every number of places', (t) => {
  fc.assert(
    fc.property(
      fc.bigInt(-(10n ** 20n), 10n ** 20n),
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 0, max: 12 }),
      (value, places, least) => {
        return parseScaled(formatScaled(value, places, Math.min(places, least)), places, 'AMOUNT_INVALID') === value
      }
    )
  )
  t.equal(parseScaled('1.500000000', 1, 'VALIDATION'), 15n)
  t.end()
})

t.test('text that is no plain decimal has the code that its caller chose', (t) => {
  for (const text of ['', ' 1', '+1', '1.', '.5', '1,5', '0x10', '1e3', 'NaN', '٣', '1'.repeat(25), '1\n']) {
    t.throws(() => parseScaled(text, 3, 'TARIFF_INVALID'), { code: 'TARIFF_INVALID' }, JSON.stringify(text))
  }
  t.throws(() => parseScaled('0.0001', 3, 'AMOUNT_INVALID'), { code: 'AMOUNT_INVALID' })
  t.end()
})
