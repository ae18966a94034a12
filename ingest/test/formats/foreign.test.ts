import { gatewayId } from '@endeks/domain/identifiers'
import { obis } from '@endeks/domain/metering'
import { epochMs } from '@endeks/domain/time'
import fc from 'fast-check'
import t from 'tap'
import { decodeForeignEvidence, foreignProfileHash } from '../../src/formats/decode-evidence.js'
import { exactNumber, shortestLiteral } from '../../src/formats/exact-number.js'
import { ForeignGateway, type GatewayFormat, type KeyRow } from '../../src/formats/foreign-gateway.js'
import type { ForeignContext, ReadMessage } from '../../src/formats/format.js'
import { foreignFormatOf, isOwnCommandFilter, isOwnDeathTopic } from '../../src/formats/index.js'
import { readJsonText } from '../../src/formats/json-text.js'
import { Birth, Births } from '../../src/formats/sparkplug/births.js'
import { readPayload } from '../../src/formats/sparkplug/payload.js'
import { type SentMetric, sparkplugPayload } from '../support/sparkplug.js'

const gateway = gatewayId('edge-1')
const receivedAt = epochMs(1_767_225_700_000)
const at = 1_767_225_600_000
const volume = obis('8-0:1.0.0*255')
const energy = obis('1-0:1.8.0*255')
const keys: readonly KeyRow[] = [
  { key: 'total', meaning: { obis: volume, unit: 'm3', scaler: -3 } },
  { key: 'energy', meaning: { obis: energy, unit: 'kWh' } },
  { device: 'odd', key: 'total', meaning: { obis: volume, unit: 'L' } },
  { key: 'temperature' }
]

function contextFor(format: GatewayFormat, rows = keys): ForeignContext & { readonly gaps: number[] } {
  const gaps: number[] = []
  return {
    gateway: new ForeignGateway(format, rows, new Map([['Flat 3', '00012345']])),
    births: new Births(),
    receivedAt,
    gap: (missing) => gaps.push(missing),
    isStored: () => false,
    gaps
  }
}

function told(context: ForeignContext, topic: string, payload: string | Buffer): ReadMessage {
  const format = foreignFormatOf(topic)
  if (format === undefined) throw new Error(`${topic} is nobody's`)
  return format.read({ gateway, topic, payload: Buffer.from(payload) }, context)
}

t.test('a number is kept as it was written, or told in the least unit of its register', (t) => {
  t.same(exactNumber('12.50'), { ok: true, value: { raw: 1250n, scaler: -2 } })
  t.same(exactNumber('-0.5e3'), { ok: true, value: { raw: -5n, scaler: 2 } })
  t.same(exactNumber('123456789012345.678'), { ok: true, value: { raw: 123_456_789_012_345_678n, scaler: -3 } })
  t.same(exactNumber('1e31'), { ok: false, error: '1e31 has more than 18 digits or 12 decimal places' })
  t.same(exactNumber('1e15'), { ok: true, value: { raw: 1000n, scaler: 12 } })
  t.same(exactNumber('0e-300'), { ok: true, value: { raw: 0n, scaler: -12 } })
  t.notOk(exactNumber('0.30000000000000004').ok, 'seventeen decimal places are no register')
  t.same(exactNumber('0.30000000000000004', { scaler: -2 }), { ok: true, value: { raw: 30n, scaler: -2 } })
  t.notOk(exactNumber('0.305', { scaler: -2 }).ok, 'what is finer than the register is no rounding error')
  t.notOk(exactNumber('0.3000001', { scaler: -2 }).ok)
  t.same(exactNumber('16777.215', { scaler: -3, precision: 'float' }), { ok: true, value: { raw: 16_777_215n, scaler: -3 } })
  t.notOk(exactNumber('1e999', { scaler: -3 }).ok)
  t.notOk(exactNumber('NaN').ok)
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n }), fc.integer({ min: -6, max: 3 }), (raw, scaler) => {
      const literal = shortestLiteral(Number(`${raw}e${scaler}`), 'double')
      const number = exactNumber(literal, { scaler, precision: 'double' })
      return number.ok && number.value.raw === raw
    }),
    { numRuns: 300 }
  )
  fc.assert(
    fc.property(
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      (value) => Math.fround(Number(shortestLiteral(value, 'float'))) === value
    ),
    { numRuns: 300 }
  )
  t.end()
})

t.test('a JSON text is read as JSON.parse reads it, or refused as it is there', (t) => {
  const plain = (node: ReturnType<typeof readJsonText>): unknown => (node.ok ? JSON.stringify(plainOf(node.value)) : undefined)
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(4), (value, space) => {
      const text = JSON.stringify(value, undefined, space)
      return plain(readJsonText(text)) === JSON.stringify(value)
    }),
    { numRuns: 300 }
  )
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0ae-+.1 \n\ttruefalsn') }), (text) => {
      const node = readJsonText(text)
      try {
        JSON.parse(text)
        return node.ok
      } catch {
        return !node.ok
      }
    }),
    { numRuns: 2_000 }
  )
  t.match(readJsonText('{"a":1,"a":2}'), { ok: false, error: { code: 'MESSAGE_MALFORMED', message: /twice/ } })
  t.match(readJsonText('['.repeat(100_000)), { ok: false, error: { message: /levels/ } })
  t.match(readJsonText(`[${'0,'.repeat(150_000)}0]`), { ok: false, error: { message: /more than 100000 values/ } })
  t.end()
})

function plainOf(node: Extract<ReturnType<typeof readJsonText>, { ok: true }>['value']): unknown {
  if (node.kind === 'object') return Object.fromEntries([...node.members].map(([name, each]) => [name, plainOf(each)]))
  if (node.kind === 'array') return node.items.map(plainOf)
  if (node.kind === 'number') return Number(node.literal)
  return node.kind === 'string' ? node.text : JSON.parse(node.text)
}

const telemetry = 'v1/gateway/telemetry'

t.test('what a ThingsBoard gateway tells becomes readings, each by itself', (t) => {
  const text = `{"Flat 3":[{"ts":${at},"values":{"total":1234.500,"temperature":21.5,"online":true,"error":null}},
    {"ts":${at + 1},"values":{"total":1234.5609999999999, "1-0:1.8.0*255 Wh":7}}],
    "odd":[{"values":{"total":12345678901234567.8}}],
    "silent":[{"ts":1,"values":{"temperature":1}}]}`
  const read = told(contextFor('thingsboard'), telemetry, text)
  t.equal(read.refusal, undefined)
  t.match(read.readings?.exchanges, [
    { bus: 'thingsboard', address: 'Flat 3', protocol: 'thingsboard', identity: { id: '00012345' }, at: at + 1 },
    { address: 'odd', identity: { id: 'odd' }, at: receivedAt }
  ])
  t.equal(read.readings?.exchanges.length, 2)
  const kept = { obis: volume, unit: 'm3', scaler: -3, exchange: 0, status: 0 }
  t.same(read.readings?.readings, [
    { ...kept, at, raw: 1_234_500n },
    { ...kept, at: at + 1, raw: 1_234_561n },
    { ...kept, at: at + 1, obis: energy, unit: 'Wh', raw: 7n, scaler: 0 },
    { ...kept, at: receivedAt, unit: 'L', raw: 123_456_789_012_345_678n, scaler: -1, exchange: 1 }
  ])
  const part = read.evidence?.[0]?.response.toString('utf8') ?? ''
  t.match(told(contextFor('thingsboard'), telemetry, `{${part}}`).readings?.readings.length, 3, 'a part is a message of its own')
  t.match(JSON.parse(read.profiles?.[0]?.content ?? ''), { format: 'thingsboard' })
  t.end()
})

t.test('a value that is no index is refused by itself, and one of which nobody said what it is', (t) => {
  const one = (key: string, value: string, context = contextFor('thingsboard')): ReadMessage =>
    told(context, telemetry, `{"Flat 3":[{"ts":${at},"values":{${JSON.stringify(key)}:${value},"energy":5}}]}`)
  for (const [key, value, code, message] of [
    ['total', '"12"', 'MESSAGE_VALUE_REFUSED', /is no index/],
    ['total', 'true', 'MESSAGE_VALUE_REFUSED', /is no index/],
    ['total', '{"v":1}', 'MESSAGE_VALUE_REFUSED', /is no index/],
    ['total', '1.2345', 'MESSAGE_VALUE_REFUSED', /no whole multiple/],
    ['total', '1e300', 'MESSAGE_VALUE_REFUSED', /digits/],
    ['8-0:1.0.0*255', '1', 'MESSAGE_VALUE_REFUSED', /unit/],
    ['8-0:1.0.0*999 m3', '1', 'MESSAGE_KEY_UNMAPPED', /nobody has entered/],
    ['8-0:1.0.0*255 gal', '1', 'MESSAGE_KEY_UNMAPPED', /nobody has entered/],
    ['pressure', '1', 'MESSAGE_KEY_UNMAPPED', /nobody has entered/]
  ] as const) {
    const read = one(key, value)
    t.match(read.refusal, { code, message }, `${key} ${value}`)
    t.equal(read.readings?.readings.length, 1, 'and its neighbour is taken')
  }
  t.equal(one('mode', '"auto"').refusal, undefined, 'a text that is no register is none')
  const passing = contextFor('thingsboard', [...keys, { key: '*' }])
  t.equal(one('pressure', '1', passing).refusal, undefined)
  t.equal(one('8-0:1.0.0*255 m3', '1', passing).readings?.readings.length, 2, 'a key that says itself what it is needs no row')
  for (const text of [
    '{',
    '[]',
    '{"a":1}',
    '{"a":[{"values":1}]}',
    '{"a":[{"ts":"1","values":{}}]}',
    '{"a":[{"ts":1.5,"values":{}}]}',
    '{"a":[{"ts":9e15,"values":{}}]}'
  ]) {
    t.match(told(contextFor('thingsboard'), telemetry, text).refusal, { code: 'MESSAGE_MALFORMED' }, text)
  }
  t.match(told(contextFor('thingsboard'), telemetry, `{"${'x'.repeat(65)}":[{"ts":1,"values":{"total":1}}]}`).refusal, {
    message: /no name/
  })
  t.same(told(contextFor('thingsboard'), 'v1/gateway/connect', '{"device":"x"}'), {})
  t.end()
})

const nodeBirth = 'spBv1.0/osb/NBIRTH/edge-1'
const deviceBirth = 'spBv1.0/osb/DBIRTH/edge-1/Flat 3'
const deviceData = 'spBv1.0/osb/DDATA/edge-1/Flat 3'
const born: readonly SentMetric[] = [
  { name: 'Node Control/Rebirth', datatype: 11, boolean: false },
  { name: 'total', alias: 1, datatype: 10, double: 1234.5, unit: 'm³' },
  { name: 'energy', alias: 2, datatype: 4, long: 2n ** 64n - 5n },
  { name: 'temperature', alias: 3, datatype: 9, float: 21.5 },
  { name: 'mode', alias: 4, datatype: 12, text: 'auto' }
]

function bornContext(): ReturnType<typeof contextFor> {
  const context = contextFor('sparkplug')
  told(context, nodeBirth, sparkplugPayload(at, 0, [{ name: 'bdSeq', datatype: 8, long: 0n }]))
  told(context, deviceBirth, sparkplugPayload(at, 1, born))
  return context
}

t.test('an edge node of Sparkplug is read by its births, which are readings themselves', (t) => {
  const context = contextFor('sparkplug')
  t.same(told(context, nodeBirth, sparkplugPayload(at, 0, [{ name: 'bdSeq', datatype: 8, long: 0n }])), {})
  const birth = told(context, deviceBirth, sparkplugPayload(at, 1, born))
  t.equal(birth.refusal, undefined)
  t.match(birth.readings?.exchanges, [{ bus: 'osb', address: 'Flat 3', protocol: 'sparkplug', identity: { id: '00012345' } }])
  t.match(birth.readings?.readings, [
    { obis: volume, raw: 1_234_500n, scaler: -3, unit: 'm3', at },
    { obis: energy, raw: -5n, scaler: 0, unit: 'kWh' }
  ])
  const payload = sparkplugPayload(at + 9, 2, [
    { alias: 1, double: 1234.6, timestamp: at - 3_600_000, historical: true },
    { alias: 1, double: 1234.7, historical: true },
    { alias: 2, long: 6n, quality: 0 },
    { alias: 2, isNull: true },
    { alias: 2, long: 7n, transient: true },
    { alias: 1, double: Number.NaN },
    { alias: 1, double: Number.POSITIVE_INFINITY },
    { alias: 4, text: 'off' }
  ])
  const data = told(context, deviceData, payload)
  t.match(data.readings?.readings, [
    { obis: volume, raw: 1_234_600n, at: at - 3_600_000, status: 0 },
    { obis: energy, raw: 6n, at: at + 9, status: 128 }
  ])
  t.match(data.refusal, { code: 'MESSAGE_VALUE_REFUSED', message: /^3 values: .*historical.*NaN.*Infinity/ })
  t.same(data.evidence?.[0]?.response, payload)
  t.match(data.readWith?.content, /"born":\[\["1","total",10,"m³"\]/)
  t.same(context.gaps, [])
  t.end()
})

/** What the kept bytes of each device say by what was kept beside them, with no reference to what is entered or born now. */
function readAgain(read: ReadMessage): unknown[] {
  return (read.readings?.exchanges ?? []).flatMap((exchange, index) => {
    const profile = read.profiles?.find(({ content }) => foreignProfileHash(content) === exchange.profile)?.content ?? ''
    const response = read.evidence?.[index]?.response ?? Buffer.alloc(0)
    const again = decodeForeignEvidence(exchange.protocol, { ...exchange, at: epochMs(exchange.at), response, profile })
    return again.ok && again.value.identity.id === exchange.identity.id
      ? again.value.readings.map((each) => ({ ...each, exchange: index }))
      : []
  })
}

t.test('what was kept of a message says the same readings again, whatever has been entered or born since', (t) => {
  const text = `{"Flat 3":[{"ts":${at},"values":{"total":1234.5609999999999,"unknown":1}},{"ts":${at + 900_000},"values":{"1-0:1.8.0*255 Wh":7}}],
    "odd":[{"values":{"total":12345678901234567.8}},{"ts":${receivedAt + 60_000},"values":{"total":5}}]}`
  const telemetered = told(contextFor('thingsboard'), telemetry, text)
  t.equal(telemetered.readings?.readings.length, 4)
  t.same(readAgain(telemetered), telemetered.readings?.readings)
  const context = contextFor('sparkplug')
  const send = (kind: string, metrics: readonly SentMetric[]): ReadMessage =>
    told(context, `spBv1.0/osb/${kind}/edge-1/Flat 3`, sparkplugPayload(at, 0, metrics))
  const born = send('DBIRTH', [
    { name: 'total', alias: 1, datatype: 10, double: 0.30000000000000004 },
    { name: 'energy', datatype: 4, long: 2n ** 64n - 5n, unit: 'kWh' }
  ])
  const data = send('DDATA', [
    { alias: 1, double: 12.5, timestamp: at - 5, historical: true, quality: 0 },
    { alias: 9, double: 1 }
  ])
  for (const [read, readings] of [
    [born, 2],
    [data, 1]
  ] as const) {
    t.equal(read.readings?.readings.length, readings)
    t.same(readAgain(read), read.readings?.readings)
  }
  t.match(data.readings?.exchanges, [{ identity: { id: '00012345' }, address: 'Flat 3' }])
  t.end()
})

t.test('kept bytes that can not be read again are a coded failure', (t) => {
  const read = told(contextFor('thingsboard'), telemetry, `{"Flat 3":[{"ts":${at},"values":{"total":1}}]}`)
  const profile = read.profiles?.[0]?.content ?? ''
  const kept = {
    bus: 'thingsboard',
    address: 'Flat 3',
    at: epochMs(at),
    response: read.evidence?.[0]?.response ?? Buffer.alloc(0),
    profile
  }
  const code = (protocol: string, changed: Partial<typeof kept>): string => {
    const again = decodeForeignEvidence(protocol, { ...kept, ...changed })
    return again.ok ? '' : again.error.code
  }
  t.equal(code('thingsboard', {}), '')
  t.equal(code('mbus', {}), 'PROTOCOL_UNKNOWN')
  for (const wrong of ['', '{}', '{"format":"sparkplug","keys":[]}', '{"format":"thingsboard","keys":[[1]]}'])
    t.equal(code('thingsboard', { profile: wrong }), 'PROFILE_INVALID', wrong)
  t.equal(code('thingsboard', { address: 'Flat 4' }), 'MESSAGE_MALFORMED')
  t.equal(code('thingsboard', { response: kept.response.subarray(1) }), 'MESSAGE_MALFORMED')
  t.equal(code('thingsboard', { response: Buffer.alloc(0) }), 'MESSAGE_MALFORMED')
  t.equal(code('sparkplug', { profile: '{"format":"sparkplug","keys":[]}' }), 'MESSAGE_MALFORMED')
  t.end()
})

t.test('an alias that nothing explains asks for a birth, once a minute, and what is missing is counted', (t) => {
  const context = bornContext()
  const strange = (seq: number): ReadMessage =>
    told(
      context,
      deviceData,
      sparkplugPayload(at, seq, [
        { alias: 9, long: 1n },
        { alias: 2, long: 8n }
      ])
    )
  const first = strange(2)
  t.match(first, {
    refusal: { code: 'MESSAGE_BIRTH_NEEDED', message: /birth certificate needed/ },
    answer: { topic: 'spBv1.0/osb/NCMD/edge-1' }
  })
  t.equal(first.readings?.readings.length, 1, 'what is explained is taken')
  t.match(readPayload(first.answer?.payload ?? Buffer.alloc(0)), {
    value: { metrics: [{ name: 'Node Control/Rebirth', datatype: 11, other: 'true' }] }
  })
  t.equal(strange(3).answer, undefined)
  t.match(strange(10).refusal, { code: 'MESSAGE_BIRTH_NEEDED' })
  t.same(context.gaps, [6])
  t.ok(strange(10).refusal)
  t.same(context.gaps, [6], 'the same message once more is none')
  told(context, 'spBv1.0/osb/NDEATH/edge-1', Buffer.alloc(0))
  t.match(told(context, deviceData, sparkplugPayload(at, 0, [{ alias: 1, double: 5 }])).refusal, { code: 'MESSAGE_BIRTH_NEEDED' })
  const other = bornContext()
  t.match(told(other, deviceData.replace('osb', 'elsewhere'), sparkplugPayload(at, 2, [{ alias: 1, double: 5 }])).refusal, {
    code: 'MESSAGE_BIRTH_NEEDED'
  })
  t.end()
})

t.test('a cut payload is a coded failure, and no bytes throw', (t) => {
  const payload = sparkplugPayload(at, 1, born)
  for (let length = 0; length < payload.length; length += 1) {
    const read = told(contextFor('sparkplug'), deviceBirth, payload.subarray(0, length))
    if (read.refusal?.code !== 'MESSAGE_MALFORMED') t.fail(`${length} bytes of ${payload.length} are read`)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => told(contextFor('sparkplug'), deviceBirth, Buffer.from(bytes)) !== undefined),
    { numRuns: 500 }
  )
  fc.assert(
    fc.property(fc.nat(payload.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
      const changed = Buffer.from(payload)
      changed[place] = (changed[place] ?? 0) ^ change
      return told(contextFor('sparkplug'), deviceBirth, changed) !== undefined
    }),
    { numRuns: 500 }
  )
  t.match(told(contextFor('sparkplug'), deviceBirth, sparkplugPayload(at, undefined, born)).refusal, { message: /seq/ })
  t.match(told(contextFor('sparkplug'), deviceBirth, sparkplugPayload(at, 256, born)).refusal, { message: /seq/ })
  t.end()
})

t.test('births are bounded, and no gateway makes another forgotten by inventing some', (t) => {
  const births = new Births({ metricsOfNode: 4, metrics: 8 })
  const of = (metrics: number): Birth => {
    const birth = new Birth()
    for (let alias = 0; alias < metrics; alias += 1) birth.add({ name: `m${alias}` }, BigInt(alias))
    return birth
  }
  t.ok(births.keep('a', 'g', undefined, of(1)))
  t.ok(births.keep('a', 'g', 'd1', of(3)))
  t.notOk(births.keep('a', 'g', 'd2', of(1)), 'one edge node has its share')
  t.ok(births.keep('a', 'g', 'd1', of(2)), 'a device that is born again replaces itself')
  t.ok(births.keep('b', 'g', undefined, of(4)))
  births.follow('a', 'g', 5)
  t.ok(births.keep('c', 'g', undefined, of(4)))
  t.equal(births.find('b', 'g', ''), undefined, 'the one that was silent longest is forgotten')
  t.equal(births.find('a', 'g', 'd1')?.byAlias.size, 2)
  t.ok(births.keep('a', 'g', undefined, of(1)))
  t.equal(births.find('a', 'g', 'd1'), undefined, 'an edge node that is born ends its devices')
  t.end()
})

t.test('an edge node has its own topics, and no other', (t) => {
  const may = (topic: string): boolean => foreignFormatOf(topic)?.mayPublish(gateway, topic) ?? false
  t.ok(may(nodeBirth) && may(deviceData) && may(telemetry))
  for (const topic of [
    'spBv1.0/osb/NDATA/edge-2',
    'spBv1.0/osb/NCMD/edge-1',
    'spBv1.0/osb/DDATA/edge-1',
    'spBv1.0/osb/NDATA/edge-1/x',
    'spBv1.0/STATE/host',
    'v1/gateway/other'
  ]) {
    t.notOk(may(topic), topic)
  }
  t.ok(isOwnDeathTopic('edge-1', 'spBv1.0/osb/NDEATH/edge-1'))
  t.notOk(isOwnDeathTopic('edge-1', 'spBv1.0/osb/NDEATH/edge-2') || isOwnDeathTopic('edge-1', nodeBirth))
  t.ok(isOwnCommandFilter('edge-1', 'spBv1.0/osb/NCMD/edge-1') && isOwnCommandFilter('edge-1', 'spBv1.0/osb/DCMD/edge-1/+'))
  for (const filter of ['spBv1.0/+/NCMD/edge-1', 'spBv1.0/osb/NCMD/+', 'spBv1.0/osb/#', 'spBv1.0/osb/NDATA/edge-1', '#']) {
    t.notOk(isOwnCommandFilter('edge-1', filter), filter)
  }
  t.end()
})
