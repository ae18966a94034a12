import { deepStrictEqual } from 'node:assert/strict'
import { epochMs } from '@endeks/domain/time'
import fc from 'fast-check'
import t from 'tap'
import { modbus } from '../../../src/codec/index.js'
import { parseAdus } from '../../../src/protocols/modbus/codec/mbap.js'
import { decodeNumber } from '../../../src/protocols/modbus/codec/number.js'
import { parseReadResponse } from '../../../src/protocols/modbus/codec/pdu.js'
import { decodeTimestamp } from '../../../src/protocols/modbus/codec/timestamp.js'

const { encodeAdu, encodeRtu, parseAdu, parseRtu, modbusCodec, splitWords, valueTypes } = modbus

const u8 = fc.integer({ min: 0, max: 0xff })
const u16 = fc.integer({ min: 0, max: 0xffff })
const order = fc.constantFrom('big' as const, 'little' as const)
const orders = fc.record({ wordOrder: order, byteOrder: order })

const range: fc.Arbitrary<modbus.ReadRange> = fc
  .record({ function: fc.constantFrom(1, 2, 3, 4), address: u16, count: fc.integer({ min: 1, max: 2_000 }) })
  .map(({ function: code, address, count }) => {
    const most = code <= 2 ? 2_000 : 125
    return { function: code as modbus.ReadFunction, address, count: 1 + ((count - 1) % Math.min(most, 65_536 - address)) }
  })
const registers = fc.record({ code: fc.constantFrom(3 as const, 4 as const), words: fc.array(u16, { minLength: 1, maxLength: 125 }) })
const inputs = fc.record({
  code: fc.constantFrom(1 as const, 2 as const),
  bits: fc.array(fc.boolean(), { minLength: 1, maxLength: 2_000 })
})
const exception = fc.record({ code: fc.constantFrom(1, 2, 3, 4, 0x2b), exception: u8 })
const text = fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).map((each) => each.trim())
const identification = fc.array(fc.record({ id: u8, text }), { minLength: 1, maxLength: 5 })
const pdu: fc.Arbitrary<Uint8Array> = fc.oneof(
  range.map(modbus.encodeReadRequest),
  registers.map(({ code, words }) => modbus.encodeReadResponse(code, words)),
  inputs.map(({ code, bits }) => modbus.encodeBitsResponse(code, bits)),
  exception.map(({ code, exception: number }) => modbus.encodeException(code, number)),
  u8.map(modbus.encodeIdentificationRequest),
  identification.map((objects) => modbus.encodeIdentificationResponse(objects, 0x81))
)

/** The same PDU out of both framings. */
function framed(unit: number, bytes: Uint8Array): modbus.Frame[] {
  const tcp = parseAdu(encodeAdu(0xbeef, unit, bytes), 0)
  const rtu = encodeRtu(unit, bytes)
  const line = parseRtu(rtu, 0, rtu.length)
  if (!tcp.ok || !line.ok) throw new Error('a frame that was encoded does not decode')
  return [tcp.value, line.value]
}

function value<Value>(
  result: { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: { readonly code: string } }
): Value {
  if (!result.ok) throw new Error(result.error.code)
  return result.value
}

t.test('both framings bring the unit and the PDU that were sent, and say where they stood', (t) => {
  fc.assert(
    fc.property(u16, u8, pdu, (transaction, unit, bytes) => {
      const tcp = value(parseAdu(encodeAdu(transaction, unit, bytes), 0))
      deepStrictEqual(tcp, { transaction, unit, pdu: bytes, offset: 0, pduOffset: 7, size: bytes.length + 7 })
      const rtu = encodeRtu(unit, bytes)
      deepStrictEqual(value(parseRtu(rtu, 0, rtu.length)), { unit, pdu: bytes, offset: 0, pduOffset: 1, size: bytes.length + 3 })
    })
  )
  t.end()
})

t.test('decoding inverts encoding: requests, registers, inputs, identifications, in both framings', (t) => {
  fc.assert(
    fc.property(u8, range, (unit, asked) => {
      for (const frame of framed(unit, modbus.encodeReadRequest(asked))) deepStrictEqual(value(modbus.parseReadRequest(frame)), asked)
    })
  )
  fc.assert(
    fc.property(u8, registers, (unit, { code, words }) => {
      for (const frame of framed(unit, modbus.encodeReadResponse(code, words))) {
        const { function: answered, data } = value(parseReadResponse(frame))
        deepStrictEqual([answered, ...new Uint16Array(new Uint8Array(data).buffer)].slice(1).map(swapped), words)
        deepStrictEqual(answered, code)
      }
    })
  )
  fc.assert(
    fc.property(u8, inputs, (unit, { code, bits }) => {
      for (const frame of framed(unit, modbus.encodeBitsResponse(code, bits))) {
        const { data } = value(parseReadResponse(frame))
        deepStrictEqual(data.length, modbus.answerBytes({ function: code, address: 0, count: bits.length }))
        const read = Array.from({ length: data.length * 8 }, (_, bit) => (((data[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1)
        deepStrictEqual([read.slice(0, bits.length), read.slice(bits.length).some(Boolean)], [bits, false])
      }
    })
  )
  fc.assert(
    fc.property(u8, identification, (unit, objects) => {
      for (const frame of framed(unit, modbus.encodeIdentificationResponse(objects, 1)))
        deepStrictEqual(structuredClone(value(modbus.parseIdentification(frame))), { objects: structuredClone(objects), next: undefined })
    })
  )
  t.end()
})

/** Typed arrays have the byte order of the machine, which is little-endian wherever this runs. */
function swapped(word: number): number {
  return ((word & 0xff) << 8) | (word >> 8)
}

t.test('a refusal says its function and its exception in both framings', (t) => {
  fc.assert(
    fc.property(u8, exception, (unit, { code, exception: number }) => {
      for (const frame of framed(unit, modbus.encodeException(code, number))) {
        const refused = parseReadResponse(frame)
        if (refused.ok || refused.error.code !== 'MODBUS_EXCEPTION' || refused.error.offset !== frame.pduOffset + 1)
          throw new Error(JSON.stringify(refused))
      }
      const described = value(modbusCodec.describeFrame(encodeRtu(unit, modbus.encodeException(code, number))))
      deepStrictEqual([described['kind'], described['function'], described['exception']], ['exception', code, number])
    })
  )
  t.end()
})

t.test('every truncation, and every byte too many, is a coded failure', (t) => {
  fc.assert(
    fc.property(u8, pdu, (unit, bytes) => {
      const [tcp, rtu] = [encodeAdu(1, unit, bytes), encodeRtu(unit, bytes)]
      for (let size = 0; size < tcp.length; size += 1) {
        const cut = parseAdu(tcp.subarray(0, size), 0)
        if (cut.ok || cut.error.code !== 'MODBUS_TRUNCATED') throw new Error(`${size} of ${tcp.length} bytes were taken for whole`)
      }
      for (let size = 0; size < rtu.length; size += 1) {
        const cut = parseRtu(rtu.subarray(0, size), 0, rtu.length)
        if (cut.ok || cut.error.code !== 'MODBUS_TRUNCATED') throw new Error(`${size} of ${rtu.length} bytes were taken for whole`)
      }
      if (parseAdus(Uint8Array.of(...tcp, 0)).ok) throw new Error('a byte too many was not seen')
    }),
    { numRuns: 50 }
  )
  t.end()
})

t.test('one or two bits that flip on a serial line are seen', (t) => {
  fc.assert(
    fc.property(u8, pdu, fc.nat(), fc.nat(), (unit, bytes, one, other) => {
      const frame = encodeRtu(unit, bytes)
      const bits = [...new Set([one % (frame.length * 8), other % (frame.length * 8)])]
      for (const bit of bits) frame[bit >> 3] = (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const parsed = parseRtu(frame, 0, frame.length)
      if (parsed.ok || parsed.error.code !== 'MODBUS_CRC') throw new Error(Buffer.from(frame).toString('hex'))
    }),
    { numRuns: 500 }
  )
  t.end()
})

const integers = fc.constantFrom(
  'u16',
  'i16',
  'u32',
  'i32',
  'u48',
  'i48',
  'u64',
  'i64',
  'bcd16',
  'bcd32',
  'bcd48',
  'bcd64'
) satisfies fc.Arbitrary<modbus.ValueType>

t.test('numbers come out of their registers as they were laid out, in every format and order', (t) => {
  fc.assert(
    fc.property(integers, orders, fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }), (type, order, count) => {
      const size = valueTypes[type]
      const width = size * 16
      const magnitude = count < 0n ? -count : count
      const expected = type.startsWith('i')
        ? BigInt.asIntN(width, count)
        : type.startsWith('bcd')
          ? magnitude % 10n ** BigInt(size * 4)
          : BigInt.asUintN(width, magnitude)
      const bits = type.startsWith('bcd') ? BigInt(`0x${expected}`) : BigInt.asUintN(width, expected)
      deepStrictEqual(decodeNumber({ words: splitWords(bits, size, order), offset: 0 }, { type, ...order }), { ok: true, value: expected })
    }),
    { numRuns: 500 }
  )
  t.end()
})

t.test('a float is the count that it was made of, as far as its digits go', (t) => {
  const view = new DataView(new ArrayBuffer(8))
  fc.assert(
    fc.property(
      fc.boolean(),
      orders,
      fc.nat(999_999),
      fc.nat(999_999_999),
      fc.integer({ min: -6, max: 6 }),
      (single, order, few, more, scaler) => {
        const count = single ? few : few * 1_000_000_000 + more
        const float = Number(`${count}e${scaler}`)
        if (single) view.setFloat32(0, float)
        else view.setFloat64(0, float)
        const bits = single ? BigInt(view.getUint32(0)) : view.getBigUint64(0)
        const type = single ? 'f32' : 'f64'
        const words = splitWords(bits, valueTypes[type], order)
        deepStrictEqual(decodeNumber({ words, offset: 0 }, { type, ...order }, scaler), { ok: true, value: BigInt(count) })
      }
    ),
    { numRuns: 500 }
  )
  t.end()
})

t.test('the time of a stored value is the one that was written, in every form and order', (t) => {
  const seconds = fc.integer({ min: Date.UTC(2001, 0, 1) / 1_000, max: Date.UTC(2099, 11, 31) / 1_000 })
  const coded = (number: number): number => Number.parseInt(String(number), 16)
  fc.assert(
    fc.property(seconds, orders, (second, order) => {
      const at = epochMs(second * 1_000)
      const [year = 0, month = 0, day = 0, hour = 0, minute = 0, rest = 0] = (new Date(at).toISOString().match(/\d+/g) ?? []).map(Number)
      const forms = {
        'epoch-u32': [second >>> 16, second & 0xffff],
        'datetime-bcd': [coded(year), coded(month * 100 + day), coded(hour * 100 + minute), coded(rest)],
        fields: [year, month, day, hour, minute, rest],
        iec870: [year - 2000, (month << 8) | day, (hour << 8) | minute, rest * 1_000]
      } as const
      for (const [type, plain] of Object.entries(forms) as [keyof typeof forms, readonly number[]][]) {
        const bits = plain.reduce((all, word) => (all << 16n) | BigInt(word), 0n)
        const words = splitWords(bits, plain.length, order)
        deepStrictEqual(decodeTimestamp({ words, offset: 0 }, { type, ...order }, 'UTC'), { ok: true, value: at }, type)
      }
    }),
    { numRuns: 300 }
  )
  t.end()
})
