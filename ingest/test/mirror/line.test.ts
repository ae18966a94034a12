import fc from 'fast-check'
import t from 'tap'
import { type MirrorReading, tagText, toLine } from '../../src/mirror/line.js'

const reading: MirrorReading = {
  registerId: 7n,
  obis: '8-0:1.0.0*255',
  serial: '00123',
  medium: 'cold-water',
  unit: 'm3',
  atMs: 1_767_225_600_123n,
  raw: 12_345n,
  scaler: -3,
  status: 0
}

t.test('a reading is one line, its counter to the last digit', async (t) => {
  t.equal(
    toLine(reading),
    'reading,register=7,obis=8-0:1.0.0*255,serial=00123,medium=cold-water,unit=m3 raw=12345i,value=12.345,status=0i 1767225600123'
  )
  t.match(toLine({ ...reading, raw: 9_223_372_036_854_775_807n, scaler: 0 }), / raw=9223372036854775807i,value=9223372036854775807,/)
  t.match(toLine({ ...reading, raw: -1n, scaler: 2 }), / raw=-1i,value=-100,/)
  t.match(toLine({ ...reading, raw: 5n, scaler: -40 }), / raw=5i,value=5e-40,/)
  t.match(toLine({ ...reading, serial: '', obis: '' }), /^reading,register=7,medium/, 'an empty tag is none')
})

t.test('whatever a serial is, the line stays one line, and the serial can be had back', async (t) => {
  const unescaped = (text: string): string =>
    text.replace(/%([0-9A-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[ \\,=%25\n\t"a]*$/)), (serial) => {
      const text = tagText(serial)
      if (/\p{Cc}|\\[ ,=\\]|\\$/u.test(text) || toLine({ ...reading, serial }).includes('\n')) return false
      return unescaped(text) === serial
    }),
    { numRuns: 300 }
  )
  t.equal(tagText('a\\ b'), 'a%5C b')
})
