import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { epochMs } from '@endeks/domain/time'
import t, { type Test } from 'tap'
import { Line, type LinePlace, namesOnePlace, placeOf } from '../../src/line/index.js'
import { pseudoTerminal } from '../support/pseudo-terminal.js'

const usual = { parity: 'even', dataBits: 8, stopBits: 1 } as const
let now = 0
const clock = { now: () => epochMs(now) }
const opening = { withinMs: 2_000, signal: new AbortController().signal }

function collect(line: Line, length: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let held = Buffer.alloc(0)
    line.receive({
      data: (chunk) => {
        held = Buffer.concat([held, chunk])
        if (held.length >= length) resolve(held.toString('hex'))
      },
      closed: () => reject(new Error('closed'))
    })
  })
}

async function echoServer(t: Test): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

t.test('what is sent over TCP and over a serial port comes back', async (t) => {
  const port = await echoServer(t)
  const path = await pseudoTerminal(t, port)
  const places: LinePlace[] = [
    { kind: 'tcp', host: '127.0.0.1', port },
    { kind: 'serial', path, baudRate: 2_400, ...usual }
  ]
  for (const place of places) {
    const line = new Line(place, clock)
    t.match(await line.open(opening), { ok: true }, place.kind)
    const answer = collect(line, 5)
    t.equal(line.send(Uint8Array.of(0x10, 0x40, 0xfd, 0x3d, 0x16)), true)
    t.equal(await answer, '1040fd3d16')
    line.receive(undefined)
    line.drop()
    t.equal(line.isOpen, false)
    t.equal(line.send(Uint8Array.of(1)), false, 'nothing goes out on a line that was dropped')
  }
})

// That a port has one owner, and a failure that drops the line does not leave it with nobody until the process ends.
t.test('a serial port that was dropped is opened again, also by another line', async (t) => {
  const path = await pseudoTerminal(t, await echoServer(t))
  const place: LinePlace = { kind: 'serial', path, baudRate: 2_400, ...usual }
  const first = new Line(place, clock)
  t.match(await first.open(opening), { ok: true })
  first.drop()
  t.match(await first.open(opening), { ok: true }, 'at once')
  await first.close()
  const second = new Line(place, clock)
  t.match(await second.open(opening), { ok: true })
  const answer = collect(second, 1)
  t.equal(second.send(Uint8Array.of(0xe5)), true)
  t.equal(await answer, 'e5')
  await second.close()
})

t.test('a place that cannot be opened is left alone, for twice as long each time', async (t) => {
  const line = new Line({ kind: 'serial', path: join(t.testdir({}), 'none'), baudRate: 2_400, ...usual }, clock)
  t.match(await line.open(opening), { ok: false, error: { code: 'BUS_UNREACHABLE', message: /can't be opened/ } })
  t.match(await line.open(opening), { ok: false, error: { message: /left alone for another 1000 ms/ } })
  now += 1_000
  t.match(await line.open(opening), { ok: false, error: { message: /can't be opened/ } })
  t.match(await line.open(opening), { ok: false, error: { message: /left alone for another 2000 ms/ } })
  now -= 3_600_000
  t.match(await line.open(opening), { ok: false, error: { message: /can't be opened/ } }, 'no longer, when the clock was set back')
})

t.test('a bus entry names one place', (t) => {
  const serial = { path: '/dev/ttyUSB0', baudRate: 2_400 }
  t.equal(namesOnePlace({ serial }), true)
  t.equal(namesOnePlace({ serial, host: 'a' }), false)
  t.equal(namesOnePlace({ host: 'a' }), false)
  t.same(placeOf({ serial: { ...serial, parity: 'none' } }, usual), { kind: 'serial', ...serial, ...usual, parity: 'none' })
  t.equal(placeOf({}, usual), undefined)
  t.end()
})
