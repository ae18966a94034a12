import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createGunzip } from 'node:zlib'
import t, { type Test } from 'tap'
import { start } from '../support/site.js'
import { type Entered, enter, newRegister, type Site, site, startMirror, until } from './support.js'

// Goal: whatever a receiver answers, or doesn't, no reading is passed over that it would have taken, and none is tried for ever.
// Method: a receiver whose answers are chosen, and which notes the lines that it has accepted.

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

interface Receiver {
  readonly url: string
  readonly accepted: string[]
  /** undefined for no answer at all */
  answer: (lines: readonly string[]) => Answer | undefined
  requests: number
  lastHeaders: IncomingMessage['headers']
}

const taken: Answer = { status: 204 }

async function receiver(t: Test): Promise<Receiver> {
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request
    const lines = (await text(body)).split('\n')
    own.requests += 1
    own.lastHeaders = request.headers
    const answer = own.answer(lines)
    if (answer === undefined) return
    if (answer.status === 204) own.accepted.push(...lines.filter((line) => line.startsWith('reading')))
    response.writeHead(answer.status, answer.headers).end(answer.body)
  }
  const server = createServer((request, response) => {
    respond(request, response).catch(() => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const own: Receiver = { url: `http://127.0.0.1:${port}`, accepted: [], answer: () => taken, requests: 0, lastHeaders: {} }
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return own
}

async function readings(one: Site, count: number): Promise<Entered[]> {
  const register = await newRegister(one.pool, `${start} ${count}`)
  const all = Array.from({ length: count }, (_, n) => ({ register, serial: '', atMs: BigInt(start + n), raw: BigInt(n), scaler: 0 }))
  await enter(one.pool, all)
  return all
}

async function mirrored(t: Test, count: number) {
  const one = await site(t)
  await readings(one, count)
  return { one, own: await receiver(t) }
}

const rawsOf = (lines: readonly string[]): number[] =>
  [...new Set(lines.map((line) => Number(/raw=(\d+)i/.exec(line)?.[1])))].sort((a, b) => a - b)
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)

t.test('a receiver that is down, busy, full, silent or does not know us is waited for, and lacks nothing', async (t) => {
  const { one, own } = await mirrored(t, 120)
  const answers: (Answer | undefined)[] = [
    undefined,
    { status: 401, body: 'who are you' },
    { status: 404, body: 'no such bucket' },
    { status: 429, headers: { 'retry-after': '1' } },
    { status: 500, body: 'no space left on device' },
    { status: 503 },
    { status: 200, body: 'a login page' }
  ]
  own.answer = () => (answers.length > 0 ? answers.shift() : taken)
  const { statistics } = startMirror(t, one, { url: own.url, token: 'secret' }, { silentMs: 100 })
  await until(() => statistics.mirrorReadings === 120)
  t.same(rawsOf(own.accepted), upTo(120))
  t.equal(statistics.mirrorFailures, 7)
  t.equal(statistics.mirrorRefused, 0)
  t.equal(own.lastHeaders.authorization, 'Token secret')
})

t.test('an answer that never ends is cut', async (t) => {
  const { one, own } = await mirrored(t, 10)
  let first = true
  const server = createServer((request, response) => {
    request.resume()
    if (!first) return response.writeHead(204).end()
    first = false
    response.writeHead(200)
    const trickle = setInterval(() => response.write('.'), 20)
    return response.on('close', () => clearInterval(trickle))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const { statistics } = startMirror(t, one, { url: `http://127.0.0.1:${port}` }, { writeWithinMs: 200 })
  await until(() => statistics.mirrorReadings === 10)
  t.equal(statistics.mirrorFailures, 1)
  t.equal(own.requests, 0)
})

t.test('readings that it will not take are left out one by one, noted and counted; their neighbours are taken', async (t) => {
  const { one, own } = await mirrored(t, 120)
  const poison = / raw=(17|18|99)i/
  own.answer = (lines) => (lines.some((line) => poison.test(line)) ? { status: 400, body: '{"message":"unable to parse"}' } : taken)
  const { statistics } = startMirror(t, one, { url: own.url })
  await until(() => statistics.mirrorReadings + statistics.mirrorRefused === 120)
  t.same(
    rawsOf(own.accepted),
    upTo(120).filter((n) => ![17, 18, 99].includes(n))
  )
  const { rows } = await one.pool.query<{ code: string; message: string; raw: bigint }>(
    'select f.code, f.message, r.raw from metering.mirror_refusal f join metering.reading r using (register_id, at) order by raw'
  )
  t.same(
    rows.map((row) => row.raw),
    [17n, 18n, 99n]
  )
  t.match(rows[0], { code: 'MIRROR_POINT_REFUSED', message: /^400: .*unable to parse/ })
  t.equal(statistics.mirrorFailures, 0)
})

t.test('one that refuses whatever it is sent has wrong settings: nothing is left out', async (t) => {
  const { one, own } = await mirrored(t, 20)
  own.answer = () => ({ status: 400, body: 'unsupported path' })
  const { statistics } = startMirror(t, one, { url: own.url })
  await until(() => statistics.mirrorFailures >= 2)
  t.equal(statistics.mirrorRefused, 0)
  own.answer = (lines) => (lines.some((line) => line.startsWith('reading')) ? { status: 422, body: 'too old' } : taken)
  await until(() => statistics.mirrorRefused === 20)
  t.pass('but where a point of our own is taken, it is the readings')
  await until(() => statistics.mirrorReadings === 0)
})

t.test('one that takes less at once is given less', async (t) => {
  const { one, own } = await mirrored(t, 200)
  own.answer = (lines) => (lines.length > 20 ? { status: 413 } : taken)
  const { statistics } = startMirror(t, one, { url: own.url })
  await until(() => statistics.mirrorReadings === 200)
  t.same(rawsOf(own.accepted), upTo(200))
  t.ok(own.requests < 40, 'and the next batches are as small')
})

t.test('a reading of a transaction that is still open is not passed over', async (t) => {
  const one = await site(t)
  const own = await receiver(t)
  const register = await newRegister(one.pool, 'open')
  const writer = await one.pool.connect()
  try {
    await writer.query('begin')
    await writer.query(
      `insert into metering.reading (register_id, at, raw, scaler, status, unit, source) values ($1, '2026-01-05Z', 0, 0, 0, 'm3', 'remote')`,
      [register]
    )
    await enter(one.pool, [{ register, serial: '', atMs: BigInt(start), raw: 1n, scaler: 0 }])
    const { statistics } = startMirror(t, one, { url: own.url })
    await until(() => statistics.mirrorReadings === 1)
    await enter(one.pool, [{ register, serial: '', atMs: BigInt(start) + 1n, raw: 2n, scaler: 0 }], 'now()')
    await writer.query('commit')
    await until(() => statistics.mirrorReadings === 3)
    t.same(rawsOf(own.accepted), [0, 1, 2])
  } finally {
    writer.release()
  }
})

t.test('of two mirrors of a receiver one works, and the other takes over where it was', async (t) => {
  const { one, own } = await mirrored(t, 100)
  const first = startMirror(t, one, { url: own.url })
  await until(() => first.statistics.mirrorReadings === 100)
  const second = startMirror(t, one, { url: own.url })
  await first.mirror.stop()
  await readings(one, 101)
  await until(() => second.statistics.mirrorReadings === 101)
  t.equal(own.accepted.length, 201, 'nothing twice where nothing died')
})

t.test('when the clock of the database goes back, what is received then is mirrored too', async (t) => {
  const { one, own } = await mirrored(t, 10)
  const { mirror, statistics } = startMirror(t, one, { url: own.url })
  await until(() => statistics.mirrorReadings === 10)
  await mirror.stop()
  // A cursor an hour ahead is what a clock leaves behind that went back an hour.
  await one.pool.query('update metering.mirror_cursor set received_us = received_us + 3600000000')
  const after = startMirror(t, one, { url: own.url })
  await readings(one, 11)
  await until(() => after.statistics.mirrorReadings >= 11)
  t.ok(own.accepted.length >= 21)
})
