import { createConnection } from 'node:net'
import { isAppError } from '@endeks/domain/errors'
import { type EpochMs, fromIso } from '@endeks/domain/time'
import { decodeEvidence, modbus } from '@endeks/gateway/codec'
import t from 'tap'
import { checkSimulatedSite, startSite } from '../../src/site/index.js'

const meter = {
  address: '5',
  serial: 'LOG-000123',
  manufacturer: 'END',
  version: 1,
  medium: 'cold-water',
  scaler: -3,
  digits: 8,
  startedAt: '2025-09-01',
  initialIndex: 1_000,
  shape: {
    type: 'fixed',
    points: [
      { at: '2025-10-01T00:00:00+03:00', raw: 20_000 },
      { at: '2025-11-01T00:00:00+03:00', raw: 70_000 },
      { at: '2025-11-10T12:00:00+03:00', raw: 77_777 }
    ]
  }
}
const bus = { name: 'loggers', protocol: 'modbus', host: '127.0.0.1', port: 0, meters: [meter] }
const site = { zone: 'Europe/Istanbul', buses: [bus] }

const profile = {
  name: 'as-documented',
  protocol: 'modbus',
  identity: { function: 3, address: 0, count: 8, type: 'ascii' },
  registers: [{ obis: '8-0:1.0.0*255', function: 3, address: 16, type: 'u32', scaler: -3, unit: 'm3' }],
  history: {
    function: 3,
    address: 256,
    entries: 24,
    stride: 4,
    timestamp: { offset: 0, type: 'date-bcd' },
    values: [{ obis: '8-0:1.0.0*255', offset: 2, type: 'u32', scaler: -3, unit: 'm3' }]
  }
}

function pathsOf(value: unknown): string[] {
  try {
    checkSimulatedSite(value)
  } catch (thrown) {
    if (!isAppError(thrown, 'CONFIG_INVALID')) throw thrown
    return (thrown.details['problems'] as { path: string }[]).map(({ path }) => path)
  }
  return []
}

/** Sends bytes in two halves and gives back what came until `length` bytes or the end. */
function converse(port: number, bytes: Uint8Array, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.write(bytes.subarray(0, 5))
      setImmediate(() => socket.write(bytes.subarray(5)))
    })
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length >= length) socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(received))
  })
}

t.test('every problem of a simulated site is listed with its path', async (t) => {
  t.same(pathsOf(site), [])
  const shapes = pathsOf({ ...site, buses: [{ ...bus, meters: [{ ...meter, shape: { type: 'square' }, medium: 'beer' }] }] })
  t.ok(shapes.includes('/buses/0/meters/0/medium'))
  t.ok(shapes.some((path) => path.startsWith('/buses/0/meters/0/shape')))
  const wrong = { ...meter, startedAt: '2025-02-30', initialIndex: 1_000_000_000 }
  t.same(
    pathsOf({
      ...site,
      buses: [
        { ...bus, meters: [meter, wrong] },
        { ...bus, protocol: 'morse' }
      ]
    }).sort(),
    ['/buses/0/meters/1/address', '/buses/0/meters/1/initialIndex', '/buses/0/meters/1/startedAt', '/buses/1/name', '/buses/1/protocol']
  )
})

t.test('faults and options are held against the bus and the meter that they are for', async (t) => {
  const onBus = (faults: unknown, more: object = {}): string[] => pathsOf({ ...site, buses: [{ ...bus, ...more, faults }] })
  t.same(onBus([{ type: 'echo' }, { type: 'late', byMs: 5, every: 2, from: '2026-01-01T00:00:00Z' }]), [])
  t.same(onBus([{ type: 'hum' }]), ['/buses/0/faults/0/type'])
  t.same(onBus([{ type: 'lie', about: 'index' }]), ['/buses/0/faults/0/type'], 'a line does not lie')
  t.same(onBus([{ type: 'late' }, { type: 'noise', place: 'above', bytes: 0 }]).sort(), [
    '/buses/0/faults/0/byMs',
    '/buses/0/faults/1/bytes',
    '/buses/0/faults/1/place'
  ])
  t.same(
    onBus([
      { type: 'echo', from: '2026-02-30T00:00:00Z' },
      { type: 'echo', from: '2026-03-01T00:00:00Z', to: '2026-03-01T00:00:00Z' }
    ]),
    ['/buses/0/faults/0/from', '/buses/0/faults/1/to']
  )
  const onMeter = (more: object, protocol = 'mbus'): string[] =>
    pathsOf({ ...site, buses: [{ ...bus, protocol, meters: [{ ...meter, serial: '12345678', ...more }] }] })
  const exchanged = { type: 'exchanged', at: '2025-08-01T00:00:00Z', serial: '12345678', initialIndex: 100_000_000 }
  const here = '/buses/0/meters/0'
  t.same(onMeter({ faults: [exchanged] }), [`${here}/faults/0/initialIndex`, `${here}/faults/0/at`, `${here}/faults/0/serial`])
  const unsayable = { ...exchanged, at: '2025-10-01T00:00:00Z', serial: 'LOG-2', initialIndex: 0 }
  t.same(onMeter({ faults: [unsayable] }), [`${here}/faults/0`], 'M-Bus has no such serial number')
  t.same(onMeter({ faults: [{ type: 'wrong-key' }] }), [`${here}/faults/0`])
  t.same(onMeter({ faults: [{ type: 'wrong-key' }], mbus: { key: '00'.repeat(16) } }), [])
  t.same(onMeter({ faults: [{ type: 'foreign', address: '5' }] }), [`${here}/faults/0/address`], 'not its own')
  t.same(onMeter({ mbus: { months: 3 } }, 'modbus'), [`${here}/mbus`])
  t.same(onMeter({ serial: 'LOG-1' }), [here], 'M-Bus has numbers only')
  t.same(onMeter({ address: '0' }, 'dlms'), [here], 'no wPort')
  t.same(onMeter({ address: '256' }, 'modbus'), [here], 'no unit')
  t.same(onMeter({ mbus: { key: 'secret', months: 25 } }), [`${here}/mbus/months`, `${here}/mbus/key`])
})

t.test('a planted value and its month ends are read back from the registers', async (t) => {
  const now = fromIso('2025-11-10T12:00:01+03:00')
  const running = await startSite(checkSimulatedSite(site), { now: (): EpochMs => now })
  t.teardown(() => running.stop())
  const ranges = [
    { function: 3, address: 0, count: 8 },
    { function: 3, address: 16, count: 2 },
    { function: 3, address: 256, count: 96 }
  ] as const
  const request = Buffer.concat(ranges.map((range, index) => modbus.encodeAdu(index, 5, modbus.encodeReadRequest(range))))
  const response = await converse(running.ports.get('loggers') ?? 0, request, 9 * 3 + 106 * 2)
  const decoded = decodeEvidence('modbus', { request, response, at: now, profile, zone: 'Europe/Istanbul' })
  if (!decoded.ok) return t.fail(decoded.error.message)
  t.equal(decoded.value.identity.id, 'LOG-000123')
  t.same(
    decoded.value.readings.map(({ at, raw }) => [at, raw]),
    [
      [now, 77_777n],
      [fromIso('2025-11-01T00:00:00+03:00'), 70_000n],
      [fromIso('2025-10-01T00:00:00+03:00'), 20_000n],
      [fromIso('2025-09-01T00:00:00+03:00'), 1_000n]
    ]
  )
})

t.test('what a logger does not have is refused, and noise closes the connection', async (t) => {
  const running = await startSite(checkSimulatedSite(site), { now: (): EpochMs => fromIso('2025-11-10T12:00:01+03:00') })
  t.teardown(() => running.stop())
  const port = running.ports.get('loggers') ?? 0
  const exceptionOf = async (unit: number, pdu: Uint8Array): Promise<number | undefined> =>
    (await converse(port, modbus.encodeAdu(1, unit, pdu), 9)).at(8)
  t.equal(await exceptionOf(5, modbus.encodeReadRequest({ function: 3, address: 7, count: 2 })), 2, 'beyond a block')
  t.equal(await exceptionOf(5, modbus.encodeReadRequest({ function: 4, address: 0, count: 2 })), 2, 'no input registers')
  t.equal(await exceptionOf(5, Uint8Array.of(6, 0, 0, 0, 1)), 1, 'nothing can be written')
  t.equal(await exceptionOf(9, modbus.encodeReadRequest({ function: 3, address: 0, count: 2 })), 11, 'nobody at this address')
  t.equal((await converse(port, Buffer.alloc(400, 0xff), 1)).length, 0)
})

t.test('a port in use is named, and the buses before it are closed again', async (t) => {
  const running = await startSite(checkSimulatedSite(site), { now: (): EpochMs => 0 as EpochMs })
  t.teardown(() => running.stop())
  const taken = running.ports.get('loggers') ?? 0
  const second = checkSimulatedSite({ ...site, buses: [bus, { ...bus, name: 'second', port: taken }] })
  await t.rejects(startSite(second, { now: (): EpochMs => 0 as EpochMs }), { code: 'PORT_TAKEN', message: new RegExp(String(taken)) })
})
