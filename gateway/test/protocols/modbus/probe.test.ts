import t from 'tap'
import { modbus } from '../../../src/codec/index.js'
import type { Sighting } from '../../../src/protocols/protocol.js'
import { failureOf } from '../../support/failure-of.js'
import { profile } from './profile.js'
import { openBus, type Reaction, startSlave } from './slave.js'

const zone = 'Europe/Istanbul'
const signal = new AbortController().signal

/** The registers of `profile` at unit 17 of a line; others are silent. */
const meter: Reaction = (request, socket) => {
  if (request[0] !== 17) return
  const [code = 0, address] = [request[1], request.readUInt16BE(2)]
  if (code === modbus.identificationFunction) {
    // In two answers, as a device whose texts do not fit one.
    const objects = [
      { id: 0, text: 'Elster' },
      { id: 1, text: 'LOG' },
      { id: 2, text: '1.4' }
    ]
    const first = request[4] === 0
    const pdu = modbus.encodeIdentificationResponse(first ? objects.slice(0, 1) : objects.slice(1), 1)
    if (first) pdu.set([0xff, 1], 4)
    socket.write(modbus.encodeRtu(17, pdu))
  } else if (code === 3 && address + request.readUInt16BE(4) <= 6) {
    const all = [0x4142, 0x3132, 0x3300, 0, 1, 0xe240]
    socket.write(modbus.encodeRtu(17, modbus.encodeReadResponse(3, all.slice(address, address + request.readUInt16BE(4)))))
  } else if (code === 4 && address === 10) socket.write(modbus.encodeRtu(17, modbus.encodeReadResponse(4, [1_234])))
  else socket.write(modbus.encodeRtu(17, modbus.encodeException(code, 2)))
}

const counter = { obis: '8-0:1.0.0*255', function: 3, address: 4, type: 'u32', scaler: -3, unit: 'm3' } as const
const profiles = [
  { name: 'elsewhere', value: { ...profile, registers: [{ ...counter, address: 40 }] } },
  { name: 'smaller', value: { ...profile, history: undefined, registers: [counter] } },
  { name: 'whole', value: profile },
  { name: 'named', value: { ...profile, history: undefined, device: { manufacturer: 'ELSTER' }, registers: [counter] } },
  {
    name: 'no-number',
    value: {
      ...profile,
      identity: { function: 3, address: 3, count: 2, type: 'u32' },
      registers: [{ ...counter, address: 5, type: 'i16' }]
    }
  },
  { name: 'other-protocol', value: { protocol: 'mbus' } }
].map(({ name, value }) => ({ name, value: JSON.parse(JSON.stringify(value)) as unknown }))

t.test('a probe says what a unit calls itself, which profiles fit and why others do not', async (t) => {
  const slave = await startSlave(t, meter)
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port, framing: 'rtu' }, { answerWithinMs: 100 })
  const found = await bus.probe({ address: '17', zone, profiles, signal })
  t.same(found.profiles, ['named', 'whole', 'smaller'], 'first the one made for this device, then by what is read')
  t.same(found.identity, { id: 'AB123', manufacturer: 'Elster', medium: 'cold-water' })
  t.match(found.offers.slice(0, 4), [
    'vendor: Elster',
    'product: LOG',
    'revision: 1.4',
    'as named: AB123, 8-0:1.0.0*255 = 123456 x 10^-3 m3'
  ])
  t.match(
    found.offers.find((each) => each.startsWith('not elsewhere')),
    /exception 2 \(illegal data address\)/
  )
  t.match(
    found.offers.find((each) => each.startsWith('not no-number')),
    /would be -7616/
  )
  t.ok(found.request.length > 0 && found.response.length > 0)
  t.equal(new Set(slave.requests).size, slave.requests.length, 'nothing is asked twice')
  t.equal((await failureOf(bus.probe({ address: '18', zone, profiles, signal }))).code, 'NO_ANSWER')
  const gas = { ...profile, name: 'gas', identity: { ...profile.identity, medium: 'gas' } }
  const both = [...profiles.filter(({ name }) => name === 'whole'), { name: 'gas', value: gas }]
  const unsure = await bus.probe({ address: '17', zone, profiles: both, signal })
  t.same(unsure.profiles, ['whole', 'gas'])
  t.same(unsure.identity, { id: 'AB123', manufacturer: 'Elster' }, 'two profiles fit alike, and their media differ')
  t.ok(slave.requests.filter((request) => request.startsWith('12')).length <= 3, 'a silent unit is soon given up')
})

t.test('a scan tells the units that answer, whatever they answer', async (t) => {
  const slave = await startSlave(t, (request, socket) => {
    const [transaction, unit = 0, code = 0] = [request.subarray(0, 2), request[6], request[7]]
    const pdu =
      unit === 17 && code === 3
        ? modbus.encodeReadResponse(3, [1])
        : unit === 17
          ? modbus.encodeIdentificationResponse([{ id: 0, text: 'END' }], 1)
          : modbus.encodeException(code, unit === 200 ? 1 : 11)
    socket.write(modbus.encodeAdu(transaction.readUInt16BE(0), unit, pdu))
  })
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port }, { answerWithinMs: 500 })
  const seen: Sighting[] = []
  const progress: [number, number | undefined][] = []
  for await (const each of bus.scan({ signal, progress: (tried, of) => progress.push([tried, of]) })) seen.push(each)
  t.match(seen, [
    { address: '17', trouble: /vendor END/ },
    { address: '200', trouble: /does not say what it is/ }
  ])
  t.equal(seen.length, 2)
  t.same(progress.at(-1), [249, 249])
  t.equal(slave.connections(), 1)
})

t.test('a scan ends when it is called off, and asks no broadcast of a serial line', async (t) => {
  const stop = new AbortController()
  const slave = await startSlave(t, (request, socket) => {
    if (request[0] === 3) socket.write(Uint8Array.of(3, 0x93, 0x55, 0xaa, 0xff))
    else meter(request, socket)
  })
  const bus = openBus(t, { host: '127.0.0.1', port: slave.port, framing: 'rtu' }, { answerWithinMs: 60 })
  const seen: Sighting[] = []
  const scan = async (): Promise<void> => {
    for await (const each of bus.scan({ signal: stop.signal, progress: (tried) => tried === 20 && stop.abort() })) seen.push(each)
  }
  t.equal((await failureOf(scan())).code, 'READ_ABORTED')
  t.match(seen, [{ address: '3', trouble: /none of them is an answer/ }, { address: '17' }])
  t.equal(
    slave.requests.some((request) => request.startsWith('00') || request.startsWith('ff')),
    false
  )
})
