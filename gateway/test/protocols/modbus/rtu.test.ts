import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { decodeEvidence, modbus } from '../../../src/codec/index.js'
import { modbusProtocol } from '../../../src/protocols/modbus/driver.js'
import { rtuFraming } from '../../../src/protocols/modbus/framing.js'
import { timingOf } from '../../../src/protocols/modbus/timing.js'
import { failureOf } from '../../support/failure-of.js'
import { pseudoTerminal } from '../../support/pseudo-terminal.js'
import { hex, job, openBus, type Reaction, settableClock, startSlave } from './slave.js'

// Goal: over RTU, which has no transaction identifiers, no other answer passes for the one that was asked for.
// Method: devices that do what real lines do, each answer written out; two requests of the same size follow one another, so
// that an answer which came for the wrong one would be taken for its value.

const zone = 'Europe/Istanbul'
/** Two counters far apart: two requests whose answers differ in nothing but their value. */
const profile = {
  name: 'pair',
  protocol: 'modbus',
  identity: { function: 3, address: 0, count: 2, type: 'u32' },
  registers: [
    { obis: '8-0:1.0.0*255', function: 3, address: 100, type: 'u32', scaler: 0, unit: 'L' },
    { obis: '8-0:2.0.0*255', function: 3, address: 200, type: 'u32', scaler: 0, unit: 'L' }
  ]
}

/** Each register pair holds its own address: 100 at 100. Other functions are refused. */
function right(request: Buffer): Uint8Array {
  const [unit = 0, code = 0] = request
  if (code !== 3) return modbus.encodeRtu(unit, modbus.encodeException(code, 1))
  const address = request.readUInt16BE(2)
  return modbus.encodeRtu(request[0] ?? 0, modbus.encodeReadResponse(3, [0, address === 0 ? 7 : address]))
}

const good: Reaction = (request, socket) => socket.write(right(request))
const damage = (bytes: Uint8Array): Uint8Array => bytes.with(4, (bytes[4] ?? 0) ^ 1)

async function valuesRead(t: Parameters<typeof startSlave>[0], ...reactions: Reaction[]): Promise<unknown> {
  const slave = await startSlave(t, ...reactions, good)
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port, framing: 'rtu' }, { answerWithinMs: 200 })
  const read = await bus.read(job({ profile }))
  await bus.close()
  const decoded = decodeEvidence('modbus', { ...read, profile, zone })
  return decoded.ok ? [decoded.value.identity.id, ...decoded.value.readings.map(({ raw }) => Number(raw))] : decoded.error
}

t.test('the CRC is that of the standard: a request and an answer recorded from a device', (t) => {
  t.same(Buffer.from(modbus.encodeRtu(0x11, hex('03 006B 0003'))).toString('hex'), '1103006b00037687')
  t.match(modbus.parseRtu(hex('11 03 06 AE41 5652 4340 49AD'), 0, 11), { ok: true, value: { unit: 0x11 } })
  t.match(modbus.parseRtu(hex('11 03 06 AE41 5652 4340 49AC'), 0, 11), { ok: false, error: { code: 'MODBUS_CRC', offset: 9 } })
  t.end()
})

t.test('values are right whatever the line does to an answer', async (t) => {
  const late: Reaction = (request, socket) => void setTimeout(() => socket.write(right(request)), 250)
  const reactions: Record<string, Reaction> = {
    'in one piece': good,
    'byte by byte': async (request, socket) => {
      for (const byte of right(request)) {
        socket.write(Uint8Array.of(byte))
        await delay(1)
      }
    },
    'behind an echo': (request, socket) => socket.write(Buffer.concat([request, right(request)])),
    'behind noise': (request, socket) => socket.write(Buffer.concat([hex('00 FF 11 03 04'), right(request)])),
    twice: (request, socket) => socket.write(Buffer.concat([right(request), right(request)])),
    'damaged at first': (request, socket) => socket.write(damage(right(request))),
    "behind another unit's": (request, socket) =>
      socket.write(Buffer.concat([modbus.encodeRtu(18, modbus.encodeReadResponse(3, [9, 9])), right(request)])),
    'half of it': (request, socket) => socket.write(right(request).subarray(0, 5)),
    late: late,
    'not at first': () => {}
  }
  for (const [name, reaction] of Object.entries(reactions)) {
    t.same(await valuesRead(t, reaction), ['7', 100, 200], `the first answer comes ${name}`)
    t.same(await valuesRead(t, good, reaction), ['7', 100, 200], `the second answer comes ${name}`)
  }
})

t.test('an answer that is late for one conversation is none in the next', async (t) => {
  const late: Reaction = (request, socket) => void setTimeout(() => socket.write(right(request)), 250)
  const clock = settableClock()
  const slave = await startSlave(t, good, late, late, good)
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port, framing: 'rtu' }, { answerWithinMs: 100, clock })
  // Register 100 is asked twice in vain, and its answers are still to come when the unit is asked again.
  t.equal((await failureOf(bus.read(job({ profile })))).code, 'NO_ANSWER')
  const second = { ...profile, registers: profile.registers.slice(1) }
  t.match(await failureOf(bus.read(job({ profile: second }))), { code: 'NO_ANSWER', message: /left alone for another 200 ms/ })
  await delay(200)
  clock.add(200)
  const read = await bus.read(job({ profile: second }))
  t.match(decodeEvidence('modbus', { ...read, profile: second, zone }), { ok: true, value: { readings: [{ raw: 200n }] } })
  t.equal(slave.connections(), 1, 'the wire is the same after a new connection: silence is what helps')
})

t.test('an answer that was owed ends the wait for it, and the time that it had does not end another', async (t) => {
  const answers: Reaction[] = [
    good,
    // The second register is asked twice; both answers come behind one another, well before they would be taken for lost.
    (request, socket) => void setTimeout(() => socket.write(right(request)), 450),
    (request, socket) => void setTimeout(() => socket.write(right(request)), 250),
    (request, socket) => void setTimeout(() => socket.write(right(request)), 150)
  ]
  const slave = await startSlave(t, ...answers)
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port, framing: 'rtu' }, { answerWithinMs: 300 })
  const registers = [100, 200, 300, 400, 500].map((address, index) => ({
    ...profile.registers[0],
    obis: `8-0:${index + 1}.0.0*255`,
    address
  }))
  const wide = { ...profile, registers }
  const read = await bus.read(job({ profile: wide }))
  const decoded = decodeEvidence('modbus', { ...read, profile: wide, zone })
  t.match(decoded, { ok: true, value: { readings: [100n, 200n, 300n, 400n, 500n].map((raw) => ({ raw })) } })
  t.notOk(
    slave.requests.some((request) => request.slice(2, 4) === '04'),
    'nothing else had to be asked'
  )
})

// A network that holds everything up and then lets go of it in order: the unit answers one request after the other.
t.test('answers that come later than any wait are none to another question of their size', async (t) => {
  const clock = settableClock()
  const held: (() => void)[] = []
  let stalled = true
  const slave = await startSlave(t, (request, socket) => {
    const answer = (): void => void socket.write(right(request))
    if (stalled || held.length > 0) held.push(answer)
    else answer()
  })
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port, framing: 'rtu' }, { answerWithinMs: 60, clock })
  await failureOf(bus.read(job({ profile })))
  await delay(250)
  clock.add(60_000)
  const reading = bus.read(job({ profile }))
  await delay(20)
  stalled = false
  while (held.length > 0) {
    held[0]?.()
    await delay(15)
    held.shift()
  }
  const read = await reading
  const decoded = decodeEvidence('modbus', { ...read, profile, zone })
  t.match(decoded, { ok: true, value: { identity: { id: '7' }, readings: [{ raw: 100n }, { raw: 200n }] } })
})

t.test('what a line does without end fails with its code and bytes', async (t) => {
  const wrong: [string, Reaction, string][] = [
    ['damaged answers', (request, socket) => socket.write(damage(right(request))), 'MODBUS_CRC'],
    [
      "another unit's answers",
      (_request, socket) => socket.write(modbus.encodeRtu(18, modbus.encodeReadResponse(3, [9, 9]))),
      'MODBUS_UNIT'
    ],
    [
      'too long answers',
      (_request, socket) => socket.write(modbus.encodeRtu(17, modbus.encodeReadResponse(3, [9, 9, 9]))),
      'MODBUS_BYTE_COUNT'
    ],
    ['half answers', (request, socket) => socket.write(right(request).subarray(0, 5)), 'MODBUS_TRUNCATED'],
    ['noise', (_request, socket) => socket.write(hex('00 FF 00 FF 55')), 'MODBUS_NOISE'],
    ['echoes', (request, socket) => socket.write(request), 'NO_ANSWER'],
    ['exceptions', (request, socket) => socket.write(modbus.encodeRtu(17, modbus.encodeException(request[1] ?? 0, 4))), 'MODBUS_EXCEPTION']
  ]
  for (const [name, reaction, code] of wrong) {
    const slave = await startSlave(t, reaction)
    const bus = openBus(t, { host: '127.0.0.1', port: slave.port, framing: 'rtu' }, { answerWithinMs: 60 })
    const failed = await failureOf(bus.read(job({ profile })))
    t.equal(failed.code, code, name)
    t.ok(failed.request.length > 0 && failed.response.length > 0, `${name}: with their bytes`)
    t.ok(slave.requests.length <= 3, `${name}: asked ${slave.requests.length} times`)
    await bus.close()
  }
})

t.test('a line that never stops sending is told, and the connection is made anew', async (t) => {
  const slave = await startSlave(t, (_request, socket) => {
    const babble = setInterval(() => socket.write(Buffer.alloc(64, 0x55)), 5)
    socket.once('close', () => clearInterval(babble))
  })
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port, framing: 'rtu' }, { answerWithinMs: 300 })
  const failed = await failureOf(bus.read(job({ profile })))
  t.match(failed, { code: 'BUS_NOISE', message: /never stops sending/ })
  t.ok(failed.response.length <= 1_100, 'of what came only so much is kept')
  await failureOf(bus.read(job({ profile })))
  t.equal(slave.connections(), 2)
})

t.test('three conversations without a byte make a new connection', async (t) => {
  const clock = settableClock()
  const slave = await startSlave(t, () => {})
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port, framing: 'rtu' }, { answerWithinMs: 20, clock })
  for (const address of ['17', '18', '19', '20']) await failureOf(bus.read(job({ address, profile })))
  t.equal(slave.connections(), 2)
  t.same(
    slave.requests.map((request) => request.slice(0, 2)),
    ['11', '11', '12', '12', '13', '13', '14', '14'],
    'one more try for a unit that was not silent before'
  )
  clock.add(40)
  await failureOf(bus.read(job({ address: '17', profile })))
  t.equal(slave.requests.length, 9, 'and none for one that was')
})

t.test('a serial port is read by the same frames, and broadcast is never asked', async (t) => {
  const slave = await startSlave(t, good)
  const path = await pseudoTerminal(t, slave.port)
  const bus = openBus(t, { serial: { path, baudRate: 9_600 } })
  const read = await bus.read(job({ profile }))
  t.match(decodeEvidence('modbus', { ...read, profile, zone }), { ok: true, value: { readings: [{ raw: 100n }, { raw: 200n }] } })
  t.equal((await failureOf(bus.read(job({ address: '0', profile })))).code, 'MODBUS_ADDRESS')
  t.equal((await failureOf(bus.read(job({ address: '255', profile })))).code, 'MODBUS_ADDRESS')
  t.equal(slave.requests.length, 3)
  await bus.close()
})

t.test("waits follow from the line's speed unless the site says otherwise", (t) => {
  const serial = { kind: 'serial', path: '/dev/x', parity: 'even', dataBits: 8, stopBits: 1 } as const
  const slow = timingOf({ ...serial, baudRate: 1_200 }, undefined)
  t.equal(slow.gapMs, 33, '3.5 characters of 11 bits at 1200 bps are 32.1 ms')
  t.equal(slow.answerWithinMs(8, 255), 3_411, 'a second, and 263 characters')
  t.equal(timingOf({ ...serial, baudRate: 115_200 }, undefined).gapMs, 2, 'fixed above 19200 bps')
  t.equal(timingOf({ ...serial, baudRate: 1_200 }, 500).answerWithinMs(8, 255), 500)
  t.equal(timingOf({ kind: 'tcp', host: 'a', port: 502 }, undefined).answerWithinMs(8, 255), 3_000)
  t.end()
})

t.test('an answer is found wherever it stands, and only a whole one', (t) => {
  const sent = rtuFraming.send(0, 17, modbus.encodeReadRequest({ function: 3, address: 100, count: 2 }))
  const answer = modbus.encodeRtu(17, modbus.encodeReadResponse(3, [0, 100]))
  for (const before of [hex(''), sent.bytes, hex('11'), hex('11 03'), hex('11 83 02'), hex('00 11 03 04 00 00')]) {
    for (let length = 0; length < answer.length; length += 1) {
      const verdict = rtuFraming.judge(sent, Buffer.concat([before, answer.subarray(0, length)]))
      if (verdict.kind !== 'wait') t.fail(`${length} bytes are taken for an answer`)
    }
    t.match(rtuFraming.judge(sent, Buffer.concat([before, answer, hex('FF')])), { kind: 'answer', frame: { offset: before.length } })
  }
  t.match(rtuFraming.judge(sent, modbus.encodeRtu(17, hex('83 02'))), { kind: 'answer' })
  t.match(rtuFraming.judge(sent, modbus.encodeRtu(17, hex('84 02'))), { kind: 'wait', failure: { code: 'MODBUS_FUNCTION' } })
  t.end()
})

t.test('unit addresses of a site are those that a converter can have', (t) => {
  for (const address of ['0', '1', '247', '255']) t.ok(modbusProtocol.addressPattern.test(address), address)
  for (const address of ['00', '248', '256', '-1', 'a', '']) t.notOk(modbusProtocol.addressPattern.test(address), address)
  t.end()
})
