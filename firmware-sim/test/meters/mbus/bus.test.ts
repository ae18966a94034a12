import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type EpochMs, fromIso, toIso } from '@endeks/domain/time'
import { mbus } from '@endeks/gateway/codec'
import t, { type Test } from 'tap'
import { startMbusBus } from '../../../src/meters/mbus/server.js'
import { MbusSlave } from '../../../src/meters/mbus/slave.js'
import type { SimulatedMeter } from '../../../src/meters/meter.js'

const startedAt = fromIso('2024-11-14T21:00:00Z')
const now = fromIso('2026-11-24T09:00:00Z')
const hourMs = 3_600_000

/** Counts a litre an hour. */
function meter(more: Partial<SimulatedMeter> = {}): SimulatedMeter {
  return {
    address: '5',
    identity: { id: '12345678', manufacturer: 'KAM', version: 27 },
    medium: 'cold-water',
    indexAt: (at) => BigInt(Math.max(0, Math.floor((at - startedAt) / hourMs))),
    scaler: -3,
    unit: 'm3',
    digits: 8,
    startedAt,
    clock: { now: () => now },
    zone: 'Europe/Istanbul',
    ...more
  }
}

const register = { obis: '8-0:1.0.0*255', quantity: 'volume', function: 'instantaneous', tariff: 0, subunit: 0 }
const profile = {
  name: 'water',
  protocol: 'mbus',
  registers: [
    { ...register, storage: 'current' },
    { ...register, storage: 'stored' }
  ]
}

const sendNke = mbus.control.sendNke
const firstRequest = mbus.control.requestUserData2 | mbus.control.frameCountBit
const secondRequest = mbus.control.requestUserData2 & ~mbus.control.frameCountBit

function ask(slave: MbusSlave, control: number): Uint8Array {
  return slave.answer({ type: 'short', size: 5, control, address: 5 }) ?? new Uint8Array()
}

/** All frames of a readout. */
function readAll(slave: MbusSlave): Uint8Array[] {
  const frames = [ask(slave, sendNke)]
  for (let count = 0; count < 16; count++) {
    const frame = ask(slave, count % 2 === 0 ? firstRequest : secondRequest)
    frames.push(frame)
    if (frame.at(-3) !== 0x1f) break
  }
  return frames
}

function readingsOf(meter: SimulatedMeter, frames: readonly Uint8Array[], entry: unknown = profile) {
  const response = Buffer.concat(frames)
  const decoded = mbus.mbusCodec.decodeEvidence({ request: new Uint8Array(), response, at: now, profile: entry, zone: meter.zone })
  if (!decoded.ok) throw new Error(`${decoded.error.code}: ${decoded.error.message}`)
  return decoded.value
}

t.test('a readout gives the index and 24 month ends, each at its midnight', (t) => {
  const water = meter()
  const frames = readAll(new MbusSlave(water))
  t.equal(frames.length, 3, 'an acknowledgement and two frames')
  const { identity, readings } = readingsOf(water, frames)
  t.same(identity, { id: '12345678', manufacturer: 'KAM', version: 27, medium: 'cold-water' })
  t.equal(readings.length, 25)
  for (const reading of readings) t.equal(reading.raw, water.indexAt(reading.at), toIso(reading.at))
  t.same(
    [readings[0], readings[1], readings[24]].map((reading) => reading && toIso(reading.at)),
    ['2026-11-24T09:00:00.000Z', '2026-10-31T21:00:00.000Z', '2024-11-30T21:00:00.000Z']
  )
  t.end()
})

t.test('a meter has no month end from before it was mounted', (t) => {
  const young = meter({ startedAt: fromIso('2026-10-31T21:00:00Z') })
  t.same(readingsOf(young, readAll(new MbusSlave(young))).readings.length, 2, 'mounted at the very month end')
  const younger = meter({ startedAt: fromIso('2026-10-31T21:00:01Z') })
  t.same(readingsOf(younger, readAll(new MbusSlave(younger))).readings.length, 1)
  t.end()
})

t.test('the same frame count bit gets the same frame, also when time has passed', (t) => {
  let time: number = now
  const slave = new MbusSlave(meter({ clock: { now: () => time as EpochMs } }))
  ask(slave, sendNke)
  const first = ask(slave, firstRequest)
  time += 5 * hourMs
  t.same(ask(slave, firstRequest), first)
  t.notSame(ask(slave, secondRequest), first, 'the other bit gets the next frame')
  ask(slave, sendNke)
  t.notSame(ask(slave, firstRequest), first, 'a reset begins a new readout')
  t.end()
})

t.test('litres, kilowatt-hours and long dials go out in units that M-Bus has', (t) => {
  const heat = meter({ medium: 'heat', unit: 'kWh', scaler: -1, digits: 10, indexAt: () => 9_876_543_210n })
  const energy = { ...profile, registers: [{ ...register, quantity: 'energy', storage: 'current' }] }
  t.match(readingsOf(heat, readAll(new MbusSlave(heat)), energy).readings, [{ raw: 9_876_543_210n, scaler: 2, unit: 'Wh' }])
  const litres = meter({ unit: 'L', scaler: 0 })
  t.match(readingsOf(litres, readAll(new MbusSlave(litres))).readings[0], { scaler: -3, unit: 'm3' })
  t.end()
})

t.test('a meter that M-Bus can not speak for is refused, said why', async (t) => {
  const refused = { code: 'CONFIG_INVALID' }
  t.throws(() => new MbusSlave(meter({ address: '251' })), { ...refused, message: /primary address/ })
  t.throws(() => new MbusSlave(meter({ identity: { id: 'A1', manufacturer: 'KAM' } })), { ...refused, message: /eight digits/ })
  t.throws(() => new MbusSlave(meter({ identity: { id: '12345678' } })), { ...refused, message: /three letters/ })
  t.throws(() => new MbusSlave(meter({ digits: 13 })), { ...refused, message: /12 digits/ })
  t.throws(() => new MbusSlave(meter({ scaler: 6 })), { ...refused, message: /VIF/ })
  t.throws(() => new MbusSlave(meter({ address: '1234567' })), { ...refused, message: /nor a serial number/ })
})

async function line(test: Test, meters: readonly SimulatedMeter[]): Promise<Socket> {
  const bus = await startMbusBus({ host: '127.0.0.1', port: 0, meters })
  const socket = connect(bus.port, '127.0.0.1')
  test.teardown(async () => {
    socket.destroy()
    await bus.close()
  })
  await once(socket, 'connect')
  return socket
}

/** The bytes of the next whole frame. */
async function frameOf(socket: Socket): Promise<Uint8Array> {
  let bytes = Buffer.alloc(0)
  while (!mbus.readFrame(bytes).ok) bytes = Buffer.concat([bytes, ...((await once(socket, 'data')) as Buffer[])])
  return bytes
}

t.test('several meters answer behind one port, each to its own address', async (t) => {
  const socket = await line(t, [meter(), meter({ address: '250', identity: { id: '00000250', manufacturer: 'KAM', version: 1 } })])
  for (const [address, id] of [
    [5, '12345678'],
    [250, '00000250']
  ] as const) {
    socket.write(mbus.encodeShort(sendNke, address))
    t.same(await frameOf(socket), Buffer.of(mbus.acknowledge))
    socket.write(mbus.encodeShort(firstRequest, address))
    t.match(mbus.mbusCodec.describeFrame(await frameOf(socket)), { ok: true, value: { identity: { id } } })
  }
})

t.test('noise and a silent address leave the bus as it was', async (t) => {
  const socket = await line(t, [meter()])
  socket.write(mbus.encodeShort(firstRequest, 77))
  socket.write(Buffer.from('00ff6803', 'hex'))
  socket.write(mbus.encodeShort(sendNke, 5).subarray(0, 2))
  socket.write(mbus.encodeShort(sendNke, 5).subarray(2))
  t.same(await frameOf(socket), Buffer.of(mbus.acknowledge))
})
