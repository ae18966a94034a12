import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { SerialPort } from 'serialport'
import t, { type Test } from 'tap'
import { dlmsProtocol } from '../../../src/protocols/dlms/driver.js'
import type { Exchange, ReadJob } from '../../../src/protocols/protocol.js'
import { failureOf } from '../../support/failure-of.js'
import { memoryCounters } from '../../support/memory-counters.js'
import { pseudoTerminals } from '../../support/pseudo-terminal.js'
import { answer, from, hdlc, listen, type Script, to } from './hdlc-peer.js'
import * as by from './peer.js'

const clock = { now: () => by.now }
const zone = 'Europe/Istanbul'
const { profileBuffer: _none, ...profile } = by.profile

/** SNRM with 512 bytes and a window of 1 each way: as the client proposes unless told. */
const parameters = '8180140502020006020200070400000001080400000001'
const snrm = `93 ${parameters}`
const ua = from('73')
const disc = '53'
const command = (apdu: string): string => `e6e600${apdu}`
const response = (apdu: string): string => `e6e700${apdu}`

/** N(S) and N(R) of information frames with the poll or final bit: control = N(R) << 5 | 0x10 | N(S) << 1. */
const numbered = (send: number, receive: number, final = true): string =>
  Buffer.of((receive << 5) | (final ? 0x10 : 0) | (send << 1)).toString('hex')

/** The current read as frames: request k has N(S) = N(R) = k, its answer N(S) = k and N(R) = k + 1. There is no RLRQ: DISC ends it. */
const steps = by.current.slice(0, -1)
const usual: Script = {
  [snrm]: [[ua]],
  [disc]: [[from('73')]],
  ...Object.fromEntries(
    steps.map(([request, said], index) => [
      `${numbered(index, index)} ${command(request)}`,
      [[from(numbered(index, index + 1), response(said))]]
    ])
  )
}
const step = (index: number): string => `${numbered(index, index)} ${command(steps[index]?.[0] ?? '')}`
const said = (index: number): Buffer => from(numbered(index, index + 1), response(steps[index]?.[1] ?? ''))

interface Setup {
  readonly script?: Script
  readonly bus?: Readonly<Record<string, unknown>>
  readonly answerWithinMs?: number
  readonly addresses?: number
}

async function setUp(t: Test, { script = {}, bus = {}, answerWithinMs = 150, addresses = 3 }: Setup) {
  const station = await listen({ ...usual, ...script }, addresses)
  const place = { host: '127.0.0.1', port: station.port, framing: 'hdlc', attempts: 1, ...bus }
  const opened = dlmsProtocol.open(place, { clock, answerWithinMs, counters: memoryCounters() })
  t.teardown(async () => {
    await opened.close()
    await station.close()
  })
  return { station, bus: opened }
}

function job(more: Partial<ReadJob> = {}): ReadJob {
  return { address: '1/17', profile, zone, want: { kind: 'current' }, signal: new AbortController().signal, ...more }
}

const index = { obis: '8-0:1.0.0*255', at: by.now, raw: 74565n, scaler: -3, unit: 'm3', status: 0 }
const decode = (exchange: Exchange) => dlmsProtocol.codec.decodeEvidence({ ...exchange, profile, zone })
const reads = (t: Test, exchange: Exchange): void => {
  t.same(decode(exchange), { ok: true, value: { identity: { id: '12345678' }, readings: [index] } })
}

t.test('a meter on an HDLC line is read from SNRM to DISC, and its frames alone say what it said', async (t) => {
  const { station, bus } = await setUp(t, {})
  const exchange = await bus.read(job())
  reads(t, exchange)
  t.same(
    Buffer.from(exchange.request),
    Buffer.concat([to('93', parameters), ...steps.map(([apdu], k) => to(numbered(k, k), command(apdu)))])
  )
  t.same(Buffer.from(exchange.response), Buffer.concat([ua, ...steps.map((_each, k) => said(k))]))
  t.equal(station.heard.at(-1), disc)
})

t.test('an answer in segments is acknowledged one by one', async (t) => {
  const whole = response(by.serial)
  const script = {
    [step(1)]: [[from(numbered(1, 2), whole.slice(0, 8), true)]],
    [`${Buffer.of((2 << 5) | 0x11).toString('hex')}`]: [[from(numbered(2, 2), whole.slice(8))]],
    [`${numbered(2, 3)} ${command(by.getScale)}`]: [[from(numbered(3, 3), response(by.scale))]],
    [`${numbered(3, 4)} ${command(by.getValue)}`]: [[from(numbered(4, 4), response(by.value))]]
  }
  const { bus } = await setUp(t, { script })
  reads(t, await bus.read(job()))
})

t.test('windows: a request of five segments in two bursts, an answer of three frames in one', async (t) => {
  // The meter takes 24 bytes and three frames at a time, and sends as many.
  const small = '81801205011806011807040000000308040000000' + '3'
  const proposal = '8180140502020006020200070400000003080400000003'
  const aarq = command(by.aarq)
  const cut = (hex: string, size: number): string[] => hex.match(new RegExp(`.{1,${2 * size}}`, 'g')) ?? []
  const pieces = cut(aarq, 8)
  const tiny = small.replace('050118', '050108').replace('060118', '060108')
  t.equal(pieces.length, 5)
  const aare = cut(response(by.aare), 18)
  t.equal(aare.length, 3)
  const script: Script = {
    [`93 ${proposal}`]: [[from('73', tiny)]],
    [`${numbered(2, 0)} ${pieces[2]}`]: [[from(Buffer.of((3 << 5) | 0x11).toString('hex'))]],
    [`${numbered(4, 0)} ${pieces[4]}`]: [aare.map((piece, k) => from(numbered(k, 5, k === 2), piece, k < 2))]
  }
  const { station, bus } = await setUp(t, { script, bus: { window: 3 } })
  const failure = await failureOf(bus.read(job()))
  t.equal(failure.code, 'DLMS_TIMEOUT', 'the script ends behind the association')
  const information = station.heard.filter((name) => name.includes(' ') && !name.startsWith('93')).slice(0, 5)
  t.same(information, [
    `${numbered(0, 0, false)} ${pieces[0]}`,
    `${numbered(1, 0, false)} ${pieces[1]}`,
    `${numbered(2, 0)} ${pieces[2]}`,
    `${numbered(3, 0, false)} ${pieces[3]}`,
    `${numbered(4, 0)} ${pieces[4]}`
  ])
  t.ok(
    station.heard.some((name) => name.startsWith(numbered(5, 3, false)) || name.startsWith(numbered(5, 3))),
    'the next request acknowledges all three'
  )
})

t.test('what is lost is asked for again, and a frame sent twice leaves the evidence whole', async (t) => {
  const cases: readonly (readonly [string, readonly (readonly Buffer[])[]])[] = [
    ['silence', [[], [said(1)]]],
    ['a damaged answer', [[Buffer.from(said(1)).fill(0, 12, 13)], [said(1)]]],
    ['half an answer', [[said(1).subarray(0, 9)], [said(1)]]],
    ['noise around it', [[Buffer.from('00ff7e7ea0', 'hex'), said(1), Buffer.from('7e13', 'hex')]]],
    ['our own echo before it', [[to(numbered(1, 1), command(by.getSerial)), said(1)]]],
    ['the answer of another meter before it', [[hdlc('21', '0225', numbered(1, 2), response(by.scale)), said(1)]]],
    ['the answer before it again', [[said(0), said(1)]]],
    ['not ready, then ready', [[from(Buffer.of((2 << 5) | 0x15).toString('hex'))]]],
    ['too busy to take it, then not', [[from(Buffer.of((1 << 5) | 0x15).toString('hex'))], [said(1)]]]
  ]
  for (const [name, answers] of cases) {
    const poll = Buffer.of((1 << 5) | 0x11).toString('hex')
    const polled = name.startsWith('too busy') ? from(poll) : said(1)
    const { bus } = await setUp(t, { script: { [step(1)]: answers, [poll]: [[polled]] } })
    const exchange = await bus.read(job())
    t.ok(decode(exchange).ok, name)
  }
})

t.test('a meter that repeats its answer to a request that was repeated is not one behind for ever', async (t) => {
  const { station, bus } = await setUp(t, { script: { [step(1)]: [[], [said(1), said(1)]] } })
  reads(t, await bus.read(job()))
  t.equal(station.heard.filter((name) => name === step(2)).length, 1)
})

t.test('refusals have their codes, with the bytes of both sides', async (t) => {
  const cases: readonly (readonly [string, string, string, readonly Buffer[]])[] = [
    ['nobody there', 'DLMS_TIMEOUT', snrm, []],
    ['disconnected mode', 'DLMS_DISCONNECTED', snrm, [from('1f')]],
    ['disconnected in the middle', 'DLMS_DISCONNECTED', step(1), [from('1f')]],
    ['a frame rejected', 'DLMS_HDLC', step(1), [from('97', '320000')]],
    ['parameters that none has', 'DLMS_HDLC', snrm, [from('73', '81800307010' + '0')]],
    ['an LLC header of nobody', 'DLMS_HDLC', step(1), [from(numbered(1, 2), `000000${by.serial}`)]],
    ['a command for an answer', 'DLMS_HDLC', step(1), [from(numbered(1, 2), command(by.serial))]],
    ['an answer that does not take the request', 'DLMS_HDLC_SEQUENCE', step(1), [from(numbered(1, 1), response(by.serial))]],
    ['silence in the middle', 'DLMS_TIMEOUT', step(1), []]
  ]
  for (const [name, code, request, frames] of cases) {
    const { bus } = await setUp(t, { script: { [request]: [frames] }, answerWithinMs: 40 })
    const failure = await failureOf(bus.read(job()))
    t.equal(failure.code, code, `${name}: ${failure.message}`)
    t.ok(failure.request.length > 0)
  }
})

t.test('a station that is silent costs two waits, one where that was to be expected, however many attempts are set', async (t) => {
  const noise = Buffer.from('55aa7ea0', 'hex')
  for (const said of [[], [noise], [Buffer.from(ua).fill(0, 6, 7)]]) {
    const { station, bus } = await setUp(t, { script: { [snrm]: [said] }, bus: { attempts: 5 }, answerWithinMs: 30 })
    t.equal((await failureOf(bus.read(job()))).code, 'DLMS_TIMEOUT')
    t.same(station.heard, [snrm, snrm])
    t.equal((await failureOf(bus.read(job({ doubtful: true })))).code, 'DLMS_TIMEOUT')
    t.same(station.heard, [snrm])
  }
})

t.test('a line that damages more than is mended is given up: eight waits, and one for each four turns in time', async (t) => {
  const thrice = (index: number): Script => ({ [step(index)]: [[], [Buffer.from(said(index)).fill(0, 12, 13)], [], [said(index)]] })
  const script = { ...thrice(0), ...thrice(1), ...thrice(2) }
  const { station, bus } = await setUp(t, { script, bus: { attempts: 3 }, answerWithinMs: 30 })
  const failure = await failureOf(bus.read(job()))
  t.match(failure, { code: 'DLMS_HDLC', message: /9 of 11 turns .* too disturbed/ })
  t.equal(station.heard.filter((name) => name === snrm).length, 1, 'and not tried again')
})

t.test('an adapter that echoes a password does not bring it into a failure', async (t) => {
  const aarq = command(by.aarq.replace('601da1', '6034a1').replace('be10', '8a0207808b0760857405080201ac0880066f70656e2121be10'))
  const name = `${numbered(0, 0)} ${aarq}`
  const echo = to(numbered(0, 0), aarq)
  const low = { ...profile, association: { client: 16, authentication: 'lls' } }
  const keys = { name: 'K', version: 1, secrets: { password: Buffer.from('open!!') } }
  const cut = echo.indexOf('open') + 3
  for (const heard of [[echo], [echo.subarray(0, cut), Buffer.from('7e', 'hex'), echo.subarray(cut)]]) {
    const { bus } = await setUp(t, { script: { [name]: [heard] }, answerWithinMs: 30 })
    const failure = await failureOf(bus.read(job({ profile: low, keys })))
    t.equal(failure.code, 'DLMS_TIMEOUT')
    t.ok(failure.response.length >= echo.length)
    for (const piece of ['ope', 'n!!', 'pen']) t.notOk(Buffer.from(failure.response).includes(piece), piece)
  }
})

t.test('repetitions are bounded', async (t) => {
  const { station, bus } = await setUp(t, { script: { [step(1)]: [[]] }, answerWithinMs: 30 })
  t.equal((await failureOf(bus.read(job()))).code, 'DLMS_TIMEOUT')
  t.equal(station.heard.filter((name) => name === step(1)).length, 4)
})

t.test('addresses have one, two or four bytes', async (t) => {
  const four = Buffer.from(hdlc('00020023', '21', '93', parameters))
  const { station, bus } = await setUp(t, { bus: { addressBytes: 4 }, addresses: 5, script: { [snrm]: [[]] }, answerWithinMs: 20 })
  const failure = await failureOf(bus.read(job()))
  t.same(Buffer.from(failure.request).subarray(0, four.length), four)
  t.equal(station.heard[0], snrm)
  for (const address of ['1/17000', '200', '0/1', '1/0', '1/2/3']) {
    t.equal((await failureOf(bus.read(job({ address })))).code, 'DLMS_ADDRESS', address)
  }
  t.equal((await failureOf(bus.read(job({ profile: { ...profile, association: { client: 300 } } })))).code, 'DLMS_ADDRESS')
})

t.test('a password stands in no frame that is kept', async (t) => {
  const aarq = command(by.aarq.replace('601da1', '6034a1').replace('be10', '8a0207808b0760857405080201ac0880066f70656e2121be10'))
  const { bus } = await setUp(t, { script: { [`${numbered(0, 0)} ${aarq}`]: [[said(0)]] } })
  const low = { ...profile, association: { client: 16, authentication: 'lls' } }
  const keys = { name: 'K', version: 1, secrets: { password: Buffer.from('open!!') } }
  const exchange = await bus.read(job({ profile: low, keys }))
  t.notOk(Buffer.from(exchange.request).includes('open'))
  t.match(dlmsProtocol.codec.decodeEvidence({ ...exchange, profile: low, zone, keys }), { ok: true, value: { readings: [index] } })
})

t.test('no change of one byte in a conversation of frames is more than a value or a code', async (t) => {
  const { bus } = await setUp(t, {})
  const exchange = await bus.read(job())
  for (let at = 0; at < exchange.response.length; at += 1) {
    const response = Buffer.from(exchange.response)
    response[at] = (response[at] ?? 0) ^ 0x04
    const changed = decode({ ...exchange, response })
    // The flags between frames are the only bytes that no check sequence protects.
    if (changed.ok || !changed.error.code.startsWith('DLMS_')) t.fail(`byte ${at}`)
    if (decode({ ...exchange, response: exchange.response.subarray(0, at) }).ok) t.fail(`${at} bytes`)
  }
  t.ok(
    decode({ ...exchange, request: Buffer.concat([exchange.request, to(numbered(3, 3), command(by.getValue))]) }).ok,
    'a request sent twice'
  )
})

t.test('a line that never stops sending ends a conversation before its time-out', async (t) => {
  const babble = Array.from({ length: 400 }, () => Buffer.from('7ea0217e00'.repeat(20), 'hex'))
  const { bus } = await setUp(t, { script: { [step(1)]: [babble] }, answerWithinMs: 30 })
  t.equal((await failureOf(bus.read(job()))).code, 'BUS_NEVER_QUIET')
})

t.test('a read that is called off in a pause ends', async (t) => {
  const calling = new AbortController()
  const poll = Buffer.of((1 << 5) | 0x11).toString('hex')
  const notReady = from(Buffer.of((2 << 5) | 0x15).toString('hex'))
  const { station, bus } = await setUp(t, { script: { [step(1)]: [[notReady]], [poll]: [[notReady]] }, answerWithinMs: 60_000 })
  const failing = failureOf(bus.read(job({ signal: calling.signal })))
  for (let tries = 0; !station.heard.includes(poll) && tries < 400; tries += 1) await delay(5)
  calling.abort()
  t.equal((await failing).code, 'READ_ABORTED')
})

t.test('a meter on a serial port is read at 9600 baud through a pair of pseudo-terminals', async (t) => {
  const [ours, theirs] = await pseudoTerminals(t)
  const meter = new SerialPort({ path: theirs, baudRate: 9600 })
  await once(meter, 'open')
  answer(meter, usual)
  const bus = dlmsProtocol.open(
    { serial: { path: ours, baudRate: 9600 } },
    { clock, answerWithinMs: undefined, counters: memoryCounters() }
  )
  reads(t, await bus.read(job()))
  reads(t, await bus.read(job()))
  await bus.close()
  await new Promise<void>((resolve) => meter.close(() => resolve()))
})

t.test('a scan takes an echo for nobody, and what comes damaged for somebody', async (t) => {
  const anybody = '8180140502020006020200070400000001080400000001'
  const echo = hdlc('0225', '21', '93', anybody)
  const damaged = Buffer.from(from('73')).fill(0, 6, 7)
  const station = await listen({ [`93 ${anybody}`]: [[echo]] }, 3)
  const open = (port: number) =>
    dlmsProtocol.open(
      { host: '127.0.0.1', port, framing: 'hdlc', addressBytes: 2, scan: { from: 18, to: 18 } },
      { clock, answerWithinMs: 30, counters: memoryCounters() }
    )
  const bus = open(station.port)
  t.teardown(async () => {
    await bus.close()
    await station.close()
  })
  const seen = async (on = bus): Promise<unknown[]> => {
    const sightings: unknown[] = []
    for await (const sighting of on.scan({ signal: new AbortController().signal, progress: () => undefined })) sightings.push(sighting)
    return sightings
  }
  t.same(await seen(), [])
  const twoAtOnce = await listen({ [`93 ${anybody}`]: [[damaged]] }, 3)
  const other = open(twoAtOnce.port)
  t.teardown(async () => {
    await other.close()
    await twoAtOnce.close()
  })
  t.match(await seen(other), [{ address: '1/18', trouble: /DLMS_TIMEOUT/ }])
})

t.test('a scan of a line that never stops sending ends: it would find somebody everywhere', async (t) => {
  const babble = [Buffer.alloc(20_000, 0x5a)]
  const { bus } = await setUp(t, { script: { [snrm]: [babble] }, bus: { addressBytes: 2, scan: { from: 17, to: 40 } } })
  const found: unknown[] = []
  const scanning = async (): Promise<void> => {
    for await (const sighting of bus.scan({ signal: new AbortController().signal, progress: () => undefined })) found.push(sighting)
  }
  await t.rejects(scanning(), { code: 'BUS_NEVER_QUIET' })
  t.same(found, [])
})
