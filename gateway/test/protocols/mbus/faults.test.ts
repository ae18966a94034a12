import { fromIso } from '@endeks/domain/time'
import t, { type Test } from 'tap'
import { mbusCodec } from '../../../src/protocols/mbus/codec/index.js'
import { mbusProtocol } from '../../../src/protocols/mbus/driver.js'
import { Timing } from '../../../src/protocols/mbus/timing.js'
import type { Bus, ReadJob } from '../../../src/protocols/protocol.js'
import { failureOf } from '../../support/failure-of.js'
import { memoryCounters } from '../../support/memory-counters.js'
import { pseudoTerminal } from '../../support/pseudo-terminal.js'
import { acknowledge, PeerBus, peer, type Script, telegramOf } from './bus-peer.js'

const now = fromIso('2026-11-24T09:00:00Z')
const profile = {
  name: 'water',
  protocol: 'mbus',
  registers: [{ obis: '8-0:1.0.0*255', quantity: 'volume', function: 'instantaneous', tariff: 0, subunit: 0, storage: 'current' }]
}
const five = { address: 5, id: '12345678' }
const six = { address: 6, id: '87654321' }
const nke = '1040054516'
const first = '107b058016'
const good = telegramOf(five, 0)

function open(test: Test, place: object, answerWithinMs?: number): Bus {
  const bus = mbusProtocol.open(place, { clock: { now: () => now }, answerWithinMs, counters: memoryCounters() })
  test.teardown(() => bus.close())
  return bus
}

function job(more: Partial<ReadJob> = {}): ReadJob {
  return { address: '5', profile, zone: 'UTC', want: { kind: 'current' }, signal: new AbortController().signal, ...more }
}

/** Reads meter 5, whose first answer with data is spoilt as `fault` has it. */
async function readThrough(test: Test, fault: Script, baudRate: number) {
  const meters = new PeerBus([five, six])
  let spoilt = false
  const line = await peer(test, (request, socket, count) => {
    const answer = meters.answer(request)
    if (request !== first || spoilt) return answer
    spoilt = true
    return fault(request, socket, count)
  })
  const exchange = await open(test, { host: '127.0.0.1', port: line.port, baudRate }).read(job())
  test.equal(Buffer.from(exchange.response).toString('hex'), `e5${good.toString('hex')}`, 'evidence has the accepted frames only')
  return line.requests
}

t.test('what comes before an answer is passed over without asking again', async (t) => {
  const before: Readonly<Record<string, Uint8Array>> = {
    noise: Buffer.from('00ff13e5a7', 'hex'),
    'the start of a frame': Buffer.from('68', 'hex'),
    'an echo': Buffer.from(first, 'hex'),
    'an acknowledgement too many': acknowledge,
    'another meter’s answer': telegramOf(six, 0),
    'the end of a late answer': telegramOf(six, 0).subarray(9)
  }
  for (const [name, bytes] of Object.entries(before))
    await t.test(name, async (t) => {
      const requests = await readThrough(
        t,
        (_request, socket) => {
          socket.write(bytes)
          // Later than the line counts as quiet, and before the meter must have begun.
          setTimeout(() => socket.write(good), 150)
          return undefined
        },
        300
      )
      t.same(requests, [nke, first])
    })
})

t.test('what is broken is asked for again with the same frame count bit', async (t) => {
  const doubled = Buffer.concat([good.subarray(0, 12), good.subarray(11)])
  const answers: Readonly<Record<string, Uint8Array | undefined>> = {
    'a flipped bit': good.map((byte, index) => (index === 9 ? byte ^ 4 : byte)),
    'a doubled byte': doubled,
    'a lost byte': Buffer.concat([good.subarray(0, 11), good.subarray(12)]),
    'half a frame': good.subarray(0, 10),
    'a length that lies': good.map((byte, index) => (index === 1 || index === 2 ? 200 : byte)),
    'another meter’s answer alone': telegramOf(six, 0),
    silence: undefined
  }
  for (const [name, bytes] of Object.entries(answers))
    await t.test(name, async (t) => t.same(await readThrough(t, () => bytes, 38_400), [nke, first, first]))
})

t.test('a line that never stops sending costs one bounded wait, and other meters go on', async (t) => {
  const meters = new PeerBus([five, six])
  const line = await peer(t, (request, socket) => {
    if (!request.startsWith('107b05')) return meters.answer(request)
    const babble = setInterval(() => socket.write(Buffer.alloc(200, 0x55)), 5)
    socket.on('close', () => clearInterval(babble))
    return undefined
  })
  const bus = open(t, { host: '127.0.0.1', port: line.port, baudRate: 38_400 })
  const failure = await failureOf(bus.read(job()))
  t.equal(failure.code, 'BUS_NEVER_QUIET')
  t.ok(failure.response.length > 261 && failure.response.length < 2_000, 'some of it is shown')
  t.same(line.requests, [nke, first], 'it is not asked for again')
  t.ok((await bus.read(job({ address: '6' }))).response.length > 1)
  t.equal(line.connections, 2)
})

t.test('a slow line that never stops sending ends with its wait', async (t) => {
  const line = await peer(t, (_request, socket) => {
    const babble = setInterval(() => socket.write(Buffer.alloc(60, 0x55)), 20)
    socket.on('close', () => clearInterval(babble))
    return undefined
  })
  const failure = await failureOf(open(t, { host: '127.0.0.1', port: line.port }, 250).read(job()))
  t.equal(failure.code, 'BUS_NEVER_QUIET')
})

t.test('half a frame each time is a failure with its bytes', async (t) => {
  const line = await peer(t, (request) => (request === nke ? acknowledge : good.subarray(0, 10)))
  const failure = await failureOf(open(t, { host: '127.0.0.1', port: line.port, tries: 2 }, 50).read(job()))
  t.equal(failure.code, 'MBUS_TRUNCATED')
  t.equal(failure.response.length, 1 + 2 * 10)
})

t.test('waits follow the speed of the bus where none is given', (t) => {
  const slow = new Timing({ kind: 'tcp', baudRate: 2_400 }, undefined).limits(5)
  // 5 bytes of 11 bits, 330 bit times, 50 ms and 300 ms for a converter; then 261 bytes.
  t.equal(slow.beginMs, Math.ceil((1_000 * (55 + 330)) / 2_400 + 350))
  t.equal(slow.endMs, slow.beginMs + Math.ceil((1_000 * 2_871) / 2_400))
  t.ok(new Timing({ kind: 'serial', baudRate: 300 }, undefined).limits(5).endMs > 10_000)
  t.same(new Timing({ kind: 'tcp', baudRate: 300 }, 1_500).limits(17), { beginMs: 1_500, endMs: 1_500 })
  t.equal(new Timing({ kind: 'tcp', baudRate: 2_400 }, 100).ownAnswerMs(5), 100)
  t.end()
})

t.test('a bus entry names one place and its speed once', (t) => {
  const dependencies = { clock: { now: () => now }, answerWithinMs: undefined, counters: memoryCounters() }
  const serial = { path: '/dev/none', baudRate: 2_400 }
  for (const wrong of [{}, { host: 'a' }, { host: 'a', port: 1, serial }, { serial, baudRate: 9_600 }, { host: 'a', port: 1, tries: 9 }])
    t.throws(() => mbusProtocol.open(wrong, dependencies), { code: 'CONFIG_INVALID' }, JSON.stringify(wrong))
  t.doesNotThrow(() => mbusProtocol.open({ serial }, dependencies))
  t.end()
})

t.test('meters are read by address and by number through a serial port', async (t) => {
  const meters = new PeerBus([five, six])
  const line = await peer(t, (request) => meters.answer(request))
  const path = await pseudoTerminal(t, line.port)
  const bus = open(t, { serial: { path, baudRate: 2_400 } })
  for (const [address, id] of [
    ['5', '12345678'],
    ['87654321.KAM.27.22', '87654321']
  ] as const) {
    const exchange = await bus.read(job({ address }))
    t.match(mbusCodec.decodeEvidence({ ...exchange, profile, zone: 'UTC' }), {
      ok: true,
      value: { identity: { id }, readings: [{ raw: 42n }] }
    })
  }
})
