import { deepStrictEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  type Apdu,
  cipheredTags,
  decodeApdu,
  decodeData,
  dlmsCodec,
  encodeApdu,
  encodeData,
  encodeWrapper
} from '../../../src/protocols/dlms/codec/index.js'
import {
  bitContents,
  bytes,
  data,
  i8,
  i32,
  initiateRequest,
  mutated,
  name,
  oid,
  optional,
  random,
  u8,
  u16,
  u24,
  u32
} from './arbitraries.js'
import { service } from './service-arbitraries.js'

const apdu: fc.Arbitrary<Apdu> = fc.oneof(
  { arbitrary: service, weight: 8 },
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
