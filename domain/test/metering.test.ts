import fc from 'fast-check'
import t from 'tap'
import { formatIdentity, isObis, obis, statusBits } from '../src/metering/index.js'

t.test('an OBIS code is six groups of a byte', (t) => {
  const group = fc.nat(255)
  fc.assert(fc.property(group, group, group, group, group, group, (a, b, c, d, e, f) => isObis(`${a}-${b}:${c}.${d}.${e}*${f}`)))
  for (const text of ['', '8-0:1.0.0', '8-0:1.0.0*256', '8.0.1.0.0.255', '8-0:1.0.0*255 ', '-8-0:1.0.0*255']) {
    t.notOk(isObis(text), text)
    t.throws(() => obis(text), { code: 'VALIDATION' }, text)
  }
  t.end()
})

t.test('a device is called by its maker and its number', (t) => {
  t.equal(formatIdentity({ id: '12345678', manufacturer: 'KAM', version: 27 }), 'KAM 12345678')
  t.equal(formatIdentity({ id: 'LGZ-1' }), 'LGZ-1')
  t.end()
})

t.test('conditions of meters are one bit each', (t) => {
  const bits = Object.values(statusBits)
  t.equal(
    bits.reduce((all, bit) => all | bit, 0),
    bits.reduce((sum, bit) => sum + bit, 0)
  )
  t.end()
})
