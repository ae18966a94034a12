import t from 'tap'
import { code128Values } from '../../src/documents/code128.js'
import { qrCode } from '../../src/documents/qr.js'
import { alignmentCentres, blockLayout, lastVersion } from '../../src/documents/qr-versions.js'
import { errorCorrection } from '../../src/documents/reed-solomon.js'
import { codesInModules } from './tools.js'

t.test('correction codewords are those of the example in ISO/IEC 18004 annex I', (t) => {
  const data = Uint8Array.of(0x10, 0x20, 0x0c, 0x56, 0x61, 0x80, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11, 0xec, 0x11)
  t.same([...errorCorrection(data, 10)], [0xa5, 0x24, 0xd4, 0xc1, 0xed, 0x36, 0xc7, 0x87, 0x2c, 0x55])
  t.end()
})

t.test('capacities and alignment are those of the standard', (t) => {
  t.same(blockLayout(1), { blocks: 1, correction: 10, total: 26, data: 16 })
  t.same(blockLayout(7), { blocks: 4, correction: 18, total: 196, data: 124 })
  t.same(blockLayout(40), { blocks: 49, correction: 28, total: 3706, data: 2334 })
  t.same(alignmentCentres(1), [])
  t.same(alignmentCentres(7), [6, 22, 38])
  t.same(alignmentCentres(32), [6, 34, 60, 86, 112, 138])
  t.same(alignmentCentres(36), [6, 24, 50, 76, 102, 128, 154])
  t.end()
})

t.test('a scanner reads every shape of QR code, filled to its last byte', async (t) => {
  // 1 has no alignment pattern, 7 the first version bits, 10 a longer count, 14 blocks of two lengths, 32 the odd spacing
  for (const version of [1, 2, 7, 9, 10, 14, 32, lastVersion]) {
    const length = blockLayout(version).data - (version < 10 ? 2 : 3)
    const text = Array.from({ length }, (_, index) => String.fromCharCode(33 + ((index * 7 + version) % 90))).join('')
    const code = qrCode(text)
    t.equal(code.version, version, 'the smallest that holds it')
    t.same(await codesInModules(code.size, code.dark), [`QR-Code:${text}`], `version ${version}, ${length} bytes`)
  }
  t.throws(() => qrCode('x'.repeat(2_332)), { code: 'DOCUMENT_RENDERING' })
})

t.test('Code 128 packs digits in pairs', (t) => {
  t.same(code128Values('1234').slice(0, -1), [105, 12, 34])
  t.same(code128Values('123').slice(0, -1), [105, 12, 100, 19], 'an odd last digit in set B')
  t.same(code128Values('7').slice(0, -1), [104, 23])
  // (105 + 1 x 12 + 2 x 34) mod 103
  t.equal(code128Values('1234').at(-1), 82)
  for (const text of ['', 'END2026', '12 34', '1'.repeat(41)]) t.throws(() => code128Values(text), { code: 'DOCUMENT_RENDERING' }, text)
  t.end()
})
