import { fromIso } from '@endeks/domain/time'
import fc from 'fast-check'
import t from 'tap'
import { decodeEvidence, modbus } from '../../../src/codec/index.js'
import { decodeNumber } from '../../../src/protocols/modbus/codec/number.js'
import { decodeTimestamp } from '../../../src/protocols/modbus/codec/timestamp.js'
import { type Orders, splitWords, type TimestampType, valueTypes } from '../../../src/protocols/modbus/codec/types.js'
import { hex } from './slave.js'

const orders: readonly Orders[] = [
  { wordOrder: 'big', byteOrder: 'big' },
  { wordOrder: 'little', byteOrder: 'big' },
  { wordOrder: 'big', byteOrder: 'little' },
  { wordOrder: 'little', byteOrder: 'little' }
]

function float32(value: number): bigint {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, value)
  return BigInt(view.getUint32(0))
}

const words = (text: string): { words: number[]; offset: number } => {
  const bytes = hex(text)
  return {
    words: Array.from({ length: bytes.length / 2 }, (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)),
    offset: 0
  }
}

t.test('the four orders of the bytes A, B, C, D', (t) => {
  const asSent = orders.map((order) =>
    splitWords(0x4142_4344n, 2, order)
      .map((each) => String.fromCharCode(each >> 8, each & 0xff))
      .join('')
  )
  t.same(asSent, ['ABCD', 'CDAB', 'BADC', 'DCBA'])
  t.end()
})

t.test('decoding inverts laying out, for every integer, in all orders', (t) => {
  const integers = (Object.keys(valueTypes) as (keyof typeof valueTypes)[]).filter((type) => /^[ui]/.test(type))
  fc.assert(
    fc.property(
      fc.constantFrom(...integers),
      fc.constantFrom(...orders),
      fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }),
      (type, order, any) => {
        const width = valueTypes[type] * 16
        const bits = BigInt.asUintN(width, any)
        const expected = type.startsWith('i') ? BigInt.asIntN(width, bits) : bits
        const decoded = decodeNumber({ words: splitWords(bits, valueTypes[type], order), offset: 0 }, { type, ...order })
        return decoded.ok ? decoded.value === expected : expected >= 10n ** 18n
      }
    )
  )
  for (const [type, digits] of [
    ['bcd16', '1234'],
    ['bcd32', '12345678'],
    ['bcd48', '123456789012'],
    ['bcd64', '0001234567890123']
  ] as const) {
    t.same(decodeNumber(words(digits), { type }), { ok: true, value: BigInt(digits) }, type)
  }
  t.end()
})

t.test('a float is a count at the scaler of its profile, exactly where its decimal ends there', (t) => {
  const read = (value: number, scaler: number) =>
    decodeNumber({ words: splitWords(float32(value), 2, {}), offset: 0 }, { type: 'f32' }, scaler)
  t.same(read(1234.56, -2), { ok: true, value: 123_456n })
  t.same(read(0.1, -3), { ok: true, value: 100n })
  t.same(read(1234.567, -2), { ok: true, value: 123_456n }, 'what lies behind the last digit is cut off')
  t.same(read(0.999, 0), { ok: true, value: 0n })
  t.same(read(16_777_216, 3), { ok: true, value: 16_777n })
  t.same(read(1e12, -3), { ok: true, value: 10n ** 15n })
  t.same(read(0, -3), { ok: true, value: 0n })
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -0.001])
    t.match(read(value, 0), { ok: false, error: { code: 'MODBUS_FLOAT' } })
  t.match(read(3e38, 0), { ok: false, error: { code: 'MODBUS_VALUE_RANGE' } })
  t.same(decodeNumber(words('7FC00000'), { type: 'f32', invalid: ['0x7FC00000', '0xFFFFFFFF'] }), { ok: true, value: undefined })
  t.same(decodeNumber(words('4093 4A45 6041 8937'), { type: 'f64' }, -3), { ok: true, value: 1_234_567n })
  fc.assert(
    // Six digits are what 32 bits always hold; of seven, near the next power of ten, two share one float.
    fc.property(fc.nat(999_999), fc.integer({ min: -6, max: 3 }), fc.constantFrom(...orders), (count, scaler, order) => {
      const bits = float32(Number(`${count}e${scaler}`))
      const decoded = decodeNumber({ words: splitWords(bits, 2, order), offset: 0 }, { type: 'f32', ...order }, scaler)
      return decoded.ok && decoded.value === BigInt(count)
    })
  )
  t.end()
})

t.test('each form of a date stands at its instant, and no other is one', (t) => {
  const at = (type: TimestampType, text: string) => {
    const decoded = decodeTimestamp(words(text), { type }, 'Europe/Istanbul')
    return decoded.ok ? decoded.value : decoded.error.code
  }
  t.equal(at('epoch-u32', '69A5 7F80'), 1_772_453_760_000)
  t.equal(at('date-bcd', '2026 0228'), fromIso('2026-03-01T00:00:00+03:00'), 'a month end stands at 24:00')
  t.equal(at('datetime-bcd', '2026 0301 1405 0009'), fromIso('2026-03-01T14:05:09+03:00'))
  t.equal(at('fields', '07EA 0003 0001 000E 0005 0009'), fromIso('2026-03-01T14:05:09+03:00'))
  t.equal(at('iec870', '001A 0301 0E05 2328'), fromIso('2026-03-01T14:05:09+03:00'))
  t.equal(at('iec870', '001A 0301 0E85 2328'), 'MODBUS_DATE', 'the device says that it is invalid')
  for (const [type, text] of [
    ['date-bcd', '2026 0231'],
    ['datetime-bcd', '2026 0301 2405 0009'],
    ['datetime-bcd', '2026 0301 1405 0109'],
    ['fields', '07EA 0002 001D 0000 0000 0000'],
    ['fields', '07EA 000D 0001 0000 0000 0000']
  ] as const) {
    t.equal(at(type, text), 'MODBUS_DATE', `${type} ${text}`)
  }
  t.equal(at('fields', '0000 0000 0000 0000 0000 0000'), undefined, 'never filled')
  t.end()
})

// Written by hand from Modbus Application Protocol V1.1b3 (6.2, 6.3, 6.4) and Modbus over Serial Line V1.02 (2.5.1); the CRCs are
// those that the polynomial of 6.2.2 gives for these bytes.
const meter = {
  name: 'by-the-data-sheet',
  protocol: 'modbus',
  addressBase: 1,
  identity: { function: 4, address: 1, count: 2, type: 'u32', wordOrder: 'little' },
  registers: [
    {
      obis: '8-0:1.0.0*255',
      function: 4,
      address: 3,
      type: 'u32',
      byteOrder: 'little',
      scaler: { function: 4, address: 5, type: 'i16', add: -1 },
      unit: 'm3'
    }
  ],
  status: [{ function: 2, address: 10, means: 'leak' }]
}
const rtu = (text: string): Uint8Array => {
  const bytes = hex(text)
  return modbus.encodeRtu(bytes[0] ?? 0, bytes.subarray(1))
}
const conversation = {
  request: Buffer.concat([rtu('11 02 0009 0001'), rtu('11 04 0000 0005')]),
  response: Buffer.concat([rtu('11 02 01 01'), rtu('11 04 0A E240 0001 0100 40E2 FEFF')]),
  at: fromIso('2026-03-05T09:00:00Z'),
  zone: 'Europe/Istanbul'
}

t.test('a conversation over RTU, addresses from 1, a scaler of its own and a condition', (t) => {
  if (!modbus.isModbusProfile(meter)) return t.fail('the profile does not fit its schema')
  t.same(modbus.modbusCodec.checkProfile(meter), [])
  t.same(modbus.planReads(meter, false), [
    { function: 2, address: 9, count: 1 },
    { function: 4, address: 0, count: 5 }
  ])
  t.match(decodeEvidence('modbus', { ...conversation, profile: meter }), {
    ok: true,
    value: { identity: { id: '123456' }, readings: [{ raw: 123_456n, scaler: -3, unit: 'm3', status: 16 }] }
  })
  const response = Buffer.concat([rtu('11 02 01 00'), rtu('11 04 0A E240 0001 0100 40E2 FF00')])
  t.match(decodeEvidence('modbus', { ...conversation, response, profile: meter }), {
    ok: false,
    error: { code: 'MODBUS_SCALER', offset: 17 }
  })
  t.end()
})

t.test('what is wrong with an RTU answer has its own code and offset', (t) => {
  const plain = { ...meter, registers: meter.registers.map((each) => ({ ...each, scaler: 0 })) }
  const codeOf = (response: Uint8Array): [string, number | undefined] | undefined => {
    const decoded = decodeEvidence('modbus', { ...conversation, response, profile: plain })
    return decoded.ok ? undefined : [decoded.error.code, decoded.error.offset]
  }
  const first = rtu('11 02 01 01')
  t.equal(codeOf(conversation.response), undefined)
  t.same(codeOf(conversation.response.map((byte, index) => (index === 10 ? byte ^ 1 : byte))), ['MODBUS_CRC', 19])
  t.same(codeOf(Buffer.concat([first, rtu('12 04 0A 0000 0000 0000 0000 0000')])), ['MODBUS_UNIT', 6])
  t.same(codeOf(Buffer.concat([first, rtu('11 03 0A 0000 0000 0000 0000 0000')])), ['MODBUS_FUNCTION', 7])
  t.same(codeOf(Buffer.concat([first, rtu('11 04 02 0000')])), ['MODBUS_BYTE_COUNT', 8])
  t.same(codeOf(Buffer.concat([first, rtu('11 84 04')])), ['MODBUS_EXCEPTION', 8])
  t.same(codeOf(first), ['MODBUS_TRANSACTION', 6])
  t.same(codeOf(Buffer.concat([conversation.response, first])), ['MODBUS_TRANSACTION', conversation.response.length])
  for (let length = 0; length < conversation.response.length; length += 1) {
    if (codeOf(conversation.response.subarray(0, length)) === undefined) t.fail(`the first ${length} bytes decoded`)
  }
  t.end()
})

t.test('one RTU frame is told by its CRC, and named by what is in it', (t) => {
  const describe = modbus.modbusCodec.describeFrame
  t.match(describe(hex('11 03 006B 0003 7687')), { ok: true, value: { framing: 'rtu', kind: 'request', unit: 17, address: 107, count: 3 } })
  t.match(describe(hex('11 03 06 AE41 5652 4340 49AD')), { ok: true, value: { kind: 'response', registers: ['ae41', '5652', '4340'] } })
  t.match(describe(rtu('11 83 02')), { ok: true, value: { kind: 'exception', meaning: 'illegal data address' } })
  t.match(describe(rtu('11 02 01 05')), { ok: true, value: { kind: 'response', inputs: [1, 0, 1, 0, 0, 0, 0, 0] } })
  t.match(describe(rtu('11 02 03 000001')), { ok: true, value: { kind: 'request', orResponse: '000001' } }, 'lengths alone do not tell')
  t.match(describe(hex('11 03 006B 0003 7688')), { ok: false, error: { code: 'MODBUS_CRC', offset: 6 } })
  t.match(describe(hex('0001 0000 0006 11 03 006B 0003')), { ok: true, value: { framing: 'tcp', transaction: 1 } })
  t.match(describe(rtu('11 2B 0E 01 00')), { ok: true, value: { kind: 'request', object: 0 } })
  const said = modbus.encodeIdentificationResponse([{ id: 0, text: 'END' }], 1)
  t.match(describe(modbus.encodeRtu(17, said)), { ok: true, value: { kind: 'response', vendor: 'END' } })
  t.match(describe(hex('')), { ok: false, error: { code: 'MODBUS_TRUNCATED' } })
  t.end()
})
