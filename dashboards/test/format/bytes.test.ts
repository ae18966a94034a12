import fc from 'fast-check'
import t from 'tap'
import { bytePairs, locateValue } from '../../staff/src/format/bytes.js'

t.test('a counter is found in each way that meters write it', (t) => {
  t.same(locateValue('0413f88ff202426c', '49451000'), { from: 2, to: 6 }, 'low byte first, as M-Bus')
  t.same(locateValue('0a0602f28ff80f', '49451000'), { from: 2, to: 6 }, 'high byte first, as DLMS')
  t.same(locateValue('01030 48ff802f2'.replace(' ', ''), '49451000'), { from: 3, to: 7 }, 'low word first, as some Modbus loggers')
  t.same(locateValue('0c1300104549ff', '49451000'), { from: 2, to: 6 }, 'BCD, low byte first')
  t.end()
})

t.test('a place that would be a guess is none', (t) => {
  t.equal(locateValue('000000000000', '12'), null, 'small')
  t.equal(locateValue('f88ff202f88ff202', '49451000'), null, 'twice')
  t.equal(locateValue('00', '49451000'), null, 'not there')
  t.equal(locateValue('f88ff202', '-49451000'), null)
  t.end()
})

t.test('a planted value is found where it was planted', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0x01000000, max: 0x7fffffff }), fc.nat({ max: 20 }), (value, before) => {
      const hex = `${'aa'.repeat(before)}${value.toString(16).padStart(8, '0')}aa`
      const place = locateValue(hex, String(value))
      // a value made of the filler itself may stand in two places
      return place === null ? value.toString(16).includes('aa') : bytePairs(hex).slice(place.from, place.to).length >= 4
    })
  )
  t.end()
})
