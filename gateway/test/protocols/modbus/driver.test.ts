import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import modbusSerial from 'modbus-serial'
import t from 'tap'
import { Value } from 'typebox/value'
import { decodeEvidence, modbus } from '../../../src/codec/index.js'
import { modbusProtocol } from '../../../src/protocols/modbus/driver.js'
import { failureOf } from '../../support/failure-of.js'
import { profile } from './profile.js'
import { hex, job, openBus, portOf, settableClock, startSlave } from './slave.js'

const zone = 'Europe/Istanbul'

/** A port that was free a moment ago: modbus-serial's server takes no 0. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const port = portOf(server)
  server.close()
  await once(server, 'close')
  return port
}

t.test('a bus is a converter with one of two framings, or a serial port with one', (t) => {
  const serial = { path: '/dev/ttyUSB0', baudRate: 9_600 }
  const fits = (bus: unknown): boolean => Value.Check(modbusProtocol.busSchema, bus)
  t.ok(fits({ host: 'a', port: 502 }))
  t.ok(fits({ host: 'a', port: 502, framing: 'rtu' }))
  t.ok(fits({ serial }))
  t.ok(fits({ serial, framing: 'rtu' }))
  t.notOk(fits({ serial, framing: 'tcp' }))
  t.notOk(fits({ serial, host: 'a', port: 502 }))
  t.notOk(fits({ host: 'a' }))
  t.end()
})

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
  t.teardown(() => server.close(() => {}))
  const bus = openBus(t, { host: '127.0.0.1', port })
  const current = await bus.read(job())
  t.equal(current.request.length, 24, 'two requests')
  const decoded = decodeEvidence('modbus', { ...current, profile, zone })
  t.same(decoded.ok && decoded.value.readings.map(({ raw }) => raw), [123_456n, 1_234n])
  const history = await bus.read(job({ history: true }))
  const stored = decodeEvidence('modbus', { ...history, profile, zone })
  t.same(stored.ok && stored.value.readings.map(({ raw }) => raw), [123_456n, 1_234n, 65_536n])
  await bus.close()
})

t.test('a device that is silent, refuses, answers for another, lies or closes fails the read with its bytes', async (t) => {
  const clock = settableClock()
  const slave = await startSlave(
    t,
    () => {},
    (request, socket) => socket.write(Buffer.from([request[0] ?? 0, request[1] ?? 0, 0, 0, 0, 3, 17, 0x83, 2])),
    (request, socket) => socket.write(Buffer.from([request[0] ?? 0, request[1] ?? 0, 0, 0, 0, 5, 18, 3, 2, 0, 0])),
    (_request, socket) => socket.write(hex('FFFF FFFF FFFF FFFF')),
    (_request, socket) => socket.write(hex('7777 0000 0005 11 03 02 0000')),
    (_request, socket) => socket.destroy()
  )
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port }, { answerWithinMs: 150, clock })
  const silent = await failureOf(bus.read(job()))
  t.equal(silent.code, 'NO_ANSWER')
  t.equal(Buffer.from(silent.request).toString('hex'), '000100000006110300000006')
  const refused = await failureOf(bus.read(job()))
  t.equal(refused.code, 'MODBUS_EXCEPTION')
  t.equal(refused.response.length, 9)
  t.equal((await failureOf(bus.read(job()))).code, 'MODBUS_UNIT')
  const lying = await failureOf(bus.read(job()))
  t.equal(lying.code, 'MODBUS_PROTOCOL_ID')
  t.equal(lying.response.length, 8)
  t.equal((await failureOf(bus.read(job()))).code, 'MODBUS_TRANSACTION', "another question's answer")
  t.equal((await failureOf(bus.read(job()))).code, 'BUS_BROKEN')
  t.equal(slave.connections(), 5, 'every failure but a refusal ended the connection')
})

t.test('an answer with bytes put in is known by what is left over of it, and the next answer is taken', async (t) => {
  const whole = (request: Buffer): Buffer => {
    const length = 3 + 2 * request.readUInt16BE(10)
    return Buffer.from([
      request[0] ?? 0,
      request[1] ?? 0,
      0,
      0,
      0,
      length,
      request[6] ?? 0,
      request[7] ?? 0,
      length - 3,
      ...Buffer.alloc(length - 3, 1)
    ])
  }
  const slave = await startSlave(
    t,
    (request, socket) => socket.write(Buffer.concat([whole(request).subarray(0, 10), Buffer.of(9), whole(request).subarray(10)])),
    (request, socket) => socket.write(whole(request))
  )
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port })
  const surplus = await failureOf(bus.read(job()))
  t.equal(surplus.code, 'MODBUS_LENGTH')
  t.match(surplus.message, /1 bytes came behind the answer/)
  await bus.read(job())
  t.equal(slave.connections(), 2, 'what else is on its way goes with the connection')
})

t.test('the rest of an answer that comes in a segment of its own is seen as well', async (t) => {
  const volume = { obis: '8-0:1.0.0*255', function: 3, address: 2, type: 'u32', scaler: 0, unit: 'L' }
  const profile = { name: 'one', protocol: 'modbus', identity: { function: 3, address: 0, count: 2, type: 'u32' }, registers: [volume] }
  const split = (request: Buffer, socket: Socket): void => {
    const count = request.readUInt16BE(10)
    const answer = modbus.encodeAdu(
      request.readUInt16BE(0),
      request[6] ?? 0,
      modbus.encodeReadResponse(
        3,
        Array.from({ length: count }, () => 0x0101)
      )
    )
    socket.write(Buffer.concat([answer.subarray(0, 12), Buffer.of(9), answer.subarray(12, -1)]))
    setTimeout(() => socket.write(answer.subarray(-1)), 2)
  }
  const slave = await startSlave(t, split, (request, socket) => {
    socket.write(modbus.encodeAdu(request.readUInt16BE(0), request[6] ?? 0, modbus.encodeReadResponse(3, [0, 7, 0, 9])))
  })
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port })
  t.match(await failureOf(bus.read(job({ profile }))), { code: 'MODBUS_LENGTH', message: /1 bytes came behind the answer/ })
  t.match(decodeEvidence('modbus', { ...(await bus.read(job({ profile }))), profile, zone: 'UTC' }), {
    ok: true,
    value: { readings: [{ raw: 9n }] }
  })
  t.equal(slave.connections(), 2)
})

t.test('a unit that is busy is asked again, and a converter without its unit is not', async (t) => {
  const refusing = (exception: number) => (request: Buffer) =>
    Buffer.from([request[0] ?? 0, request[1] ?? 0, 0, 0, 0, 3, request[6] ?? 0, 0x80 | (request[7] ?? 0), exception])
  const asked = new Map<number, number>()
  const slave = await startSlave(t, (request, socket) => {
    const unit = request[6] ?? 0
    const count = (asked.get(unit) ?? 0) + 1
    asked.set(unit, count)
    if (unit === 18) return socket.write(refusing(11)(request))
    if (unit === 19 || count <= 2) return socket.write(refusing(unit === 17 && count === 1 ? 5 : 6)(request))
    const size = 2 * request.readUInt16BE(10)
    return socket.write(
      Buffer.concat([request.subarray(0, 4), Uint8Array.of(0, 3 + size, 17, request[7] ?? 0, size), Buffer.alloc(size, 0x31)])
    )
  })
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port })
  const read = await bus.read(job())
  t.equal(asked.get(17), 4)
  t.equal(decodeEvidence('modbus', { ...read, profile, zone }).ok, true, 'what was asked in vain is no evidence')
  t.match(await failureOf(bus.read(job({ address: '18' }))), { code: 'MODBUS_EXCEPTION', message: /exception 11/ })
  t.equal(asked.get(18), 1)
  t.match(await failureOf(bus.read(job({ address: '19' }))), { code: 'MODBUS_EXCEPTION', message: /exception 6/ })
  t.equal(asked.get(19), 4)
  t.equal(slave.connections(), 1)
})

t.test('a unit that stays silent is left alone, for longer each time, and an answer ends that', async (t) => {
  const clock = settableClock()
  const slave = await startSlave(t, () => {})
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port }, { answerWithinMs: 30, clock })
  for (const expected of [1, 2]) {
    await failureOf(bus.read(job()))
    t.equal(slave.requests.length, expected)
  }
  t.match(await failureOf(bus.read(job())), { code: 'NO_ANSWER', message: /left alone for another 1000 ms after 2 conversations/ })
  t.match(await failureOf(bus.read(job({ address: '18' }))), { message: /nothing came from unit 18/ }, 'another unit is asked')
  clock.add(1_000)
  await failureOf(bus.read(job()))
  t.match(await failureOf(bus.read(job())), { message: /another 2000 ms after 3/ })
  t.equal(slave.requests.length, 4)
})

t.test('a bus that is not there and a read called off fail with their code', async (t) => {
  const bus = openBus(t, { host: '127.0.0.1', port: await freePort() }, { answerWithinMs: 500 })
  t.match(await failureOf(bus.read(job())), { code: 'BUS_UNREACHABLE', message: /can't be reached/ })
  t.match(await failureOf(bus.read(job())), { code: 'BUS_UNREACHABLE', message: /left alone/ })
  const stop = new AbortController()
  const slave = await startSlave(t, () => stop.abort())
  const mute = openBus(t, { host: '127.0.0.1', port: slave.port }, { answerWithinMs: 60_000 })
  t.equal((await failureOf(mute.read(job({ signal: stop.signal })))).code, 'READ_ABORTED')
  t.equal((await failureOf(mute.read(job({ profile: {} })))).code, 'MODBUS_PROFILE')
  const closing = failureOf(mute.read(job()))
  await mute.close()
  t.match(await closing, { code: 'READ_ABORTED', message: /closed/ })
})

t.test('reads, probes and scans take turns', async (t) => {
  let underway = 0
  let most = 0
  const slave = await startSlave(t, (request, socket) => {
    underway += 1
    most = Math.max(most, underway)
    setTimeout(() => {
      underway -= 1
      socket.write(Buffer.concat([request.subarray(0, 4), Uint8Array.of(0, 3, request[6] ?? 0, 0x80 | (request[7] ?? 0), 2)]))
    }, 5)
  })
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port })
  const probe = { address: '17', zone, profiles: [{ name: 'test-logger', value: profile }], signal: new AbortController().signal }
  await Promise.all([failureOf(bus.read(job())), bus.probe(probe), failureOf(bus.read(job({ address: '18' })))])
  t.equal(most, 1)
})
