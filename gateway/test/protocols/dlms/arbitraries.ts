import { obis } from '@endeks/domain/metering'
import fc from 'fast-check'
import { dataTypes } from '../../../src/protocols/dlms/codec/data-types.js'
import type { CosemDateTime, DlmsData, TypeDescription } from '../../../src/protocols/dlms/codec/index.js'

export const bytes = (maxLength = 20) => fc.uint8Array({ maxLength }).map((each) => Uint8Array.from(each))
export const u8 = fc.integer({ min: 0, max: 0xff })
export const u16 = fc.integer({ min: 0, max: 0xffff })
export const u24 = fc.integer({ min: 0, max: 0xff_ffff })
export const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
export const i8 = fc.integer({ min: -128, max: 127 })

const date = { year: u16, month: u8, day: u8, weekday: u8 }
const time = { hour: u8, minute: u8, second: u8, hundredths: u8 }
export const dateTime: fc.Arbitrary<CosemDateTime> = fc.record({
  ...date,
  ...time,
  deviation: fc.integer({ min: -0x8000, max: 0x7fff }),
  status: u8
})

/** A value of each scalar row of the table, so that a new row without a property is a type error or a failure. */
const scalars: fc.Arbitrary<DlmsData>[] = dataTypes.flatMap((row): fc.Arbitrary<DlmsData>[] => {
  switch (row.layout) {
    case 'empty':
      return [fc.constant({ type: row.name })]
    case 'boolean':
      return [fc.boolean().map((value) => ({ type: row.name, value }))]
    case 'integer': {
      const span = 2 ** (row.bytes * 8)
      const range = row.signed ? { min: -span / 2, max: span / 2 - 1 } : { min: 0, max: span - 1 }
      return [fc.integer(range).map((value) => ({ type: row.name, value }))]
    }
    case 'long': {
      const range = row.signed ? { min: -(1n << 63n), max: (1n << 63n) - 1n } : { min: 0n, max: (1n << 64n) - 1n }
      return [fc.bigInt(range).map((value) => ({ type: row.name, value }))]
    }
    case 'float':
      return [(row.bytes === 4 ? fc.float() : fc.double()).map((value) => ({ type: row.name, value }))]
    case 'octets':
      return [bytes(200).map((value) => ({ type: row.name, value }))]
    case 'text': {
      const unit = row.name === 'utf8-string' ? 'binary' : 'binary-ascii'
      return [fc.string({ unit, maxLength: 40 }).map((value) => ({ type: row.name, value }))]
    }
    case 'date-time':
      return [dateTime.map((value) => ({ type: row.name, value }))]
    case 'date':
      return [fc.record(date).map((value) => ({ type: row.name, value }))]
    case 'time':
      return [fc.record(time).map((value) => ({ type: row.name, value }))]
    case 'bits':
      return [fc.array(fc.boolean(), { maxLength: 40 }).map(bitString)]
    default:
      return []
  }
})

function bitString(flags: readonly boolean[]): DlmsData {
  const value = new Uint8Array(Math.ceil(flags.length / 8))
  for (const [index, flag] of flags.entries()) if (flag) value[index >> 3] = (value[index >> 3] ?? 0) | (0x80 >> (index & 7))
  return { type: 'bit-string', bits: flags.length, value }
}

const scalar = fc.oneof(...scalars)

/** A compact array whose rows are a counter, a text and a pair. */
const compactArray: fc.Arbitrary<DlmsData> = fc.array(fc.tuple(u32, bytes(5), u8, u8), { maxLength: 10 }).map((rows) => {
  const element: TypeDescription = {
    type: 'structure',
    elements: [{ type: 'double-long-unsigned' }, { type: 'octet-string' }, { type: 'array', count: 2, element: { type: 'unsigned' } }]
  }
  const value = rows.map(([counter, text, first, second]): DlmsData => {
    const pair: DlmsData[] = [first, second].map((each) => ({ type: 'unsigned', value: each }))
    const cells: DlmsData[] = [
      { type: 'double-long-unsigned', value: counter },
      { type: 'octet-string', value: text }
    ]
    return { type: 'structure', value: [...cells, { type: 'array', value: pair }] }
  })
  return { type: 'compact-array', element, value }
})

export const { data } = fc.letrec<{ data: DlmsData }>((tie) => ({
  data: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    scalar,
    compactArray,
    fc.record({ type: fc.constantFrom('array' as const, 'structure' as const), value: fc.array(tie('data'), { maxLength: 5 }) })
  )
}))

export const name = fc.tuple(u8, u8, u8, u8, u8, u8).map(([a, b, c, d, e, f]) => obis(`${a}-${b}:${c}.${d}.${e}*${f}`))
export const optional = { requiredKeys: ['apdu'] as ['apdu'] }
export const initiateRequest = fc.record(
  {
    apdu: fc.constant('initiate-request' as const),
    responseAllowed: fc.boolean(),
    dlmsVersion: u8,
    conformance: u24,
    maxPduSize: u16,
    dedicatedKey: bytes(16),
    qualityOfService: i8
  },
  { requiredKeys: ['apdu', 'responseAllowed', 'dlmsVersion', 'conformance', 'maxPduSize'] }
)
export const oid = fc.constantFrom('2.16.756.5.8.1.1', '2.16.756.5.8.2.5', '1.3.6.1.4.1.99999', '0.9.2342')
export const bitContents = fc.constantFrom(Uint8Array.of(7, 0x80), Uint8Array.of(0))
export const i32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
