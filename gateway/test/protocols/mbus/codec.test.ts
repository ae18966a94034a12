import fc from 'fast-check'
import t from 'tap'
import {
  control,
  type EncodableRecord,
  type EncodableValue,
  encodeLong,
  encodeRecord,
  encodeResponse,
  encodeShort,
  mbusCodec,
  mostRecordBytes,
  splitFrames,
  vifOf
} from '../../../src/protocols/mbus/codec/index.js'

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')
const header = hex('78 56 34 12 2D 2C 1B 16 2A 04 00 00')

/** What one record says, given as hex after a header. */
function recordsOf(records: string): Readonly<Record<string, unknown>>[] {
  const decoded = mbusCodec.describeFrame(encodeLong(control.respondUserData, 1, 0x72, Uint8Array.of(...header, ...hex(records))))
  if (!decoded.ok) throw new Error(decoded.error.message)
  return decoded.value['records'] as Readonly<Record<string, unknown>>[]
}

function codeOf(bytes: Uint8Array): string {
  const decoded = mbusCodec.describeFrame(bytes)
  return decoded.ok ? 'ok' : decoded.error.code
}

t.test('a water meter is described with its exact index', (t) => {
  const frame = encodeLong(control.respondUserData, 1, 0x72, Uint8Array.of(...header, ...hex('0C 13 00 10 45 49')))
  t.same(mbusCodec.describeFrame(frame), {
    ok: true,
    value: {
      protocol: 'mbus',
      identity: { id: '12345678', manufacturer: 'KAM', version: 27, medium: 'cold-water' },
      access: 42,
      status: ['low-battery'],
      records: [{ quantity: 'volume', value: '49451.000', unit: 'm3', function: 'instantaneous', storage: 0, tariff: 0, subunit: 0 }]
    }
  })
  t.end()
})

t.test('values are exact, whatever their coding', (t) => {
  const value = (record: string): unknown => recordsOf(record)[0]?.['value']
  t.equal(value('07 13 FF FF FF FF FF FF FF 7F'), '9223372036854775.807', 'int64')
  t.equal(value('06 03 FF FF FF FF FF FF'), '-1', 'int48')
  t.equal(value('0C 13 78 56 34 F2'), '-2345.678', 'BCD with a minus sign')
  t.equal(value('0C 13 78 56 B4 12'), null, 'BCD that shows an error')
  t.equal(value('01 13 80'), null, 'the integer that means "not valid"')
  t.equal(value('05 13 CD CC CC 3D'), '0.000100000001490116119384765625', 'real32, every digit of it')
  t.equal(value('05 13 00 00 C0 7F'), null, 'real32 that is not a number')
  t.equal(value('05 06 00 00 80 3F'), '1000', 'real32 with a power of ten')
  t.equal(value('0D FD 11 04 54 53 45 54'), 'TEST', 'text, last character first')
  t.equal(value('0D FD 10 C3 56 34 12'), '123456', 'BCD of variable length')
  t.equal(value('0D FD 10 C9 99 99 99 99 99 99 99 99 99'), '999999999999999999', 'eighteen digits')
  t.equal(value('0D FD 10 C9 9A 99 99 99 99 99 99 99 99'), null, 'eighteen digits with an error')
  t.equal(value('0E 13 56 34 12 90 78 F6'), '-67890123.456', 'twelve digits with a minus sign')
  t.equal(value('04 FD 2B FF FF FF FF'), '4294967295', 'unsigned where the VIF says so')
  t.match(recordsOf('0A 13 DD EB')[0], { value: null, raw: 'DDEB' }, 'what stands for no value is shown as it came')
  t.equal(value('0D FD 3A D2 34 12'), '-1234', 'negative BCD of variable length')
  t.equal(value('0D FD 19 E2 AB CD'), 'CDAB', 'binary of variable length is a number, high byte first')
  t.equal(value('02 7C 03 52 57 50 01 00'), '1', 'a unit in plain text')
  t.equal(value('02 23 03 00'), '259200', 'days in seconds')
  t.equal(value('00 13'), null, 'no data')
  t.end()
})

t.test('the dates of a meter are local times without a zone', (t) => {
  const value = (record: string): unknown => recordsOf(record)[0]?.['value']
  t.equal(value('02 6C BF 1C'), '2013-12-31', 'type G')
  t.equal(value('02 6C FF 1F'), null, 'month 15 is every month')
  t.match(recordsOf('02 6C BF 12')[0], { value: null, raw: 'BF12' }, '31 February is no day')
  t.equal(value('02 6C 9D 22'), '2020-02-29')
  t.equal(value('02 6C BD 22'), null, '29 February of a common year')
  t.equal(value('02 6C 9F 16'), null, '31 June')
  t.equal(value('04 6D 2B 0D BF 12'), null, '31 February with a time')
  t.equal(value('02 6C A0 11'), '2013-01-00', 'day 0 is every day')
  t.equal(value('04 6D 2B 0D 80 11'), '2012-01-00T13:43:00', 'type F without a day')
  t.equal(value('04 6D 2B 0D 98 11'), '2012-01-24T13:43:00', 'type F')
  t.equal(value('04 6D AB 0D 98 11'), null, 'type F marked as not valid')
  t.equal(value('04 6D 2B 18 98 11'), null, 'type F at 24 o’clock')
  t.equal(value('04 6D 2B 0D 78 C1'), '1999-01-24T13:43:00', 'type F of the last century')
  t.equal(value('06 6D 1E 2B 0D 98 11 00'), '2012-01-24T13:43:30', 'type I')
  t.equal(value('03 6D 1E 2B 0D'), '13:43:30', 'type J')
  t.end()
})

t.test('VIFEs change the value, or name another quantity', (t) => {
  t.match(recordsOf('0C 93 75 00 10 45 49')[0], { value: '4945.1000' }, 'a power of ten')
  t.match(recordsOf('0C 93 7D 00 10 45 49')[0], { value: '49451000' }, 'a thousand')
  t.match(recordsOf('02 DB 7B 0A 00')[0], { value: '11' }, 'one unit more')
  t.match(recordsOf('0C 93 3C 00 10 45 49')[0], { value: '49451.000', qualifiers: ['backward-only'] })
  t.match(recordsOf('0C 93 15 00 10 45 49')[0], { value: null, qualifiers: ['no-data'] }, 'a record error instead of a value')
  t.match(recordsOf('02 93 3E 6C 00')[0], { quantity: 'volume', unit: 'm3' })
  t.match(recordsOf('02 93 39 BF 1C')[0], { quantity: 'volume', value: '2013-12-31', unit: '', qualifiers: ['start-date'] })
  t.match(
    recordsOf('04 94 7F 14 00 00 00')[0],
    { quantity: 'volume', value: '0.20', qualifiers: ['manufacturer-specific'] },
    'the maker’s own VIFE'
  )
  t.match(recordsOf('02 FB 21 0A 00')[0], { quantity: 'volume', value: '1.0', unit: 'ft3' })
  t.match(recordsOf('02 FD 48 E7 08')[0], { quantity: 'voltage', value: '227.9', unit: 'V' })
  t.end()
})

t.test('the extension tables are there in whole', (t) => {
  t.match(recordsOf('02 FB 2B E7 08')[0], { quantity: 'phase-angle', value: '227.9', unit: '°' })
  t.match(recordsOf('02 FB 2A E7 08')[0], { quantity: 'phase-angle-between-voltages', value: '227.9' })
  t.match(recordsOf('02 FB 68 00 18')[0], { quantity: 'rating-factor', value: '1.500000000000' })
  t.match(recordsOf('01 FD FD 00 05')[0], { quantity: 'selected-application', value: '5' })
  t.match(recordsOf('01 FD FD 03 0A')[0], { quantity: 'battery-remaining', value: '10', unit: 'year' })
  t.match(recordsOf('01 FD FD 83 3C 0A')[0], { quantity: 'battery-remaining', qualifiers: ['backward-only'] })
  t.match(recordsOf('0C 7B 02 03 00 00')[0], { quantity: 'vif-7B', value: null, raw: '02030000' }, 'a table without a code')
  t.match(recordsOf('04 83 FC 0C 01 00 00 00')[0], { quantity: 'energy', qualifiers: ['import-less-export'] })
  const unsigned = recordsOf('01 83 FC 11 FF')[0]
  t.match(unsigned, { value: '255' }, 'type C has no sign')
  t.notOk(unsigned !== undefined && 'qualifiers' in unsigned)
  t.match(recordsOf('01 83 FC 70 01')[0], { qualifiers: ['vife-fc-70'] })
  t.end()
})

t.test('an alarm report shows its status, with every header', (t) => {
  for (const [ci, head] of [
    [0x71, ''],
    [0x74, '2A 00 00 00'],
    [0x75, '78 56 34 12 2D 2C 1B 16 2A 00 00 00']
  ] as const)
    t.match(mbusCodec.describeFrame(encodeLong(control.respondUserData, 1, ci, hex(`${head} 81`))), {
      ok: true,
      value: { records: [{ quantity: 'alarm-status', value: '129' }] }
    })
  t.equal(codeOf(encodeLong(control.respondUserData, 1, 0x71, hex(''))), 'MBUS_RECORD_TRUNCATED')
  t.end()
})

t.test('DIFEs build storage number, tariff and subunit', (t) => {
  t.match(recordsOf('CC 91 41 13 01 00 00 00')[0], { storage: 1 + 2 * 1 + 32 * 1, tariff: 1, subunit: 2 })
  t.match(recordsOf('81 8F 8F 8F 8F 8F 8F 8F 8F 8F 0F 13 01')[0], { storage: 2 ** 41 - 2 }, 'all ten')
  t.match(recordsOf('1C 13 01 00 00 00 2F 2F')[0], { function: 'maximum' }, 'idle fillers are skipped')
  t.match(recordsOf('0C 13 01 00 00 00 1F 01 02')[1], { function: 'more-records-follow', value: '0102' })
  t.end()
})

t.test('a failure says what is wrong and where', (t) => {
  const frame = encodeShort(control.requestUserData2, 1)
  t.same(mbusCodec.describeFrame(frame), { ok: true, value: { protocol: 'mbus', frame: 'short', control: 0x5b, address: 1 } })
  t.same(mbusCodec.describeFrame(Uint8Array.of(0xe5)), { ok: true, value: { protocol: 'mbus', frame: 'acknowledge' } })
  t.match(mbusCodec.describeFrame(hex('10 5B 01 5D 16')), { ok: false, error: { code: 'MBUS_CHECKSUM', offset: 3 } })
  t.match(mbusCodec.describeFrame(hex('10 5B 01 5C 17')), { ok: false, error: { code: 'MBUS_STOP_BYTE', offset: 4 } })
  t.match(mbusCodec.describeFrame(hex('10 5B 01 5C 16 00')), { ok: false, error: { code: 'MBUS_TRAILING_BYTES', offset: 5 } })
  t.match(mbusCodec.describeFrame(hex('68 03 04 68')), { ok: false, error: { code: 'MBUS_LENGTH', offset: 2 } })
  t.match(mbusCodec.describeFrame(hex('68 03')), { ok: false, error: { code: 'MBUS_TRUNCATED', offset: 2 } })
  t.equal(codeOf(encodeLong(0x08, 1, 0x79, hex('00'))), 'MBUS_CI_UNSUPPORTED')
  t.equal(codeOf(encodeLong(0x53, 1, 0x51, hex('00'))), 'MBUS_CONTROL_FIELD')
  t.equal(codeOf(encodeLong(0x08, 1, 0x73, new Uint8Array(17))), 'MBUS_TRAILING_BYTES')
  const encrypted = Uint8Array.of(...header.subarray(0, 10), 0x10, 0x05, ...new Uint8Array(16))
  t.equal(codeOf(encodeLong(0x08, 1, 0x72, encrypted)), 'MBUS_ENCRYPTED')
  t.equal(codeOf(encodeLong(0x08, 1, 0x72, Uint8Array.of(...header, 0x3f))), 'MBUS_RECORD_RESERVED')
  t.equal(codeOf(encodeLong(0x08, 1, 0x72, Uint8Array.of(...header, 0x0d, 0x13, 0xff))), 'MBUS_RECORD_RESERVED')
  t.same(splitFrames(Uint8Array.of(...frame, 0xe5, ...frame), 2), {
    ok: false,
    error: { code: 'MBUS_TOO_MANY_FRAMES', message: 'There are more than 2 frames', offset: 6 }
  })
  t.end()
})

const limit = (bytes: number): bigint => (1n << BigInt(8 * bytes - 1)) - 1n
const values: fc.Arbitrary<EncodableValue> = fc.oneof(
  fc
    .constantFrom<1 | 2 | 3 | 4 | 6 | 8>(1, 2, 3, 4, 6, 8)
    .chain((size) => fc.bigInt(-limit(size), limit(size)).map((raw) => ({ coding: 'integer', size, raw }) as const)),
  fc
    .constantFrom<1 | 2 | 3 | 4 | 6>(1, 2, 3, 4, 6)
    .chain((size) =>
      fc.bigInt(-(10n ** BigInt(2 * size - 1)) + 1n, 10n ** BigInt(2 * size) - 1n).map((raw) => ({ coding: 'bcd', size, raw }) as const)
    ),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => ({ coding: 'real', value }) as const)
)
const records: fc.Arbitrary<EncodableRecord> = fc.record({
  quantity: fc.constant('volume'),
  unit: fc.constant('m3'),
  scaler: fc.integer({ min: -6, max: 3 }),
  function: fc.constantFrom('instantaneous', 'maximum', 'minimum', 'error'),
  storage: fc.integer({ min: 0, max: 2 ** 41 - 1 }),
  tariff: fc.integer({ min: 0, max: 2 ** 20 - 1 }),
  subunit: fc.integer({ min: 0, max: 1023 }),
  value: values
})

t.test('decoding inverts encoding', (t) => {
  fc.assert(
    fc.property(fc.array(records, { maxLength: 8 }), fc.integer({ min: 0, max: 255 }), (sent, status) => {
      fc.pre(sent.reduce((size, record) => size + encodeRecord(record).length, 0) <= mostRecordBytes)
      const identity = { id: '00012345', manufacturer: 'ELS', version: 7, medium: 'gas' }
      const frame = encodeResponse({ address: 9, identity, access: 1, status, records: sent })
      const decoded = mbusCodec.describeFrame(frame)
      if (!decoded.ok) return false
      const got = decoded.value['records'] as Readonly<Record<string, unknown>>[]
      t.same(decoded.value['identity'], identity)
      return sent.every((record, index) => isSame(record, got[index] ?? {}))
    }),
    { seed: 13_757, numRuns: 500 }
  )
  t.end()
})

function isSame(sent: EncodableRecord, got: Readonly<Record<string, unknown>>): boolean {
  const { value, scaler } = sent
  const number = Number(got['value'])
  const expected = value.coding === 'real' ? value.value * 10 ** scaler : 'raw' in value ? Number(value.raw) * 10 ** scaler : Number.NaN
  const near = Math.abs(number - expected) <= Math.abs(expected) * 1e-12
  return near && (['function', 'storage', 'tariff', 'subunit', 'unit'] as const).every((key) => got[key] === sent[key])
}

t.test('an encoder finds the VIF of a quantity, and says so when there is none', (t) => {
  t.same(vifOf('volume', 'm3', -3), hex('13'))
  t.same(vifOf('volume', 'm3', 3), hex('FB 11'))
  t.same(vifOf('voltage', 'V', -1), hex('FD 48'))
  t.equal(vifOf('volume', 'm3', 9), undefined)
  t.end()
})

t.test('an encoder writes texts and dates, and refuses what does not fit', (t) => {
  const text = encodeRecord({ quantity: 'customer', unit: '', scaler: 0, value: { coding: 'text', text: 'TEST' } })
  t.same(text, hex('0D FD 11 04 54 53 45 54'))
  const last = { kind: 'date-time', year: 1999, month: 1, day: 24, hour: 13, minute: 43, second: 0, summer: false } as const
  const date = encodeRecord({ quantity: 'time-point', unit: '', scaler: 0, value: { coding: 'date', date: last } })
  t.match(recordsOf(Buffer.from(date).toString('hex'))[0], { value: '1999-01-24T13:43:00' })
  const volume = { quantity: 'volume', unit: 'm3', scaler: -3, value: { coding: 'bcd', size: 4, raw: 42n } } as const
  const refused: readonly EncodableRecord[] = [
    { ...volume, scaler: 9 },
    { ...volume, storage: 2 ** 41 },
    { ...volume, value: { coding: 'bcd', size: 1, raw: 100n } },
    { ...volume, value: { coding: 'integer', size: 1, raw: -128n } },
    { ...volume, value: { coding: 'text', text: 'x'.repeat(192) } }
  ]
  for (const record of refused) t.throws(() => encodeRecord(record), RangeError)
  const identity = { id: '12345678', manufacturer: 'KAM', version: 1, medium: 'water' }
  const response = { address: 1, access: 1, status: 0, records: [] }
  t.throws(() => encodeResponse({ ...response, identity: { ...identity, id: '1' } }), RangeError)
  t.throws(() => encodeResponse({ ...response, identity: { ...identity, manufacturer: 'K4' } }), RangeError)
  t.throws(() => encodeResponse({ ...response, identity, records: new Array<EncodableRecord>(41).fill(volume) }), RangeError)
  t.end()
})
