import { fromIso } from '@endeks/domain/time'
import fc from 'fast-check'
import t from 'tap'
import { decodeEvidence, modbus } from '../../../src/codec/index.js'
import { decodeNumber } from '../../../src/protocols/modbus/codec/number.js'
import { profile } from './profile.js'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s/g, ''), 'hex'))
const at = fromIso('2026-03-05T09:00:00Z')
const zone = 'Europe/Istanbul'

// Written by hand from Modbus Application Protocol V1.1b3 (6.3, 6.4) and Modbus Messaging on TCP/IP V1.0b (3.1.3).
const request = hex('0001 0000 0006 11 03 0000 0006  0002 0000 0006 11 03 0064 000C  0003 0000 0006 11 04 000A 0001')
const response = hex(
  `0001 0000 000F 11 03 0C 4142 3132 3300 0000 0001 E240
   0002 0000 001B 11 03 18 2026 0228 0001 0000 2026 0131 0000 FFFF 0000 0000 0000 0000
   0003 0000 0005 11 04 02 04D2`
)
const evidence = { request, response, at, zone, profile }

t.test('a conversation written by hand decodes to its indexes', async (t) => {
  const decoded = decodeEvidence('modbus', evidence)
  if (!decoded.ok) return t.fail(decoded.error.message)
  t.same(decoded.value.identity, { id: 'AB123', medium: 'cold-water' })
  t.same(
    decoded.value.readings.map(({ obis, at: instant, raw, scaler, unit }) => [obis, new Date(instant).toISOString(), raw, scaler, unit]),
    [
      ['8-0:1.0.0*255', '2026-03-05T09:00:00.000Z', 123_456n, -3, 'm3'],
      ['8-0:2.0.0*255', '2026-03-05T09:00:00.000Z', 1_234n, 0, 'L'],
      // a month end dated the 28th stands at 24:00 of that day in the site's zone
      ['8-0:1.0.0*255', '2026-02-28T21:00:00.000Z', 65_536n, -3, 'm3'],
      ['8-0:1.0.0*255', '2026-01-31T21:00:00.000Z', 65_535n, -3, 'm3']
    ]
  )
})

t.test('what an answer gets wrong has its own code and offset', async (t) => {
  const spoil = (offset: number, value: number): Uint8Array => response.with(offset, value)
  const codeOf = (bytes: Uint8Array): [string, number | undefined] | undefined => {
    const decoded = decodeEvidence('modbus', { ...evidence, response: bytes })
    return decoded.ok ? undefined : [decoded.error.code, decoded.error.offset]
  }
  t.same(codeOf(spoil(1, 9)), ['MODBUS_TRANSACTION', response.length], 'another transaction')
  t.same(codeOf(spoil(3, 1)), ['MODBUS_PROTOCOL_ID', 2])
  t.same(codeOf(spoil(4, 2)), ['MODBUS_LENGTH', 4])
  t.same(codeOf(spoil(6, 0x12)), ['MODBUS_UNIT', 6], "another unit's answer")
  t.same(codeOf(spoil(7, 4)), ['MODBUS_FUNCTION', 7])
  t.same(codeOf(spoil(8, 0x0a)), ['MODBUS_BYTE_COUNT', 8])
  t.same(codeOf(Uint8Array.from([...response, ...response.subarray(0, 21)])), ['MODBUS_TRANSACTION', response.length], 'an answer too many')
  const refused = hex('0001 0000 0003 11 83 02')
  t.same(codeOf(refused), ['MODBUS_EXCEPTION', 8])
  t.same(decodeEvidence('modbus', { ...evidence, profile: {} }).ok, false)
})

t.test('a register that holds its invalid value gives no reading', async (t) => {
  const words = hex('FFFF FFFF')
  const bytes = Uint8Array.from(response)
  bytes.set(words, 17)
  const decoded = decodeEvidence('modbus', { ...evidence, response: bytes })
  t.ok(decoded.ok && decoded.value.readings.length === 3)
  t.match(decoded, { value: { refused: [{ code: 'MODBUS_VALUE_INVALID', message: /8-0:1\.0\.0\*255/, offset: 17 }] } })
})

t.test('a stored value with a date that is none is refused, and the others are kept', async (t) => {
  for (const [offset, value, what] of [
    [32, 0x30, '30 February'],
    [30, 0x2a, 'a date that is not decimal']
  ] as const) {
    const decoded = decodeEvidence('modbus', { ...evidence, response: response.with(offset, value) })
    t.match(decoded, { ok: true, value: { refused: [{ code: 'MODBUS_DATE', offset: 30 }] } }, what)
    t.ok(decoded.ok && decoded.value.readings.length === 3)
  }
})

t.test('every truncation and any change of bytes ends in a value or a coded failure', async (t) => {
  for (let length = 0; length < response.length; length += 1) {
    const decoded = decodeEvidence('modbus', { ...evidence, response: response.subarray(0, length) })
    if (decoded.ok) t.fail(`the first ${length} bytes decoded`)
  }
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(response.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
      const bytes = Uint8Array.from(response)
      for (const [offset, value] of changes) bytes[offset] = value
      const decoded = decodeEvidence('modbus', { ...evidence, response: bytes })
      return decoded.ok || decoded.error.code.startsWith('MODBUS_')
    }),
    { numRuns: 2_000 }
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      decodeEvidence('modbus', { ...evidence, request: bytes })
      decodeEvidence('modbus', { ...evidence, response: bytes })
      modbus.modbusCodec.describeFrame(bytes)
      return true
    }),
    { numRuns: 2_000 }
  )
})

t.test('decoding a number inverts laying it out, in both word orders', async (t) => {
  const types = [
    ['u16', 1, false],
    ['i16', 1, true],
    ['u32', 2, false],
    ['i32', 2, true],
    ['i64', 4, true]
  ] as const
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }),
      fc.boolean(),
      ([type, size, signed], any, little) => {
        const bits = BigInt.asUintN(size * 16, any)
        const expected = signed ? BigInt.asIntN(size * 16, any) : bits
        const words = Array.from({ length: size }, (_, index) => Number((bits >> BigInt(16 * (size - 1 - index))) & 0xffffn))
        const decoded = decodeNumber({ words: little ? words.reverse() : words, offset: 0 }, { type, wordOrder: little ? 'little' : 'big' })
        return decoded.ok && decoded.value === expected
      }
    )
  )
  t.same(decodeNumber({ words: [0x1234, 0x5678], offset: 0 }, { type: 'bcd32' }), { ok: true, value: 12_345_678n })
  t.match(decodeNumber({ words: [0x1234, 0x567a], offset: 9 }, { type: 'bcd32' }), { ok: false, error: { code: 'MODBUS_BCD', offset: 9 } })
  t.match(decodeNumber({ words: [0xffff, 0, 0, 0], offset: 0 }, { type: 'u64' }), { ok: false, error: { code: 'MODBUS_VALUE_RANGE' } })
})

t.test('reads are coalesced, within the block limit and without tearing a value', async (t) => {
  if (!modbus.isModbusProfile(profile)) return t.fail('the profile does not fit its schema')
  t.same(modbus.planReads(profile, false), [
    { function: 3, address: 0, count: 6 },
    { function: 4, address: 10, count: 1 }
  ])
  t.same(modbus.planReads(profile, true)[1], { function: 3, address: 100, count: 12 })
  const small = { ...profile, blockRegisters: 10 } as unknown
  if (!modbus.isModbusProfile(small)) return t.fail('the small profile does not fit its schema')
  t.same(
    modbus.planReads(small, true).map(({ address, count }) => [address, count]),
    [
      [0, 6],
      [100, 8],
      [108, 4],
      [10, 1]
    ]
  )
  t.notOk(modbus.isModbusProfile({ ...profile, history: { ...profile.history, stride: 3 } }), 'a field beyond the stride')
})

t.test('one frame is told apart as request, answer or refusal', async (t) => {
  const describe = modbus.modbusCodec.describeFrame
  t.match(describe(request.subarray(0, 12)), { ok: true, value: { kind: 'request', unit: 17, address: 0, count: 6 } })
  t.match(describe(response.subarray(0, 21)), {
    ok: true,
    value: { kind: 'response', registers: ['4142', '3132', '3300', '0000', '0001', 'e240'] }
  })
  t.match(describe(hex('0001 0000 0003 11 83 02')), { ok: true, value: { kind: 'exception', meaning: 'illegal data address' } })
  t.match(describe(response), { ok: false, error: { code: 'MODBUS_LENGTH', offset: 21 } }, 'more than one frame')
})
