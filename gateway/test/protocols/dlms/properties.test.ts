import { deepStrictEqual } from 'node:assert/strict'
import { obis } from '@endeks/domain/metering'
import fc from 'fast-check'
import t from 'tap'
import { dataTypes } from '../../../src/protocols/dlms/codec/data-types.js'
import {
  type Apdu,
  type CosemDateTime,
  cipheredTags,
  type DlmsData,
  decodeApdu,
  decodeData,
  dlmsCodec,
  encodeApdu,
  encodeData,
  encodeWrapper,
  type TypeDescription
} from '../../../src/protocols/dlms/codec/index.js'

const bytes = (maxLength = 20) => fc.uint8Array({ maxLength }).map((each) => Uint8Array.from(each))
const u8 = fc.integer({ min: 0, max: 0xff })
const u16 = fc.integer({ min: 0, max: 0xffff })
const u24 = fc.integer({ min: 0, max: 0xff_ffff })
const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const i8 = fc.integer({ min: -128, max: 127 })

const date = { year: u16, month: u8, day: u8, weekday: u8 }
const time = { hour: u8, minute: u8, second: u8, hundredths: u8 }
const dateTime: fc.Arbitrary<CosemDateTime> = fc.record({
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

const { data } = fc.letrec<{ data: DlmsData }>((tie) => ({
  data: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    scalar,
    compactArray,
    fc.record({ type: fc.constantFrom('array' as const, 'structure' as const), value: fc.array(tie('data'), { maxLength: 5 }) })
  )
}))

const name = fc.tuple(u8, u8, u8, u8, u8, u8).map(([a, b, c, d, e, f]) => obis(`${a}-${b}:${c}.${d}.${e}*${f}`))
const optional = { requiredKeys: ['apdu'] as ['apdu'] }
const initiateRequest = fc.record(
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
const oid = fc.constantFrom('2.16.756.5.8.1.1', '2.16.756.5.8.2.5', '1.3.6.1.4.1.99999', '0.9.2342')
const bitContents = fc.constantFrom(Uint8Array.of(7, 0x80), Uint8Array.of(0))
const i32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })

const apdu: fc.Arbitrary<Apdu> = fc.oneof(
  initiateRequest,
  fc.record(
    {
      apdu: fc.constant('aarq' as const),
      protocolVersion: bitContents,
      applicationContextName: oid,
      calledApTitle: bytes(),
      callingAeInvocationId: i32,
      senderAcseRequirements: bitContents,
      mechanismName: oid,
      callingAuthenticationValue: bytes(200),
      implementationInformation: bytes(),
      userInformation: initiateRequest
    },
    { requiredKeys: ['apdu', 'applicationContextName'] }
  ),
  fc.record(
    {
      apdu: fc.constant('aare' as const),
      applicationContextName: oid,
      result: i32,
      diagnostic: fc.record({ source: fc.constantFrom('service-user' as const, 'service-provider' as const), value: i32 }),
      respondingAuthenticationValue: bytes(),
      userInformation: fc.record({
        apdu: fc.constant('initiate-response' as const),
        dlmsVersion: u8,
        conformance: u24,
        maxPduSize: u16,
        vaaName: u16
      })
    },
    { requiredKeys: ['apdu', 'applicationContextName', 'result', 'diagnostic'] }
  ),
  fc.record({ apdu: fc.constantFrom('rlrq' as const, 'rlre' as const), reason: i32, userInformation: initiateRequest }, optional),
  fc.record({ apdu: fc.constant('confirmed-service-error' as const), service: u8, category: u8, value: u8 }),
  fc.record(
    {
      apdu: fc.constant('get-request-normal' as const),
      invoke: u8,
      class: u16,
      obis: name,
      attribute: i8,
      access: fc.record({ selector: u8, parameters: data })
    },
    { requiredKeys: ['apdu', 'invoke', 'class', 'obis', 'attribute'] }
  ),
  fc.record({ apdu: fc.constant('get-request-next' as const), invoke: u8, block: u32 }),
  fc.record({
    apdu: fc.constant('get-response-normal' as const),
    invoke: u8,
    result: fc.oneof(fc.record({ data }), fc.record({ error: u8 }))
  }),
  fc.record({
    apdu: fc.constant('get-response-with-datablock' as const),
    invoke: u8,
    last: fc.boolean(),
    block: u32,
    result: fc.oneof(fc.record({ raw: bytes(400) }), fc.record({ error: u8 }))
  }),
  fc.record({
    apdu: fc.constant('exception-response' as const),
    stateError: fc.constantFrom(1, 2),
    serviceError: fc.constantFrom(1, 2, 3, 4, 5)
  }),
  fc
    .record({ row: fc.constantFrom(...cipheredTags), control: u8, invocationCounter: u32, title: fc.boolean(), contents: bytes(60) })
    .map(({ row, title, control, contents, ...rest }): Apdu => {
      const systemTitle = row.inner === undefined ? { systemTitle: new Uint8Array(title ? 8 : 0).fill(7) } : {}
      // An authenticated one holds at least its tag.
      return { apdu: row.name, ...systemTitle, ...rest, control, contents: Uint8Array.of(...contents, ...new Uint8Array(12)) }
    }),
  u32.map((invocationCounter) => ({ apdu: 'exception-response' as const, stateError: 1, serviceError: 6, invocationCounter }))
)

/** Some generated objects have no prototype; a clone has, and keeps bytes, bigints and signed zeros. */
const plain = <Value>(value: Value): Value => structuredClone(value)

t.test('decoding inverts encoding, for values of every type', (t) => {
  fc.assert(
    fc.property(data, (value) => {
      const decoded = decodeData(encodeData(value))
      deepStrictEqual(decoded, { ok: true, value: plain(value) })
    }),
    { numRuns: 600 }
  )
  t.end()
})

t.test('decoding inverts encoding, for every APDU, with and without wrapper', (t) => {
  fc.assert(
    fc.property(apdu, u16, u16, (value, source, destination) => {
      const encoded = encodeApdu(value)
      deepStrictEqual(decodeApdu(encoded), { ok: true, value: plain(value) })
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

/** Mulberry32: a small generator whose whole run follows from the seed that the test prints. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

function mutated(frames: readonly Uint8Array[], pick: (below: number) => number): Uint8Array {
  const frame = frames[pick(frames.length)] ?? new Uint8Array(0)
  const other = frames[pick(frames.length)] ?? new Uint8Array(0)
  const at = pick(frame.length + 1)
  const changed = Uint8Array.from(frame)
  switch (pick(5)) {
    case 0:
      changed[at] = (changed[at] ?? 0) ^ (1 << pick(8))
      return changed
    case 1:
      return changed.subarray(0, at)
    case 2:
      return Uint8Array.of(...frame.subarray(0, at), pick(256), ...frame.subarray(at))
    case 3:
      return Uint8Array.of(...frame.subarray(0, at), ...other.subarray(pick(other.length + 1)))
    default:
      changed[at] = [0x7f, 0x80, 0x82, 0x84, 0xff][pick(5)] ?? 0
      return changed
  }
}

t.test('20,000 seeded mutations end in a value or a coded failure', (t) => {
  const seed = 20_261_124
  t.comment(`seed ${seed}`)
  const pick = random(seed)
  const apdus = fc.sample(apdu, { seed, numRuns: 300 }).map((value) => encodeApdu(value))
  const frames = [...apdus, ...apdus.map((each) => encodeWrapper({ source: 1, destination: 16, apdu: each }))]
  const counts = new Map<string, number>()
  for (let run = 0; run < 20_000; run += 1) {
    let frame = mutated(frames, pick)
    if (run % 3 === 0) frame = mutated([frame, ...frames.slice(0, 5)], pick)
    const described = dlmsCodec.describeFrame(frame)
    const outcome = described.ok ? 'decoded' : described.error.code
    if (!described.ok && !described.error.code.startsWith('DLMS_')) t.fail(Buffer.from(frame).toString('hex'), described.error)
    if (described.ok) {
      const again = decodeApdu(frame)
      if (again.ok) encodeApdu(again.value)
    }
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  }
  for (const [outcome, count] of counts) t.comment(`${count}: ${outcome}`)
  t.ok((counts.get('decoded') ?? 0) > 1000 && counts.size > 5, 'the mutations reach both sides')
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
