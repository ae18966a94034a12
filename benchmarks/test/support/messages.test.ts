import { parseReadings } from '@endeks/domain/wire'
import t from 'tap'
import { blockOf, instantOf, isRepeated, type Load, messagesPerGateway, rawOf, site } from '../../support/load.js'
import { Messages, serialOf } from '../../support/messages.js'
import { PacketReader, publishType } from '../../support/mqtt-packets.js'

const load: Load = {
  gateways: site.gateways,
  start: instantOf({ start: Date.UTC(2026, 0, 1) as Load['start'] }, 0),
  epoch: 'be000001',
  perMessage: 100,
  registersPerExchange: 5,
  instantsPerExchange: 1,
  firstTick: 7,
  ticks: 2,
  repeats: 'none'
}

function payloadOf(packet: Buffer) {
  let payload: Buffer | undefined
  new PacketReader().read(packet, (type, _, body) => {
    t.equal(type, publishType)
    payload = body.subarray(2 + body.readUInt16BE(0) + 2)
  })
  const parsed = parseReadings(payload?.toString() ?? '')
  if (!parsed.ok) throw parsed.error
  return parsed.value
}

// Goal: a message that is written over says what its load says. Method: each is read as ingest reads it.
for (const [name, shape] of Object.entries({
  'of one instant': load,
  'of single readings': { ...load, perMessage: 1, registersPerExchange: 1 },
  'of load profiles': { ...load, perMessage: 100, registersPerExchange: 10, instantsPerExchange: 2 }
})) {
  t.test(`a message ${name} has every reading of its block`, (t) => {
    const messages = new Messages(shape)
    for (const index of [0, 3, messagesPerGateway(shape) - 1]) {
      const message = payloadOf(messages.publish(4, index, 12))
      const block = blockOf(shape, 4, index)
      t.equal(message.sequence, index + 1)
      const found = message.readings.map(({ exchange, at, raw }) => `${message.exchanges[exchange]?.address} ${at} ${raw}`).sort()
      const expected: string[] = []
      for (let tick = block.firstTick; tick < block.firstTick + shape.instantsPerExchange; tick += 1) {
        for (let n = 0; n < block.registers; n += 1) {
          const register = block.firstRegister + n
          const serial = serialOf(4, Math.floor(register / site.registersPerMeter))
          expected.push(`${serial} ${instantOf(shape, tick)} ${rawOf(4 * site.registersPerGateway + register, tick)}`)
        }
      }
      t.same(found, expected.sort())
    }
    t.end()
  })
}

t.test('a hundredth of the readings can be those of the sweep before', (t) => {
  const message = payloadOf(new Messages({ ...load, repeats: 'readings' }).publish(0, 1, 1))
  t.equal(message.readings.length, 101)
  t.equal(message.readings.at(-1)?.at, instantOf(load, load.firstTick - 1))
  t.equal(message.readings.at(-1)?.raw, BigInt(rawOf(100, load.firstTick - 1)))
  t.end()
})

t.test('about a hundredth of the messages is repeated', (t) => {
  let repeated = 0
  for (let gateway = 0; gateway < site.gateways; gateway += 1) {
    for (let index = 0; index < 200; index += 1) if (isRepeated({ ...load, repeats: 'messages' }, gateway, index)) repeated += 1
  }
  t.ok(repeated > 70 && repeated < 130, `${repeated} of 10,000`)
  t.end()
})

t.test('packets are found in a stream however it is cut', (t) => {
  const packet = new Messages(load).publish(0, 0, 258)
  const stream = Buffer.concat([packet, packet])
  for (const cut of [1, 2, 3, packet.length - 1, packet.length, packet.length + 2]) {
    const lengths: number[] = []
    const reader = new PacketReader()
    for (const part of [stream.subarray(0, cut), stream.subarray(cut)]) reader.read(part, (_, __, body) => lengths.push(body.length))
    t.equal(lengths.length, 2)
    t.equal(lengths[0], lengths[1])
  }
  t.end()
})
