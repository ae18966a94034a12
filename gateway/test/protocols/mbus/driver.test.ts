import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type EpochMs, fromIso } from '@endeks/domain/time'
import t, { type Test } from 'tap'
import { type EncodableRecord, encodeResponse, mbusCodec } from '../../../src/protocols/mbus/codec/index.js'
import { mbusProtocol } from '../../../src/protocols/mbus/driver.js'
import type { Bus, ReadJob } from '../../../src/protocols/protocol.js'
import { failureOf } from '../../support/failure-of.js'
import { memoryCounters } from '../../support/memory-counters.js'
import { peer } from './bus-peer.js'

const now = fromIso('2026-11-24T09:00:00Z')
const register = { obis: '8-0:1.0.0*255', quantity: 'volume', function: 'instantaneous', tariff: 0, subunit: 0 }
const profile = { name: 'water', protocol: 'mbus', registers: [{ ...register, storage: 'current' }] }
const identity = { id: '12345678', manufacturer: 'KAM', version: 27, medium: 'cold-water' }
const volume: EncodableRecord = { quantity: 'volume', unit: 'm3', scaler: -3, value: { coding: 'bcd', size: 4, raw: 42n } }
const history = { kind: 'history', since: now } as const

function data(more: { readonly address?: number; readonly moreFollow?: boolean; readonly access?: number } = {}): Uint8Array {
  const { address = 5, moreFollow = false, access = 1 } = more
  return encodeResponse({ address, identity, access, status: 0, records: [volume], moreFollow })
}

const acknowledge = Uint8Array.of(0xe5)
const nke = '1040054516'
const first = '107b058016'
const second = '105b056016'

function open(test: Test, port: number, answerWithinMs: number, clock: { now(): EpochMs } = { now: () => now }): Bus {
  const bus = mbusProtocol.open({ host: '127.0.0.1', port, baudRate: 38_400 }, { clock, answerWithinMs, counters: memoryCounters() })
  test.teardown(() => bus.close())
  return bus
}

function job(more: Partial<ReadJob> = {}): ReadJob {
  return { address: '5', profile, zone: 'UTC', want: { kind: 'current' }, signal: new AbortController().signal, ...more }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

t.test('a meter is read at once, and its frames are the evidence', async (t) => {
  const line = await peer(t, (request) => (request === nke ? acknowledge : data()))
  const bus = open(t, line.port, 60_000)
  const exchange = await bus.read(job())
  t.equal(hexOf(exchange.request), nke + first)
  t.equal(hexOf(exchange.response), hexOf(acknowledge) + hexOf(data()))
  t.equal(exchange.at, now)
  t.match(mbusCodec.decodeEvidence({ ...exchange, profile, zone: 'UTC' }), { ok: true, value: { identity, readings: [{ raw: 42n }] } })
  const again = await bus.read(job())
  t.equal(hexOf(again.request), second, 'the link stands: no reset, the other frame count bit')
  t.equal(line.connections, 1)
})

t.test('a readout of several frames is read to its end for history, and only as far as needed for now', async (t) => {
  let frame = 0
  const line = await peer(t, (request) => {
    if (request === nke) {
      frame = 0
      return acknowledge
    }
    frame += 1
    return data({ moreFollow: frame < 3, access: frame })
  })
  const bus = open(t, line.port, 60_000)
  const all = await bus.read(job({ want: history }))
  t.equal(hexOf(all.request), nke + first + second + first)
  const current = await bus.read(job())
  t.equal(hexOf(current.request), nke + first)
})

t.test('frames in pieces and an echo of the request make no difference', async (t) => {
  const line = await peer(t, (request, socket) => {
    if (request === nke) return Buffer.concat([Buffer.from(nke, 'hex'), acknowledge])
    const frame = data()
    socket.write(frame.subarray(0, 3))
    setImmediate(() => socket.write(frame.subarray(3)))
    return undefined
  })
  const exchange = await open(t, line.port, 60_000).read(job())
  t.equal(hexOf(exchange.response), hexOf(acknowledge) + hexOf(data()))
})

t.test('a dead meter costs its tries, and the next one is read', async (t) => {
  const line = await peer(t, (request) => (request === nke ? undefined : request === '1040064616' ? acknowledge : data({ address: 6 })))
  const bus = open(t, line.port, 20)
  const failure = await failureOf(bus.read(job()))
  t.equal(failure.code, 'NO_ANSWER')
  t.equal(hexOf(failure.request), nke.repeat(3))
  t.same(line.requests, [nke, nke, nke])
  t.equal(hexOf((await failureOf(bus.read(job({ doubtful: true })))).request), nke, 'after a failure the silence is believed at once')
  const exchange = await bus.read(job({ address: '6' }))
  t.ok(exchange.response.length > 1)
})

t.test('an answer lost or broken is asked for again with the same bit', async (t) => {
  const broken = data()
  broken[broken.length - 2] = (broken[broken.length - 2] ?? 0) ^ 1
  const line = await peer(t, (request, _, count) => (request === nke ? acknowledge : count === 2 ? broken : data()))
  const exchange = await open(t, line.port, 5_000).read(job())
  t.same(line.requests, [nke, first, first])
  t.equal(hexOf(exchange.request), nke + first, 'evidence has the answered try only')
})

t.test('another meter’s answer is refused, with its bytes', async (t) => {
  const line = await peer(t, (request) => (request === nke ? acknowledge : data({ address: 6 })))
  const failure = await failureOf(open(t, line.port, 5_000).read(job()))
  t.equal(failure.code, 'MBUS_FOREIGN_ADDRESS')
  t.equal(hexOf(failure.response), hexOf(acknowledge) + hexOf(data({ address: 6 })).repeat(3))
})

t.test('what a meter answers wrongly on purpose is not asked for again', async (t) => {
  const line = await peer(t, (request) => (request === nke ? acknowledge : Buffer.from('68040468080570088516', 'hex')))
  const failure = await failureOf(open(t, line.port, 5_000).read(job()))
  t.equal(failure.code, 'MBUS_APPLICATION_ERROR')
  t.same(line.requests, [nke, first])
})

t.test('a connection that closes fails the read, and the next read connects again', async (t) => {
  const line = await peer(t, (request, socket, count) => {
    if (count === 1) socket.destroy()
    return count === 1 ? undefined : request === nke ? acknowledge : data()
  })
  const bus = open(t, line.port, 5_000)
  t.equal((await failureOf(bus.read(job()))).code, 'BUS_BROKEN')
  t.ok((await bus.read(job())).response.length > 1)
  t.equal(line.connections, 2)
})

t.test('a converter that refuses is left alone for a while', async (t) => {
  const line = await peer(t, (request) => (request === nke ? acknowledge : data()))
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const address = closed.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  closed.close()
  await once(closed, 'close')
  let time: number = now
  const bus = open(t, port, 5_000, { now: () => time as EpochMs })
  t.match((await failureOf(bus.read(job()))).message, /can't be reached/)
  t.match((await failureOf(bus.read(job()))).message, /left alone for another 1000 ms/)
  time += 1_000
  t.match((await failureOf(bus.read(job()))).message, /can't be reached/)
  t.match((await failureOf(bus.read(job()))).message, /another 2000 ms/)
  t.equal(line.connections, 0)
})

t.test('a read that is called off ends at once', async (t) => {
  const stop = new AbortController()
  const line = await peer(t, () => {
    stop.abort()
    return undefined
  })
  const bus = open(t, line.port, 60_000)
  t.equal((await failureOf(bus.read(job({ signal: stop.signal })))).code, 'READ_ABORTED')
  t.equal((await failureOf(bus.read(job({ signal: stop.signal })))).code, 'READ_ABORTED', 'also before it begins')
})

t.test('reads of one bus take turns', async (t) => {
  const line = await peer(t, (request) =>
    request.startsWith('1040') ? acknowledge : data({ address: Number.parseInt(request.slice(4, 6), 16) })
  )
  const bus = open(t, line.port, 60_000)
  await Promise.all(['5', '6'].map((address) => bus.read(job({ address }))))
  t.same(line.requests, [nke, first, '1040064616', '107b068116'])
})

const recorded = resolve(
  dirname(fileURLToPath(import.meta.url)),
  '../../../../..',
  '../shared/vectors/libmbus/itron_cyble_m-bus_v1.4_cold_water.hex'
)
t.test(
  'a recorded water meter is read over a socket',
  { skip: existsSync(recorded) ? false : 'no ../shared/vectors/libmbus' },
  async (t) => {
    const frame = Buffer.from(readFileSync(recorded, 'latin1').replace(/\s/g, ''), 'hex')
    const line = await peer(t, (request) => (request.startsWith('1040') ? acknowledge : frame))
    const exchange = await open(t, line.port, 60_000).read(job({ address: '8', want: history }))
    const readout = mbusCodec.decodeEvidence({ ...exchange, profile, zone: 'Europe/Istanbul' })
    t.match(readout, {
      ok: true,
      value: { identity: { id: '10020380', manufacturer: 'ACW' }, readings: [{ raw: 4535n, scaler: -1, unit: 'm3' }] }
    })
    t.equal(readout.ok && readout.value.readings.length, 1, 'the counter of the maker is no reading')
  }
)

t.test('addresses are primary ones, that of the selected meter, and numbers of meters', (t) => {
  const fits = (address: string | number): boolean => mbusProtocol.addressPattern.test(String(address))
  const numbers = Array.from({ length: 300 }, (_, address) => address)
  t.same(numbers.filter((address) => !fits(address)).slice(0, 4), [251, 252, 255, 256])
  for (const address of ['12345678', '12345678.KAM', '12345678.KAM.27.6', '12345678.*.*.7']) t.ok(fits(address), address)
  for (const address of ['01', '1234567', '123456789', 'x12345678', '12345678.kam', '12345678.KAM.300']) t.notOk(fits(address), address)
  t.end()
})
