import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { decodeApdu, decodeData, dlmsCodec, encodeApdu, encodeData, encodeWrapper } from '../../../src/protocols/dlms/codec/index.js'
import { apdu } from './apdu-arbitraries.js'
import { data, u16 } from './arbitraries.js'

/** Some generated objects have no prototype, and read values a class; a clone has neither, and keeps bytes, bigints and signed zeros. */
const plain = <Value>(value: Value): Value => structuredClone(value)

t.test('decoding inverts encoding, for values of every type', (t) => {
  fc.assert(
    fc.property(data, (value) => {
      const decoded = decodeData(encodeData(value))
      deepStrictEqual(plain(decoded), { ok: true, value: plain(value) })
    }),
    { numRuns: 600 }
  )
  t.end()
})

t.test('decoding inverts encoding, for every APDU, with and without wrapper', (t) => {
  fc.assert(
    fc.property(apdu, u16, u16, (value, source, destination) => {
      const encoded = encodeApdu(value)
      deepStrictEqual(plain(decodeApdu(encoded)), { ok: true, value: plain(value) })
      const described = dlmsCodec.describeFrame(encodeWrapper({ source, destination, apdu: encoded }))
      if (!described.ok || described.value['apdu'] !== value.apdu) throw new Error(JSON.stringify(described))
      JSON.stringify(described.value)
    }),
    { numRuns: 600 }
  )
  t.end()
})

t.test('every truncation, and every byte too many, is a coded failure', (t) => {
  fc.assert(
    fc.property(apdu, (value) => {
      const encoded = encodeApdu(value)
      for (let size = 0; size < encoded.length; size += 1) {
        const decoded = decodeApdu(encoded.subarray(0, size))
        if (decoded.ok || !decoded.error.code.startsWith('DLMS_'))
          throw new Error(`${size} of ${encoded.length} bytes were taken for whole`)
      }
      const longer = decodeApdu(Uint8Array.of(...encoded, 0))
      if (longer.ok || longer.error.code !== 'DLMS_TRAILING') throw new Error('a byte too many was not seen')
    }),
    { numRuns: 150 }
  )
  t.end()
})

const response = (hex: string) => decodeApdu(Buffer.from(`c401c100${hex}`, 'hex'))
const codeOf = (hex: string) => {
  const decoded = response(hex)
  return decoded.ok ? 'decoded' : decoded.error.code
}

t.test('what lies about its size is refused before it costs anything', (t) => {
  t.equal(codeOf('0184ffffffff'), 'DLMS_TRUNCATED', 'an array of four thousand million')
  t.equal(codeOf('0984ffffffff00'), 'DLMS_TRUNCATED', 'an octet string of 4 GB')
  t.equal(codeOf(`${'0101'.repeat(17)}00`), 'DLMS_TOO_DEEP', 'seventeen arrays in each other')
  t.equal(codeOf(`${'0101'.repeat(16)}00`), 'decoded', 'sixteen are allowed')
  t.equal(codeOf('1301ffff01ffff01ffff000101'), 'DLMS_TOO_MANY', 'a compact array of 65,535 to the third that takes no bytes')
  t.equal(codeOf('13000101'), 'DLMS_LENGTH', 'a compact array of nothing with a byte in it')
  t.equal(codeOf('131300'), 'DLMS_TAG', 'a compact array of compact arrays')
  t.equal(codeOf('07'), 'DLMS_TAG', 'a tag between the types')
  t.equal(codeOf('0980'), 'DLMS_LENGTH', 'an indefinite length')
  t.equal(codeOf('0403ff'), 'DLMS_VALUE', 'unused bits that are set')
  t.equal(codeOf('0c01ff'), 'DLMS_VALUE', 'UTF-8 that is none')
  t.end()
})
