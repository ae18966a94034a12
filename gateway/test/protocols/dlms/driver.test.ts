import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { dlmsProtocol } from '../../../src/protocols/dlms/driver.js'
import type { Exchange, ReadJob } from '../../../src/protocols/protocol.js'
import { failureOf } from '../../support/failure-of.js'
import { memoryCounters } from '../../support/memory-counters.js'
import * as by from './peer.js'

const clock = { now: () => by.now }
const zone = 'Europe/Istanbul'

function job(more: Partial<ReadJob> = {}): ReadJob {
  return { address: '1', profile: by.profile, zone, want: { kind: 'current' }, signal: new AbortController().signal, ...more }
}

interface Setup {
  readonly script?: readonly (readonly [string, string])[]
  readonly more?: by.Script
  readonly answerWithinMs?: number
  readonly attempts?: number
}

async function setUp(t: Test, { script = by.current, more = new Map(), answerWithinMs = 2000, attempts = 1 }: Setup) {
  const answers = script.map(([request, answer]) => [request, by.says(answer)] as const)
  const peer = await by.startPeer(new Map([...answers, ...more]))
  const bus = dlmsProtocol.open({ host: '127.0.0.1', port: peer.port, attempts }, { clock, answerWithinMs, counters: memoryCounters() })
  t.teardown(async () => {
    await bus.close()
    await peer.close()
  })
  return { peer, bus }
}

const bytesOf = (script: readonly (readonly [string, string])[]) => ({
  request: Buffer.concat(script.map(([request]) => by.frame(request, 16, 1))),
  response: Buffer.concat(script.map(([, response]) => by.frame(response)))
})

const decode = (exchange: Exchange) => dlmsProtocol.codec.decodeEvidence({ ...exchange, profile: by.profile, zone })
const reading = (at: number, raw: bigint, status = 0) => ({ obis: '8-0:1.0.0*255', at, raw, scaler: -3, unit: 'm3', status })

t.test('a current read is one connection, and its bytes alone give identity and index', async (t) => {
  const { peer, bus } = await setUp(t, {})
  const exchange = await bus.read(job())
  t.same({ ...exchange }, { ...bytesOf(by.current), at: by.now }, 'every byte that went over the line, in order')
  t.same(decode(exchange), { ok: true, value: { identity: { id: '12345678' }, readings: [reading(by.now, 74565n)] } })
  t.equal(peer.connections(), 1)
})

t.test('a history read brings the load profile in blocks; what has no time or no value is left out', async (t) => {
  const { bus } = await setUp(t, { script: by.history })
  const exchange = await bus.read(job({ want: { kind: 'history', since: by.sinceInstant } }))
  const decoded = decode(exchange)
  const day = 86_400_000
  const doubtful = 64
  t.same(decoded, {
    ok: true,
    value: {
      identity: { id: '12345678' },
      readings: [
        reading(by.now, 74565n),
        reading(by.sinceInstant, 65537n),
        reading(by.sinceInstant + day, 65793n),
        reading(by.sinceInstant + 2 * day, 66305n, doubtful)
      ],
      refused: [{ code: 'DLMS_DATE', message: 'row 3 of 1-0:99.2.0*255: its clock 2026-02-31T00:00:00.00 is no instant' }]
    }
  })
})

t.test('a meter without selective access is asked for its whole buffer', async (t) => {
  const withoutRange = by.aare.replace('001014', '001010')
  const whole = by.getBuffer.slice(0, 24).concat('00')
  const script = by.history.map(
    ([request, answer]) => [request === by.getBuffer ? whole : request, answer === by.aare ? withoutRange : answer] as const
  )
  const { bus } = await setUp(t, { script })
  const decoded = decode(await bus.read(job({ want: { kind: 'history', since: by.sinceInstant } })))
  t.equal(decoded.ok && decoded.value.readings.length, 4)
})

t.test('an answer that comes byte by byte is an answer', async (t) => {
  const trickle = new Map([
    [
      by.getSerial,
      (socket: Parameters<ReturnType<typeof by.says>>[0]) => {
        const bytes = by.frame(by.serial)
        const next = (at: number): void => {
          if (at >= bytes.length) return
          socket.write(bytes.subarray(at, at + 1))
          setImmediate(() => next(at + 1))
        }
        next(0)
      }
    ]
  ])
  const { bus } = await setUp(t, { more: trickle })
  t.same((await bus.read(job())).response, bytesOf(by.current).response)
})

t.test('a meter that hangs up on the release has been read', async (t) => {
  const { bus } = await setUp(t, { more: new Map([[by.rlrq, (socket) => void socket.destroy()]]) })
  t.ok(decode(await bus.read(job())).ok)
})

t.test('an exception in place of the release response is an end as well, and so is one that is none', async (t) => {
  // The last is what a widespread stack says: the length leaves out what stands behind it.
  for (const answer of ['d80102', 'ff', '6303800100be10', '6300800100']) {
    const { bus } = await setUp(t, { more: new Map([[by.rlrq, by.says(answer)]]) })
    t.ok(decode(await bus.read(job())).ok, answer)
  }
})

/** Damage on the way is tried once more, on a connection of its own. What the meter means it would say again. */
const refusesToRepeat = ['DLMS_ACCESS', 'DLMS_EXCEPTION', 'DLMS_ASSOCIATION_REFUSED', 'DLMS_CONFORMANCE', 'DLMS_UNSUPPORTED']

/** Answers that end a read, each with its code. */
const refusals: readonly {
  readonly name: string
  readonly code: string
  readonly to: string
  readonly answer: ReturnType<typeof by.says>
}[] = [
  { name: 'another unit answers', code: 'DLMS_WRONG_PORT', to: by.getSerial, answer: (socket) => socket.write(by.frame(by.serial, 2, 16)) },
  {
    name: 'an answer for another client',
    code: 'DLMS_WRONG_PORT',
    to: by.getSerial,
    answer: (socket) => socket.write(by.frame(by.serial, 1, 17))
  },
  { name: 'the answer to another invocation', code: 'DLMS_INVOKE_ID', to: by.getSerial, answer: by.says(by.scale) },
  { name: 'two answers at once', code: 'DLMS_UNEXPECTED', to: by.getSerial, answer: by.says(by.serial, by.serial) },
  { name: 'no wrapper', code: 'DLMS_WRAPPER', to: by.getSerial, answer: (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n') },
  { name: 'an object that the meter does not have', code: 'DLMS_ACCESS', to: by.getScale, answer: by.says('c401c20104') },
  { name: 'an exception', code: 'DLMS_EXCEPTION', to: by.getScale, answer: by.says('d80101') },
  { name: 'the request echoed', code: 'DLMS_UNEXPECTED', to: by.getScale, answer: by.says(by.getScale) },
  { name: 'bytes behind the value', code: 'DLMS_TRAILING', to: by.getValue, answer: by.says(`${by.value}00`) },
  { name: 'half a value in a whole frame', code: 'DLMS_TRUNCATED', to: by.getValue, answer: by.says(by.value.slice(0, -2)) },
  {
    name: 'an association refused',
    code: 'DLMS_ASSOCIATION_REFUSED',
    to: by.aarq,
    answer: by.says(by.aare.replace('a203020100a305a103020100', 'a203020101a305a103020102'))
  },
  { name: 'no GET for this client', code: 'DLMS_CONFORMANCE', to: by.aarq, answer: by.says(by.aare.replace('001014', '001004')) },
  {
    name: 'a ciphered answer',
    code: 'DLMS_UNSUPPORTED',
    to: by.getValue,
    answer: by.says('cc153000000001aabbccddeeff00112233445566778899')
  }
]

for (const { name, code, to, answer } of refusals) {
  t.test(`${name}: ${code}, with the bytes of both sides`, async (t) => {
    const { peer, bus } = await setUp(t, { more: new Map([[to, answer]]), attempts: 3 })
    const failure = await failureOf(bus.read(job()))
    t.equal(failure.code, code)
    t.ok(failure.request.length > 0 && failure.response.length > 0, failure.message)
    t.equal(peer.connections(), refusesToRepeat.includes(code) ? 1 : 2)
  })
}

t.test('a block out of order ends the transfer', async (t) => {
  const { bus } = await setUp(t, {
    script: by.history,
    more: new Map([[by.getNext, by.says(by.lastBlock.replace('00000002', '00000003'))]])
  })
  t.equal((await failureOf(bus.read(job({ want: { kind: 'history', since: by.sinceInstant } })))).code, 'DLMS_BLOCK')
})

t.test('silence, and half a frame, are a time-out, after as many attempts as are set', async (t) => {
  const half = by.frame(by.serial).subarray(0, 11)
  for (const answer of [() => undefined, (socket: Parameters<ReturnType<typeof by.says>>[0]) => void socket.write(half)]) {
    const { peer, bus } = await setUp(t, { more: new Map([[by.getSerial, answer]]), answerWithinMs: 200, attempts: 2 })
    const failure = await failureOf(bus.read(job()))
    t.equal(failure.code, 'DLMS_TIMEOUT')
    const { request } = bytesOf(by.current.slice(0, 2))
    t.ok(request.subarray(0, failure.request.length).equals(failure.request), 'the bytes of the last attempt only')
    t.equal(peer.connections(), 2)
    t.equal((await failureOf(bus.read({ ...job(), doubtful: true }))).code, 'DLMS_TIMEOUT')
    t.equal(peer.connections(), 3, 'after a failure the silence is believed at once')
  }
})

t.test('a meter that fails once is read at the second attempt, whose bytes stand alone', async (t) => {
  let calls = 0
  const flaky = (socket: Parameters<ReturnType<typeof by.says>>[0]) => {
    calls += 1
    if (calls === 1) socket.destroy()
    else by.says(by.scale)(socket)
  }
  const { peer, bus } = await setUp(t, { more: new Map([[by.getScale, flaky]]), attempts: 2 })
  t.same((await bus.read(job())).request, bytesOf(by.current).request)
  t.equal(peer.connections(), 2)
})

t.test('a frame that is damaged once is read at the second attempt, and not at all where the meter is doubtful', async (t) => {
  let calls = 0
  const damaged = (socket: Parameters<ReturnType<typeof by.says>>[0]) => {
    calls += 1
    const frame = by.frame(by.scale)
    socket.write(calls % 2 === 1 ? frame.fill(0x55, 0, 2) : frame)
  }
  const { peer, bus } = await setUp(t, { more: new Map([[by.getScale, damaged]]), attempts: 2 })
  t.same(await bus.read(job()), { ...bytesOf(by.current), at: by.now })
  t.equal(peer.connections(), 2)
  t.equal((await failureOf(bus.read(job({ doubtful: true })))).code, 'DLMS_WRAPPER')
  t.equal(peer.connections(), 3)
})

t.test('a meter that is in time with each of endless blocks does not keep its bus', async (t) => {
  let blocks = 0
  const block = (number: number) => `c402c200${number.toString(16).padStart(8, '0')}000100`
  const more = new Map([[by.getScale, by.says(block(1))]])
  const slow = (socket: Parameters<ReturnType<typeof by.says>>[0]) => {
    blocks += 1
    const number = blocks + 1
    setTimeout(() => by.says(block(number))(socket), 5)
  }
  for (let number = 1; number < 500; number += 1) more.set(`c002c2${number.toString(16).padStart(8, '0')}`, slow)
  const peer = await by.startPeer(new Map([...by.current.map(([request, said]) => [request, by.says(said)] as const), ...more]))
  const bus = dlmsProtocol.open(
    { host: '127.0.0.1', port: peer.port, conversationWithinMs: 200 },
    { clock, answerWithinMs: 60_000, counters: memoryCounters() }
  )
  t.teardown(async () => {
    await bus.close()
    await peer.close()
  })
  t.equal((await failureOf(bus.read(job()))).code, 'DLMS_TOO_LONG')
  t.equal(peer.connections(), 1)
  t.ok(blocks > 0)
})

t.test('nobody at the port: BUS_UNREACHABLE', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const bus = dlmsProtocol.open({ host: '127.0.0.1', port, attempts: 1 }, { clock, answerWithinMs: 1000, counters: memoryCounters() })
  t.teardown(() => bus.close())
  t.equal((await failureOf(bus.read(job()))).code, 'BUS_UNREACHABLE')
})

t.test('a read that is called off ends at once and leaves no connection', async (t) => {
  const calling = new AbortController()
  const { peer, bus } = await setUp(t, { more: new Map([[by.getValue, () => calling.abort()]]), attempts: 3, answerWithinMs: 60_000 })
  const failure = await failureOf(bus.read(job({ signal: calling.signal })))
  t.equal(failure.code, 'READ_ABORTED')
  t.equal(peer.connections(), 1)
  const before = await failureOf(bus.read(job({ signal: AbortSignal.abort() })))
  t.equal(before.code, 'READ_ABORTED')
  for (let tries = 0; peer.open() > 0 && tries < 200; tries += 1) await delay(5)
  t.equal(peer.open(), 0)
})

t.test('closing the bus ends the read that is on it', async (t) => {
  let reached: () => void = () => undefined
  const waiting = new Promise<void>((resolve) => {
    reached = resolve
  })
  const { bus } = await setUp(t, { more: new Map([[by.getValue, () => reached()]]), answerWithinMs: 60_000 })
  const failing = failureOf(bus.read(job()))
  await waiting
  await bus.close()
  t.equal((await failing).code, 'READ_ABORTED')
})

t.test('two reads of one bus come one after the other, and a failed one does not stop the next', async (t) => {
  const { peer, bus } = await setUp(t, {})
  const [failed, first, second] = await Promise.all([
    failureOf(bus.read(job({ address: '2', profile: {} }))),
    bus.read(job()),
    bus.read(job())
  ])
  t.equal(failed.code, 'DLMS_PROFILE')
  t.same(first.response, second.response)
  t.equal(peer.connections(), 2)
})

t.test('an address is a wPort', async (t) => {
  t.match('16', dlmsProtocol.addressPattern)
  for (const address of ['0', '01', 'a', '123456', '']) t.notMatch(address, dlmsProtocol.addressPattern, address)
  const { bus } = await setUp(t, {})
  t.equal((await failureOf(bus.read(job({ address: '70000' })))).code, 'DLMS_ADDRESS')
})

t.test('a bus entry names one place and nothing unknown', (t) => {
  const place = { host: '127.0.0.1', port: 4059 }
  const serial = { serial: { path: '/dev/ttyS0', baudRate: 9600 } }
  const wrong = [{}, { ...place, ...serial }, { ...place, colour: 'blue' }, { ...place, scan: { from: 9, to: 8 } }, { ...place, window: 8 }]
  const open = (entry: unknown) => dlmsProtocol.open(entry, { clock, answerWithinMs: 1000, counters: memoryCounters() })
  for (const entry of wrong) t.throws(() => open(entry), JSON.stringify(entry))
  for (const entry of [place, serial, { ...place, framing: 'hdlc', scan: { from: 1, to: 1000 } }]) t.ok(open(entry))
  t.end()
})
