import fc from 'fast-check'
import t from 'tap'
import { gatewayId } from '../src/identifiers/index.js'
import { obis } from '../src/metering/index.js'
import { epochMs } from '../src/time/index.js'
import { isMeterUnit, meterUnits } from '../src/units/index.js'
import {
  encodeReadings,
  evidenceBytes,
  type ParsedReadings,
  parseLossMessage,
  parseProfileMessage,
  parseReadings,
  parseTopic,
  topicFor,
  topicKinds
} from '../src/wire/index.js'

const hash = 'ab'.repeat(32)

const message: ParsedReadings = {
  epoch: '00c0ffee',
  lane: 'live',
  sequence: 7,
  exchanges: [
    {
      bus: 'cellar',
      address: '17',
      protocol: 'mbus',
      identity: { id: '12345678', manufacturer: 'KAM' },
      profile: hash,
      keyVersion: 0,
      zone: 'Europe/Istanbul',
      at: 1_790_000_000_000,
      request: 'EFsRbBY=',
      response: '',
      sha256: hash
    }
  ],
  readings: [
    { exchange: 0, obis: obis('8-0:1.0.0*255'), at: epochMs(1_790_000_000_000), raw: 49_451_000n, scaler: -3, unit: 'm3', status: 1 }
  ]
}

/** The message as JSON, with something done to it. */
function changed(change: (json: ReturnType<typeof encodeReadings>) => unknown): string {
  const json = structuredClone(encodeReadings(message))
  return JSON.stringify(change(json) ?? json)
}

t.test('parse inverts encode', (t) => {
  const unit = fc.constantFrom(...Object.keys(meterUnits).filter(isMeterUnit))
  const reading = fc.record({
    exchange: fc.constant(0),
    obis: fc
      .tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))
      .map(([a, b, c, d, e, f]) => obis(`${a}-${b}:${c}.${d}.${e}*${f}`)),
    at: fc.integer({ min: 0, max: 8_640_000_000_000_000 }).map(epochMs),
    raw: fc.bigInt(-(10n ** 18n) + 1n, 10n ** 18n - 1n),
    scaler: fc.integer({ min: -12, max: 12 }),
    unit,
    status: fc.nat(255)
  })
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 20 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (readings, sequence) => {
      const sent: ParsedReadings = { ...message, sequence, lane: 'backlog', readings }
      const parsed = parseReadings(JSON.stringify(encodeReadings(sent)))
      t.same(parsed, { ok: true, value: sent })
    }),
    { numRuns: 50 }
  )
  t.end()
})

t.test('text that is no JSON is malformed', (t) => {
  for (const text of ['', 'x', '{', '\u0000', changed(() => undefined).slice(0, -1)]) {
    t.match(parseReadings(text), { ok: false, error: { code: 'MESSAGE_MALFORMED' } }, JSON.stringify(text.slice(0, 10)))
  }
  for (const text of ['null', '7', '[]', '{}']) t.match(parseReadings(text), { ok: false, error: { code: 'MESSAGE_MALFORMED' } }, text)
  t.end()
})

t.test('every truncation of a message is a failure, never a throw', (t) => {
  const text = JSON.stringify(encodeReadings(message))
  for (let length = 0; length < text.length; length += 1) if (parseReadings(text.slice(0, length)).ok) t.fail(`${length} characters`)
  t.end()
})

t.test('the path that is wrong is named', (t) => {
  const wrong = (path: string | RegExp, change: Parameters<typeof changed>[0]) =>
    t.match(parseReadings(changed(change)), { ok: false, error: { code: 'MESSAGE_MALFORMED', message: path } }, String(path))
  wrong('/v', (json) => ({ ...json, v: 2 }))
  wrong('/lane', (json) => ({ ...json, lane: 'later' }))
  wrong('/sequence', (json) => ({ ...json, sequence: 0 }))
  wrong('/epoch', (json) => ({ ...json, epoch: 'UPPER000' }))
  wrong('/more', (json) => ({ ...json, more: true }))
  wrong('/exchanges', (json) => ({ ...json, exchanges: [] }))
  wrong('/exchanges/0/sha256', (json) => ({ ...json, exchanges: [{ ...json.exchanges[0], sha256: hash.toUpperCase() }] }))
  wrong('/exchanges/0/request', (json) => ({ ...json, exchanges: [{ ...json.exchanges[0], request: '%%%' }] }))
  wrong('/exchanges/0/at', (json) => ({ ...json, exchanges: [{ ...json.exchanges[0], at: -1 }] }))
  wrong('/readings/raw/0', (json) => ({ ...json, readings: { ...json.readings, raw: [1] } }))
  wrong('/readings/raw/0', (json) => ({ ...json, readings: { ...json.readings, raw: ['1'.repeat(19)] } }))
  wrong('/readings/scaler/0', (json) => ({ ...json, readings: { ...json.readings, scaler: [0.5] } }))
  wrong('/readings/unit/0 "toString"', (json) => ({ ...json, readings: { ...json.readings, unit: ['toString'] } }))
  wrong('/readings/obis/0', (json) => ({ ...json, readings: { ...json.readings, obis: ['water'] } }))
  t.end()
})

t.test('columns of different length, and an exchange that is not there, are malformed', (t) => {
  const readings = (more: object) => parseReadings(changed((json) => ({ ...json, readings: { ...json.readings, ...more } })))
  t.match(readings({ status: [] }), { ok: false, error: { message: '/readings/status has 0 entries and /readings/exchange 1' } })
  t.match(readings({ exchange: [1] }), { ok: false, error: { message: '/readings/exchange/0 is 1, and there are 1 exchanges' } })
  t.end()
})

t.test('an OBIS code with a group above 255 is malformed, not thrown: it would come again and again', (t) => {
  const text = changed((json) => ({ ...json, readings: { ...json.readings, obis: ['8-0:1.0.0*999'] } }))
  t.match(parseReadings(text), { ok: false, error: { code: 'MESSAGE_MALFORMED', message: '/readings/obis/0 "8-0:1.0.0*999"' } })
  t.end()
})

t.test('a profile message carries its text and its hash, nothing else', (t) => {
  const good = { v: 1, hash, content: '{}' }
  t.same(parseProfileMessage(JSON.stringify(good)), { ok: true, value: good })
  for (const wrong of [
    { ...good, hash: 'short' },
    { ...good, content: '' },
    { ...good, content: 'x'.repeat(200_001) },
    { ...good, more: 1 }
  ]) {
    t.match(parseProfileMessage(JSON.stringify(wrong)), { ok: false, error: { code: 'MESSAGE_MALFORMED' } })
  }
  t.end()
})

t.test('a hash covers the request and then the response', (t) => {
  t.same(evidenceBytes(Uint8Array.of(1, 2), Uint8Array.of(3)), Uint8Array.of(1, 2, 3))
  t.same(evidenceBytes(new Uint8Array(), new Uint8Array()), new Uint8Array())
  t.end()
})

t.test('a topic of ours leads back to its gateway and kind, any other to nothing', (t) => {
  const gateway = gatewayId('cellar-1')
  for (const kind of topicKinds) t.same(parseTopic(topicFor(gateway, kind)), { gateway, kind })
  for (const topic of [
    '',
    'endeks',
    'endeks/1/cellar-1',
    'endeks/2/cellar-1/readings',
    'endeks/1/cellar-1/other',
    'endeks/1/cellar-1/readings/',
    '/endeks/1/cellar-1/readings',
    'endeks/1/+/readings',
    'endeks/1/#',
    'endeks/1//readings',
    'ENDEKS/1/cellar-1/readings'
  ]) {
    t.equal(parseTopic(topic), undefined, topic)
  }
  t.end()
})

t.test('a declared loss names its numbers and how many readings were in them', (t) => {
  const loss = { v: 1, epoch: '00c0ffee', lane: 'live', first: 3, last: 9, readings: 120, reason: 'spool-limit' } as const
  t.same(parseLossMessage(JSON.stringify(loss)), { ok: true, value: loss })
  for (const wrong of [{ ...loss, last: 2 }, { ...loss, first: 0 }, { ...loss, lane: 'other' }, { ...loss, more: 1 }, 7]) {
    const parsed = parseLossMessage(JSON.stringify(wrong))
    t.equal(parsed.ok ? 'taken' : parsed.error.code, 'MESSAGE_MALFORMED', JSON.stringify(wrong))
  }
  t.end()
})
