import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fromIso } from '@endeks/domain/time'
import { mbus } from '@endeks/gateway/codec'
import t, { type Test } from 'tap'
import { checkSimulatedSite, startSite } from '../../src/site/index.js'

const now = fromIso('2026-11-24T09:00:00Z')
const meter = {
  address: '5',
  serial: '12345678',
  manufacturer: 'KAM',
  version: 27,
  medium: 'cold-water',
  scaler: -3,
  digits: 8,
  startedAt: '2026-11-01',
  initialIndex: 4_711,
  shape: { type: 'household', seed: 7, perDay: 600 }
}
const neighbour = { ...meter, address: '6', serial: '12345699' }
const { sendNke, requestUserData2, frameCountBit } = mbus.control
const { selected } = mbus.sharedAddress

interface BusSetup {
  readonly faults?: readonly object[]
  readonly mbus?: object
  readonly meters: readonly object[]
}

async function lineTo(test: Test, bus: BusSetup, seed = 1): Promise<Socket> {
  const site = { zone: 'Europe/Istanbul', seed, buses: [{ name: 'line', protocol: 'mbus', host: '127.0.0.1', port: 0, ...bus }] }
  const running = await startSite(checkSimulatedSite(site), { now: () => now })
  const socket = connect(running.ports.get('line') ?? 0, '127.0.0.1')
  test.teardown(async () => {
    socket.destroy()
    await running.stop()
  })
  await once(socket, 'connect')
  return socket
}

/** The next bytes, so many of them. */
async function bytesFrom(socket: Socket, count: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0)
  while (bytes.length < count) bytes = Buffer.concat([bytes, ...((await once(socket, 'data')) as Buffer[])])
  return bytes
}

const ask = (socket: Socket, address: number, control: number = sendNke): boolean => socket.write(mbus.encodeShort(control, address))

t.test('noise goes before the acknowledgement of one meter, and its neighbour’s comes clean', async (t) => {
  const socket = await lineTo(t, { meters: [{ ...meter, faults: [{ type: 'noise', place: 'before', bytes: 3 }] }, neighbour] })
  ask(socket, 5)
  const noisy = await bytesFrom(socket, 4)
  t.same([noisy.length, noisy[3]], [4, mbus.acknowledge])
  ask(socket, 6)
  t.same(await bytesFrom(socket, 1), Buffer.of(mbus.acknowledge))
})

t.test('a late answer comes into the next exchange, behind the answer of that', async (t) => {
  const socket = await lineTo(t, { meters: [{ ...meter, faults: [{ type: 'late', byMs: 60 }] }, neighbour] })
  ask(socket, 5, requestUserData2)
  ask(socket, 6)
  t.same(await bytesFrom(socket, 1), Buffer.of(mbus.acknowledge), 'of the neighbour')
  const late = mbus.readFrame(await bytesFrom(socket, 30))
  t.match(late, { ok: true, value: { type: 'long', address: 5 } })
})

t.test('a line that never stops sends until the connection ends, and the next one is quiet again', async (t) => {
  const babble = { type: 'babble', bytesPerSecond: 20_000, every: 2 }
  const socket = await lineTo(t, { meters: [{ ...meter, faults: [babble] }] })
  ask(socket, 5)
  t.same(await bytesFrom(socket, 1), Buffer.of(mbus.acknowledge))
  ask(socket, 5)
  t.ok((await bytesFrom(socket, 2_000)).length >= 2_000)
  const { remotePort = 0 } = socket
  socket.destroy()
  const again = connect(remotePort, '127.0.0.1')
  t.teardown(() => again.destroy())
  await once(again, 'connect')
  ask(again, 5)
  t.same(await bytesFrom(again, 1), Buffer.of(mbus.acknowledge))
})

t.test('two meters that a wildcard selects acknowledge as one, and garble their data', async (t) => {
  const socket = await lineTo(t, { meters: [meter, neighbour] })
  socket.write(mbus.encodeCommand({ kind: 'select', address: { id: '123456FF' } }, selected))
  t.same(await bytesFrom(socket, 1), Buffer.of(mbus.acknowledge), 'the same bits at the same time')
  ask(socket, selected, requestUserData2 | frameCountBit)
  t.match(mbus.readFrame(await bytesFrom(socket, 20)), { ok: false })
})

t.test('answers that happen not to overlap come one after the other', async (t) => {
  const socket = await lineTo(t, { mbus: { collisions: 'in-turn' }, meters: [meter, neighbour] })
  socket.write(mbus.encodeCommand({ kind: 'select', address: { id: '123456FF' } }, selected))
  t.same(await bytesFrom(socket, 2), Buffer.of(mbus.acknowledge, mbus.acknowledge))
})

t.test('what a line does to its bytes is the same in every run with one seed', async (t) => {
  const run = async (seed: number): Promise<Buffer> => {
    const faults = [
      { type: 'flipped', bits: 3 },
      { type: 'noise', place: 'inside', bytes: 5, chance: 0.5 }
    ]
    const socket = await lineTo(t, { meters: [meter], faults }, seed)
    ask(socket, 5, requestUserData2)
    return bytesFrom(socket, 40)
  }
  const first = await run(1)
  t.same(await run(1), first)
  t.notSame(await run(2), first)
})
