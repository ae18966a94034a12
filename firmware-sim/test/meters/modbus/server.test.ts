import { createConnection } from 'node:net'
import { type EpochMs, fromIso } from '@endeks/domain/time'
import { decodeEvidence, modbus } from '@endeks/gateway/codec'
import t, { type Test } from 'tap'
import type { ModbusBusOptions } from '../../../src/meters/modbus/options.js'
import { RtuRequests } from '../../../src/meters/modbus/rtu-requests.js'
import { checkSimulatedSite, startSite } from '../../../src/site/index.js'

const now = fromIso('2025-11-10T12:00:01+03:00')
const zone = 'Europe/Istanbul'
const meter = {
  address: '5',
  serial: '20251234',
  manufacturer: 'END',
  version: 3,
  medium: 'cold-water',
  scaler: -2,
  digits: 7,
  startedAt: '2025-09-01',
  initialIndex: 1_000,
  shape: { type: 'fixed', points: [{ at: '2025-11-10T12:00:00+03:00', raw: 123_456 }] }
}

async function start(t: Test, own: ModbusBusOptions, change: Record<string, unknown> = {}): Promise<number> {
  const buses = [{ name: 'line', protocol: 'modbus', host: '127.0.0.1', port: 0, modbus: own, meters: [{ ...meter, ...change }] }]
  const running = await startSite(checkSimulatedSite({ zone, buses }), { now: (): EpochMs => now })
  t.teardown(() => running.stop())
  return running.ports.get('line') ?? 0
}

/** Sends bytes and gives back what came until `length` bytes or the end. */
function converse(port: number, bytes: Uint8Array, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    const socket = createConnection(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length >= length) socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(received))
  })
}

const read = (code: 2 | 3 | 4, address: number, count: number): Uint8Array => modbus.encodeReadRequest({ function: code, address, count })

/** The PDU that comes back from unit 5. */
async function answerOf(port: number, pdu: Uint8Array): Promise<string> {
  const received = await converse(port, modbus.encodeAdu(1, 5, pdu), 9)
  const adu = modbus.parseAdu(received, 0)
  return adu.ok ? Buffer.from(adu.value.pdu).toString('hex') : adu.error.code
}

t.test('every map holds the dial, in each form that it has', async (t) => {
  const register = { obis: '8-0:1.0.0*255', scaler: -2, unit: 'm3' }
  const ascii = { function: 3, address: 0, count: 8, type: 'ascii' }
  const orders = [
    { wordOrder: 'big', byteOrder: 'big' },
    { wordOrder: 'little', byteOrder: 'big' },
    { wordOrder: 'big', byteOrder: 'little' },
    { wordOrder: 'little', byteOrder: 'little' }
  ]
  const serial = { function: 3, address: 5, count: 2, type: 'u32' }
  const cases = [
    { map: 'logger', identity: ascii, registers: [{ ...register, function: 3, address: 16, type: 'u32' }] },
    ...orders.map((order, index) => ({
      map: 'float' as const,
      identity: ascii,
      registers: [{ ...register, ...order, function: 4, address: index * 2, type: 'f32' }]
    })),
    {
      map: 'wide',
      identity: serial,
      registers: [{ ...register, function: 3, address: 0, type: 'u64', scaler: { function: 3, address: 4, type: 'i16' } }]
    },
    { map: 'wide', identity: serial, registers: [{ ...register, function: 3, address: 7, type: 'bcd64' }] }
  ] as const
  for (const { map, identity, registers } of cases) {
    const profile: unknown = { name: 'tried', protocol: 'modbus', identity, registers }
    if (!modbus.isModbusProfile(profile)) return t.fail(`the profile for ${map} does not fit its schema`)
    t.same(modbus.modbusCodec.checkProfile(profile), [])
    const port = await start(t, { map, framing: 'rtu' })
    const ranges = modbus.planReads(profile, false)
    const request = Buffer.concat(ranges.map((range) => modbus.encodeRtu(5, modbus.encodeReadRequest(range))))
    const size = ranges.reduce((sum, range) => sum + 5 + modbus.answerBytes(range), 0)
    const response = await converse(port, request, size)
    t.match(decodeEvidence('modbus', { request, response, at: now, profile, zone }), {
      ok: true,
      value: { identity: { id: '20251234' }, readings: [{ raw: 123_456n, scaler: -2 }] }
    })
  }
})

t.test('exceptions are those of the standard', async (t) => {
  const port = await start(t, { map: 'float' })
  t.equal(await answerOf(port, Uint8Array.of(6, 0, 0, 0, 1)), '8601', 'no such function')
  t.equal(await answerOf(port, read(4, 7, 2)), '8402', 'beyond the registers')
  t.equal(await answerOf(port, read(4, 65_535, 2)), '8402', 'beyond all registers')
  t.equal(await answerOf(port, Uint8Array.of(4, 0, 0, 0, 126)), '8403', 'more than one answer holds')
  t.equal(await answerOf(port, Uint8Array.of(4, 0, 0, 0, 0)), '8403')
  t.equal(await answerOf(port, read(2, 0, 8)), '020100', 'eight inputs in a byte')
  t.equal((await converse(port, modbus.encodeAdu(1, 6, read(3, 0, 1)), 9)).at(8), 11, 'nobody at this unit')
  t.equal(await answerOf(port, Uint8Array.of(0x2b, 0x0d, 1, 0)), 'ab03', 'another interface')
  const busy = await start(t, {
    refusals: [
      { address: '5', exception: 6, first: 1 },
      { address: '7', exception: 4 }
    ]
  })
  t.equal(await answerOf(busy, read(3, 16, 2)), '8306')
  t.equal(await answerOf(busy, read(3, 16, 2)), '03040001e240')
  const failed = await start(t, { refusals: [{ address: '5', exception: 4 }] })
  for (const _ of [1, 2]) t.equal(await answerOf(failed, read(3, 16, 2)), '8304')
})

t.test('a unit says who made it', async (t) => {
  const port = await start(t, {})
  const received = await converse(port, modbus.encodeAdu(1, 5, modbus.encodeIdentificationRequest(0)), 20)
  const adu = modbus.parseAdu(received, 0)
  t.same(adu.ok && modbus.parseIdentification(adu.value), {
    ok: true,
    value: {
      objects: [
        { id: 0, text: 'END' },
        { id: 1, text: 'logger' },
        { id: 2, text: '3' }
      ],
      next: undefined
    }
  })
})

t.test('on a line nobody answers a broadcast, an absent unit or a damaged request', async (t) => {
  const port = await start(t, { framing: 'rtu' })
  const request = modbus.encodeRtu(5, read(3, 16, 2))
  const others = [modbus.encodeRtu(0, read(3, 16, 2)), modbus.encodeRtu(6, read(3, 16, 2)), request.with(7, request[7] ? 0 : 1)]
  const received = await converse(port, Buffer.concat([...others, request]), 9)
  t.equal(Buffer.from(received.subarray(0, 7)).toString('hex'), '0503040001e240')
  t.equal(received.length, 9)
})

t.test('requests are found behind noise, in pieces, and with functions that nobody knows', (t) => {
  const request = modbus.encodeRtu(5, read(3, 16, 2))
  const unknown = modbus.encodeRtu(5, Uint8Array.of(0x65, 1, 2, 3))
  const found = (...chunks: Uint8Array[]): number[] => {
    const requests = new RtuRequests()
    return chunks.flatMap((chunk) => requests.push(chunk)).map(({ pdu }) => pdu[0] ?? 0)
  }
  t.same(found(request, unknown, request), [3, 0x65, 3])
  t.same(found(...Array.from(request, (byte) => Uint8Array.of(byte))), [3])
  t.same(found(Uint8Array.of(0, 0xff, 5, 3, 0), request), [3])
  t.same(found(Buffer.alloc(10_000, 0x55), request), [3], 'what is held of noise is bounded')
  t.end()
})

t.test('what Modbus or a map cannot say is refused at the start', async (t) => {
  const refused = async (own: ModbusBusOptions, change: Record<string, unknown>, why: RegExp): Promise<void> => {
    await t.rejects(start(t, own, change), { code: 'CONFIG_INVALID', message: why })
  }
  await refused({}, { address: '256' }, /no unit identifier/)
  await refused({ framing: 'rtu' }, { address: '0' }, /serial line: 1 to 247/)
  await refused({ framing: 'rtu' }, { address: '255' }, /serial line/)
  await refused({ map: 'float' }, { digits: 8 }, /digits is at most 7/)
  await refused({ map: 'logger' }, { digits: 10 }, /digits is at most 9/)
  await refused({ map: 'wide' }, { serial: 'ABC' }, /none of 32 bits/)
})

t.test('a dial that lies shows all ones, and a date that is none', async (t) => {
  const port = await start(
    t,
    {},
    {
      faults: [
        { type: 'lie', about: 'index' },
        { type: 'lie', about: 'date' }
      ]
    }
  )
  t.equal(await answerOf(port, read(3, 16, 2)), '0304ffffffff')
  t.match(await answerOf(port, read(3, 256, 2)), /^030420250231/)
  const erring = await start(t, {}, { faults: [{ type: 'application-error', code: 4 }] })
  t.equal(await answerOf(erring, read(3, 16, 2)), '8304')
})
