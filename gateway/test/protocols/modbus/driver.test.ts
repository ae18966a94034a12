import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { type EpochMs, fromIso } from '@endeks/domain/time'
import modbusSerial from 'modbus-serial'
import t from 'tap'
import { decodeEvidence } from '../../../src/codec/index.js'
import { modbusProtocol } from '../../../src/protocols/modbus/driver.js'
import { ReadFailure, type ReadJob } from '../../../src/protocols/protocol.js'
import { memoryCounters } from '../../support/memory-counters.js'
import { profile } from './profile.js'

const clock = { now: (): EpochMs => fromIso('2026-03-05T09:00:00Z') }

/** A port that was free a moment ago: modbus-serial's server takes no 0. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function job(options: { address?: string; history?: boolean; signal?: AbortSignal } = {}): ReadJob {
  return {
    address: options.address ?? '17',
    profile,
    zone: 'Europe/Istanbul',
    want: options.history === true ? { kind: 'history', since: 0 as EpochMs } : { kind: 'current' },
    signal: options.signal ?? new AbortController().signal
  }
}

async function failureOf(read: Promise<unknown>): Promise<ReadFailure> {
  try {
    await read
  } catch (thrown) {
    if (thrown instanceof ReadFailure) return thrown
    throw thrown
  }
  throw new Error('the read did not fail')
}

t.test("evidence from modbus-serial's own server decodes to what its registers held", async (t) => {
  const holding = new Map<number, number>([
    [0, 0x4142],
    [1, 0x3132],
    [2, 0x3300],
    [4, 1],
    [5, 0xe240],
    [100, 0x2026],
    [101, 0x0228],
    [102, 1]
  ])
  const port = await freePort()
  const server = new modbusSerial.ServerTCP(
    {
      getHoldingRegister: (address: number) => {
        if (address > 111) throw new RangeError('no such register')
        return holding.get(address) ?? 0
      },
      getInputRegister: () => 1_234
    },
    { host: '127.0.0.1', port, unitID: 17 }
  )
  await once(server, 'initialized')
  const bus = modbusProtocol.open({ host: '127.0.0.1', port }, { clock, answerWithinMs: 2_000, counters: memoryCounters() })
  t.teardown(async () => {
    await bus.close()
    server.close(() => {})
  })
  const current = await bus.read(job())
  t.equal(current.request.length, 24, 'two requests')
  const decoded = decodeEvidence('modbus', { ...current, profile, zone: 'Europe/Istanbul' })
  t.same(decoded.ok && decoded.value.readings.map(({ raw }) => raw), [123_456n, 1_234n])
  const history = await bus.read(job({ history: true }))
  const stored = decodeEvidence('modbus', { ...history, profile, zone: 'Europe/Istanbul' })
  t.same(stored.ok && stored.value.readings.map(({ raw }) => raw), [123_456n, 1_234n, 65_536n])
})

t.test(
  'a device that is silent, refuses, answers for another or closes fails the read with its bytes, and the next read is tried',
  async (t) => {
    const answers: ((socket: Socket, request: Buffer) => void)[] = [
      () => {},
      (socket, request) => socket.write(Buffer.from([request[0] ?? 0, request[1] ?? 0, 0, 0, 0, 3, 17, 0x83, 2])),
      (socket, request) => socket.write(Buffer.from([request[0] ?? 0, request[1] ?? 0, 0, 0, 0, 5, 18, 3, 2, 0, 0])),
      (socket) => socket.destroy()
    ]
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (request) => answers.shift()?.(socket, request))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const bus = modbusProtocol.open({ host: '127.0.0.1', port: portOf(server) }, { clock, answerWithinMs: 150, counters: memoryCounters() })
    t.teardown(async () => {
      await bus.close()
      server.close()
    })
    const silent = await failureOf(bus.read(job()))
    t.equal(silent.code, 'NO_ANSWER')
    t.equal(Buffer.from(silent.request).toString('hex'), '000100000006110300000006')
    const refused = await failureOf(bus.read(job()))
    t.equal(refused.code, 'MODBUS_EXCEPTION')
    t.equal(refused.response.length, 9)
    t.equal((await failureOf(bus.read(job()))).code, 'MODBUS_WRONG_ANSWER')
    t.equal((await failureOf(bus.read(job()))).code, 'BUS_BROKEN')
  }
)

t.test('a bus that is not there and a read called off fail with their code', async (t) => {
  const port = await freePort()
  const bus = modbusProtocol.open({ host: '127.0.0.1', port }, { clock, answerWithinMs: 500, counters: memoryCounters() })
  t.equal((await failureOf(bus.read(job()))).code, 'BUS_UNREACHABLE')
  const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const mute = modbusProtocol.open(
    { host: '127.0.0.1', port: portOf(server) },
    { clock, answerWithinMs: 60_000, counters: memoryCounters() }
  )
  const stop = new AbortController()
  const read = failureOf(mute.read(job({ signal: stop.signal })))
  server.once('connection', (socket) => socket.once('data', () => stop.abort()))
  t.equal((await read).code, 'BUS_BROKEN')
  await mute.close()
  server.close()
})
