import t, { type Test } from 'tap'
import { dlmsProtocol } from '../../../src/protocols/dlms/driver.js'
import type { CounterStore, Evidence, Exchange, MeterKeys, ReadJob } from '../../../src/protocols/protocol.js'
import { failureOf } from '../../support/failure-of.js'
import { memoryCounters } from '../../support/memory-counters.js'
import * as by from './peer.js'
import { authenticationKey, clientTitle, globalKey, meterTitle, proof, seal, startSecureMeter, type Twists } from './secure-peer.js'

const clock = { now: () => by.now }
const zone = 'Europe/Istanbul'
const { profileBuffer: _none, ...openProfile } = by.profile
const association = { client: 1, authentication: 'hls-gmac', protection: 'both', counter: '0-0:43.1.0*255' }
const profile = { ...openProfile, association }
const keys: MeterKeys = { name: 'KAM-1', version: 1, secrets: { encryption: globalKey, authentication: authenticationKey } }

async function setUp(t: Test, twists: Twists = {}, counters: CounterStore = memoryCounters()) {
  const meter = await startSecureMeter(twists)
  const bus = dlmsProtocol.open({ host: '127.0.0.1', port: meter.port, attempts: 1 }, { clock, answerWithinMs: 1000, counters })
  t.teardown(async () => {
    await bus.close()
    await meter.close()
  })
  return { meter, bus }
}

function job(more: Partial<ReadJob> = {}): ReadJob {
  return { address: '1', profile, zone, want: { kind: 'current' }, keys, signal: new AbortController().signal, ...more }
}

const decode = (exchange: Exchange, more: Partial<Evidence> = {}) =>
  dlmsProtocol.codec.decodeEvidence({ ...exchange, profile, zone, keys, ...more })
const index = { obis: '8-0:1.0.0*255', at: by.now, raw: 74565n, scaler: -3, unit: 'm3', status: 0 }

t.test('HLS-5: the counter is asked for in the open, each message goes beyond it, and the bytes say it all again', async (t) => {
  const { meter, bus } = await setUp(t, { counter: 4711 })
  const exchange = await bus.read(job())
  t.same(meter.faults, [], 'every tag fits')
  t.same(decode(exchange), { ok: true, value: { identity: { id: '12345678' }, readings: [index] } })
  const counters = meter.opened.map((each) => each.counter)
  t.equal(counters[0], 4712)
  t.ok(
    counters.every((counter, at) => at === 0 || counter > (counters[at - 1] ?? counter)),
    counters.join(' ')
  )
  t.same(
    meter.opened.map((each) => each.outer.toString(16)),
    ['21', 'cb', 'c8', 'c8', 'c8', '21'],
    'initiate, the answer to the challenge, three GETs, and the release'
  )
  const aarq = meter.heard.find((hex) => hex.startsWith('60') && hex.includes('a60a0408454e440000000001'))
  t.match(aarq, /^60..a109060760857405080103a60a0408454e4400000000018a0207808b0760857405080205ac128010.{32}be..04..21..30/)
  t.equal(Buffer.from(exchange.request).readUInt16BE(2), association.client, 'the question in the open is no part of the evidence')
})

t.test('a dedicated key, made for the association, ciphers what follows it', async (t) => {
  const { meter, bus } = await setUp(t)
  const dedicated = { ...profile, association: { ...association, dedicatedKey: true } }
  const exchange = await bus.read(job({ profile: dedicated }))
  t.same(meter.faults, [])
  t.same(
    meter.opened.map((each) => each.outer.toString(16)),
    ['21', 'cb', 'd0', 'd0', 'd0', '21']
  )
  const counters = meter.opened.map((each) => each.counter)
  const rising = counters.every((counter, index) => index === 0 || counter > (counters[index - 1] ?? 0))
  t.ok(rising, `it goes on counting, for meters that know one counter for both keys: ${counters}`)
  t.match(decode(exchange, { profile: dedicated }), { ok: true, value: { readings: [index] } })
})

t.test('a counter is on disk before a message carries it, and never carried twice, whatever the meter says', async (t) => {
  const kept = new Map<string, number>()
  const store = memoryCounters(kept)
  const { meter, bus } = await setUp(t, { counter: 5, own: 1 }, store)
  const seen: number[] = []
  const writes: number[] = []
  const watched: CounterStore = {
    read: (name) => store.read(name),
    write: (name, value) => {
      if (name.includes('sent')) writes.push(meter.opened.length)
      return store.write(name, value)
    }
  }
  await bus.read(job())
  const again = dlmsProtocol.open({ host: '127.0.0.1', port: meter.port, attempts: 1 }, { clock, answerWithinMs: 1000, counters: watched })
  t.teardown(() => again.close())
  const before = meter.opened.length
  await again.read(job())
  t.same(writes, [before], 'one write, before the first message')
  for (const { counter } of meter.opened) seen.push(counter)
  t.equal(new Set(seen).size, seen.length)
  const sent = [...kept].find(([name]) => name.includes('sent'))
  t.ok(sent !== undefined && sent[1] > Math.max(...seen))
  t.notOk(
    [...kept.keys()].some((name) => name.includes(globalKey.toString('hex').slice(0, 8))),
    'and no key is in its name'
  )
})

t.test('two meters with one key are never sent the same counter, also at the same time', async (t) => {
  const store = memoryCounters()
  const first = await setUp(t, { counter: 0 }, store)
  const second = await setUp(t, { counter: 0 }, store)
  await Promise.all([first.bus.read(job()), second.bus.read(job({ keys: { ...keys, name: 'KAM-2' } }))])
  const counters = [...first.meter.opened, ...second.meter.opened].map((each) => each.counter)
  t.equal(new Set(counters).size, counters.length)
})

t.test('answers that prove nothing are refused', async (t) => {
  const damaged = (bytes: Buffer): Buffer => Buffer.from(bytes).fill((bytes.at(-1) ?? 0) ^ 1, bytes.length - 1)
  const cases: readonly (readonly [string, string, Twists])[] = [
    ['a damaged GET response', 'DLMS_WRONG_KEY_OR_DAMAGED', { get: damaged }],
    ['a GET response in the open', 'DLMS_SECURITY_LEVEL', { get: () => Buffer.from(by.serial, 'hex') }],
    [
      'the same message again',
      'DLMS_COUNTER',
      { get: (usual, count) => (count === 2 ? seal(0xcc, 4, Buffer.from(by.scale, 'hex')) : usual) }
    ],
    ['a wrong answer to our challenge', 'DLMS_WRONG_KEY_OR_DAMAGED', { proof: damaged }],
    [
      'no answer to our challenge',
      'DLMS_AUTHENTICATION',
      { proof: (usual) => usual.subarray(0, 4).fill(0, 3) && Buffer.concat([usual.subarray(0, 4), Buffer.of(0)]) }
    ],
    ['an answer that refuses ours', 'DLMS_AUTHENTICATION', { proof: (usual) => Buffer.concat([usual.subarray(0, 3), Buffer.of(3, 0)]) }],
    ['a challenge that mirrors ours', 'DLMS_AUTHENTICATION', { aarq: (usual, challenge) => withChallenge(usual, challenge) }],
    ['a meter that cannot decipher', 'DLMS_WRONG_KEY_OR_DAMAGED', { aarq: () => Buffer.from('d80205', 'hex') }],
    ['a meter that wants a higher counter', 'DLMS_COUNTER', { aarq: () => Buffer.from('d8020600001000', 'hex') }],
    ['a service error', 'DLMS_SERVICE_ERROR', { aarq: () => Buffer.from('0e010601', 'hex') }],
    [
      'another title than before',
      'DLMS_WRONG_KEY_OR_DAMAGED',
      { aarq: (usual) => Buffer.from(usual.toString('hex').replace(meterTitle.toString('hex'), '4b414d0000bc614f'), 'hex') }
    ]
  ]
  for (const [name, code, twists] of cases) {
    const { meter, bus } = await setUp(t, twists)
    const failure = await failureOf(bus.read(job()))
    t.equal(failure.code, code, `${name}: ${failure.message}`)
    t.same(meter.faults, [])
  }
})

function withChallenge(aare: Buffer, challenge: Buffer): Buffer {
  const at = aare.indexOf(Buffer.from('aa128010', 'hex')) + 4
  return Buffer.concat([aare.subarray(0, at), challenge, aare.subarray(at + challenge.length)])
}

t.test('a counter that jumped back since the last conversation is refused, also by a gateway that started again', async (t) => {
  const store = memoryCounters()
  const first = await setUp(t, { own: 100 }, store)
  await first.bus.read(job())
  const second = await setUp(t, { own: 50 }, store)
  t.equal((await failureOf(second.bus.read(job()))).code, 'DLMS_COUNTER')
  const third = await setUp(t, { own: 500 }, store)
  t.ok((await third.bus.read(job())).response.length > 0)
})

t.test('an association that is answered twice does not bring the counters of its meter under another title', async (t) => {
  const other = Buffer.from('4b414d0000bc614f', 'hex')
  const again = Buffer.from(
    `6135a109060760857405080103a203020100a305a103020100a40a0408${other.toString('hex')}be10040e0800065f1f040000101104000007`,
    'hex'
  )
  const kept = new Map<string, number>()
  const { bus } = await setUp(t, { own: 900, get: (usual, count) => (count === 1 ? usual : again) }, memoryCounters(kept))
  t.match(await failureOf(bus.read(job())), { code: 'DLMS_SECURITY_LEVEL' })
  const received = [...kept.keys()].filter((name) => name.includes('received'))
  t.match(received, [new RegExp(`by ${meterTitle.toString('hex')}$`)])
  t.equal(received.length, 1)
})

t.test('a meter with the title of this client is none: it would send back what it was sent', async (t) => {
  const aarq = (usual: Buffer) => Buffer.from(usual.toString('hex').replace(meterTitle.toString('hex'), clientTitle.toString('hex')), 'hex')
  const { bus } = await setUp(t, { aarq })
  t.equal((await failureOf(bus.read(job()))).code, 'DLMS_SYSTEM_TITLE')
})

t.test('secrets that are missing are told before anything is sent', async (t) => {
  const { meter, bus } = await setUp(t)
  const { keys: _keys, ...without } = job()
  t.equal((await failureOf(bus.read(without))).code, 'DLMS_KEY')
  const half = { ...keys, secrets: { encryption: globalKey } }
  const failure = await failureOf(bus.read(job({ keys: half })))
  t.match(failure.message, /no authentication key/)
  const password = { ...profile, association: { client: 2, authentication: 'lls' } }
  t.equal((await failureOf(bus.read(job({ profile: password })))).code, 'DLMS_KEY')
  t.same(meter.heard, [])
})

t.test('a key that is used up sends no more', async (t) => {
  const { bus, meter } = await setUp(t, { counter: 0xffff_fff0 })
  t.equal((await failureOf(bus.read(job()))).code, 'DLMS_COUNTER')
  t.same(meter.opened, [])
})

t.test('evidence needs its keys, and says of others only that they do not fit', async (t) => {
  const { bus } = await setUp(t)
  const exchange = await bus.read(job())
  const { keys: _keys, ...bare } = { ...exchange, profile, zone, keys }
  t.match(dlmsProtocol.codec.decodeEvidence(bare), { ok: false, error: { code: 'DLMS_KEY' } })
  const other = { ...keys, secrets: { encryption: authenticationKey, authentication: globalKey } }
  t.match(decode(exchange, { keys: other }), { ok: false, error: { code: 'DLMS_WRONG_KEY_OR_DAMAGED', message: /wrong key or damaged/ } })
  t.match(decode(exchange, { profile: openProfile }), { ok: false, error: { code: 'DLMS_ASSOCIATION_REFUSED' } })
  let decoded = 0
  for (let at = 0; at < exchange.response.length; at += 3) {
    const response = Buffer.from(exchange.response)
    response[at] = (response[at] ?? 0) ^ 0x10
    const changed = decode({ ...exchange, response })
    if (changed.ok) decoded += 1
    else if (!changed.error.code.startsWith('DLMS_')) t.fail(changed.error.code)
  }
  // What is not ciphered and decides no reading: the AARE's challenge and diagnostic, and the release.
  t.ok(decoded < 25, `${decoded} changes are not seen`)
})

t.test('a password goes over the line in the AARQ', async (t) => {
  const aarq = by.aarq.replace('601da1', '6034a1').replace('be10', '8a0207808b0760857405080201ac0880066f70656e2121be10')
  const answers = [[aarq, by.aare] as const, ...by.current.slice(1)].map(([request, said]) => [request, by.says(said)] as const)
  const peer = await by.startPeer(new Map(answers))
  const bus = dlmsProtocol.open(
    { host: '127.0.0.1', port: peer.port, attempts: 1, clientId: 16 },
    { clock, answerWithinMs: 1000, counters: memoryCounters() }
  )
  t.teardown(async () => {
    await bus.close()
    await peer.close()
  })
  const low = { ...openProfile, association: { client: 16, authentication: 'lls' } }
  const exchange = await bus.read(job({ profile: low, keys: { ...keys, secrets: { password: Buffer.from('open!!') } } }))
  t.match(decode(exchange, { profile: low }), { ok: true, value: { readings: [index] } })
  t.notOk(Buffer.from(exchange.request).includes('open'), 'and not into the evidence')
  t.equal(exchange.request.length, Buffer.concat([by.frame(aarq), ...by.current.slice(1).map(([request]) => by.frame(request))]).length)
})

t.test('the answer to a challenge as the Green Book has it', (t) => {
  // 9.2.7.4, the example of HLS-5: f(StoC) of the client.
  const title = Buffer.from('4d4d4d0000000001', 'hex')
  const reply = proof(title, 1, Buffer.from('503677524a323146', 'hex'))
  t.equal(reply.toString('hex'), '10000000011a52fe7dd3e72748973c1e28', 'this peer computes what the book prints')
  t.end()
})
