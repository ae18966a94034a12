import { EventEmitter, once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { gatewayId } from '@endeks/domain/identifiers'
import { createLog, systemClock } from '@endeks/domain/process'
import { parseLossMessage, parseProfileMessage, parseReadings } from '@endeks/domain/wire'
import { Aedes } from 'aedes'
import t, { type Test } from 'tap'
import { Counters } from '../../src/acquire/counters.js'
import { canonicalJson, profileHash } from '../../src/codec/index.js'
import { Spool } from '../../src/spool/spool.js'
import { BackOff } from '../../src/uplink/back-off.js'
import { Uplink } from '../../src/uplink/uplink.js'
import { readout } from '../spool/readouts.js'

const log = createLog('test', () => {})
const gateway = gatewayId('GW-01')
const profile = { name: 'p' }
const announced = { hash: profileHash(profile), content: canonicalJson(profile) }

/** A broker that answers like ingest: the PUBACK goes out when `admit` lets it. */
class Broker extends EventEmitter {
  readonly arrived: string[] = []
  readonly sockets = new Set<Socket>()
  admit: (name: string) => boolean = () => true
  readonly #aedes: Aedes
  readonly #server: Server

  private constructor(aedes: Aedes) {
    super()
    this.#aedes = aedes
    this.#server = createServer((socket) => {
      this.sockets.add(socket)
      socket.on('close', () => this.sockets.delete(socket))
      aedes.handle(socket)
    })
  }

  static async start(): Promise<Broker> {
    const aedes = await Aedes.createBroker({
      authenticate: (_, user, password, done) => done(null, user === gateway && password?.toString() === 'right')
    })
    const broker = new Broker(aedes)
    aedes.authorizePublish = (_, packet, done) => {
      const name = nameOf(packet.topic, packet.payload.toString())
      broker.arrived.push(name)
      if (broker.admit(name)) done(null)
      broker.emit('arrived', name)
    }
    broker.#server.listen(0, '127.0.0.1')
    await once(broker.#server, 'listening')
    return broker
  }

  get url(): string {
    const address = this.#server.address()
    return `mqtt://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  }

  /** Cuts every connection, as a broken line does. What was held is never answered. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this, 'arrived')
  }

  async stop(): Promise<void> {
    this.cut()
    this.#server.close()
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()))
  }
}

function nameOf(topic: string, payload: string): string {
  if (topic === 'endeks/1/GW-01/lost') {
    const message = parseLossMessage(payload)
    return message.ok ? `lost ${message.value.lane} ${message.value.first}-${message.value.last} ${message.value.readings}` : 'wrong'
  }
  if (topic === 'endeks/1/GW-01/profiles') {
    const message = parseProfileMessage(payload)
    return message.ok ? `profile ${message.value.content}` : 'wrong'
  }
  const message = parseReadings(payload)
  return message.ok ? `${message.value.lane} ${message.value.sequence}` : 'wrong'
}

async function setUp(
  t: Test,
  options: { password?: string; maxBytes?: number } = {}
): Promise<{ broker: Broker; spool: Spool; uplink: Uplink; counters: Counters }> {
  const broker = await Broker.start()
  const spool = await Spool.open({ directory: t.testdir(), maxBytes: options.maxBytes ?? 10_000_000, log })
  const counters = new Counters()
  const backOff = new BackOff()
  backOff.nextMs = () => 5
  const uplink = new Uplink({
    gateway,
    url: broker.url,
    password: options.password ?? 'right',
    spool,
    log,
    counters,
    clock: systemClock,
    backOff
  })
  t.teardown(async () => {
    await uplink.stop()
    await spool.close()
    await broker.stop()
  })
  return { broker, spool, uplink, counters }
}

async function append(spool: Spool, lane: 'live' | 'backlog', name: string): Promise<void> {
  const one = readout(name, 1)
  await spool.append({
    lane,
    readouts: [{ ...one, exchange: { ...one.exchange, profile: announced.hash } }],
    profiles: [announced],
    marks: []
  })
}

async function emptied(spool: Spool): Promise<void> {
  while (spool.state.messages > 0) await new Promise((resolve) => setTimeout(resolve, 2))
}

t.test('the profile leaves first, then live values, then the backlog; an acknowledged message is trimmed', async (t) => {
  const { broker, spool, uplink } = await setUp(t)
  await append(spool, 'backlog', 'b')
  await append(spool, 'live', 'a')
  await append(spool, 'live', 'a')
  uplink.start()
  await emptied(spool)
  t.same(broker.arrived, ['profile {"name":"p"}', 'live 2', 'live 1', 'backlog 1'])
  await append(spool, 'live', 'a')
  await emptied(spool)
  t.same(broker.arrived.slice(4), ['live 3'], 'the profile is announced once a connection')
})

t.test('what the broker has not acknowledged when the line breaks is published again on the next connection', async (t) => {
  const { broker, spool, uplink, counters } = await setUp(t)
  broker.admit = (name) => name !== 'live 2'
  for (let index = 0; index < 3; index += 1) await append(spool, 'live', 'a')
  uplink.start()
  await broker.until(() => broker.arrived.includes('live 2'))
  broker.cut()
  broker.admit = () => true
  await emptied(spool)
  const again = broker.arrived.slice(broker.arrived.lastIndexOf('profile {"name":"p"}'))
  t.ok(again.includes('live 2'))
  t.equal(counters.get('uplink.connected'), 2)
})

t.test('no more than twenty messages wait for their acknowledgement, and sixteen of what had piled up', async (t) => {
  // A broker that acknowledges when told: Aedes takes the next packet of a connection only after the one before.
  const waiting: { readonly socket: Socket; readonly id: Buffer }[] = []
  const arrivals = new EventEmitter()
  const server = createServer((socket) => {
    let held = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      held = Buffer.concat([held, chunk])
      for (let packet = firstPacket(held); packet !== undefined; packet = firstPacket(held)) {
        held = held.subarray(packet.size)
        if (packet.type === 1) socket.write(Buffer.from([0x20, 2, 0, 0]))
        if (packet.type !== 3) continue
        waiting.push({ socket, id: packet.id })
        arrivals.emit('packet')
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `mqtt://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  const spool = await Spool.open({ directory: t.testdir(), maxBytes: 10_000_000, log })
  for (let index = 0; index < 50; index += 1) await append(spool, index % 2 === 0 ? 'live' : 'backlog', 'a')
  const uplink = new Uplink({ gateway, url, password: 'right', spool, log, counters: new Counters(), clock: systemClock })
  t.teardown(async () => {
    await uplink.stop()
    await spool.close()
    server.close()
  })
  const acknowledge = (count: number): void => {
    for (const { socket, id } of waiting.splice(0, count)) socket.write(Buffer.concat([Buffer.from([0x40, 2]), id]))
  }
  uplink.start()
  await once(arrivals, 'packet')
  t.equal(waiting.length, 1, 'the profile alone')
  acknowledge(1)
  let most = 0
  while (spool.state.messages > 0) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    most = Math.max(most, waiting.length)
    acknowledge(7)
  }
  t.equal(most, 16, 'of what had piled up')
  for (let index = 0; index < 30; index += 1) await append(spool, 'live', 'a')
  while (spool.state.messages > 0) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    most = Math.max(most, waiting.length)
    acknowledge(7)
  }
  t.equal(most, 20, 'of live values')
})

/** The first whole MQTT packet (3.1.1, 2.2 and 3.3.2): its type, its size, and a QoS 1 publish's identifier. */
function firstPacket(bytes: Buffer): { readonly type: number; readonly size: number; readonly id: Buffer } | undefined {
  let [length, place] = [0, 1]
  for (let shift = 0; ; shift += 7) {
    const digit = bytes[place]
    if (digit === undefined) return undefined
    place += 1
    length += (digit & 0x7f) << shift
    if ((digit & 0x80) === 0) break
  }
  if (bytes.length < place + length) return undefined
  const type = (bytes[0] ?? 0) >> 4
  const topic = type === 3 ? bytes.readUInt16BE(place) : 0
  return { type, size: place + length, id: bytes.subarray(place + 2 + topic, place + 4 + topic) }
}

t.test('a wrong password loses nothing: the gateway keeps trying and the spool keeps', async (t) => {
  const { spool, uplink, counters, broker } = await setUp(t, { password: 'wrong' })
  await append(spool, 'live', 'a')
  uplink.start()
  while (counters.get('uplink.disconnected') < 3) await new Promise((resolve) => setTimeout(resolve, 2))
  t.equal(spool.state.messages, 1)
  t.same(broker.arrived, [])
})

t.test('what was lost to the limit is announced until it is acknowledged, and told apart from what was delivered', async (t) => {
  const { broker, spool, uplink, counters } = await setUp(t, { maxBytes: 4_000 })
  broker.admit = (name) => !name.startsWith('lost')
  for (let index = 0; index < 8; index += 1) await append(spool, 'live', 'a')
  const lost = spool.state.lostMessages
  t.ok(lost > 0 && lost < 8)
  uplink.start()
  await broker.until(() => broker.arrived.some((name) => name.startsWith('lost')))
  broker.cut()
  broker.admit = () => true
  while (spool.losses.length > 0) await new Promise((resolve) => setTimeout(resolve, 2))
  t.same(new Set(broker.arrived.filter((name) => name.startsWith('lost'))), new Set([`lost live 1-${lost} ${lost}`]))
  t.equal(counters.get('uplink.lossesAnnounced'), 1)
  await emptied(spool)
  const delivered = broker.arrived.filter((name) => name.startsWith('live')).map((name) => Number(name.slice(5)))
  t.same(
    [...new Set(delivered)].sort((left, right) => left - right),
    Array.from({ length: 8 - lost }, (_, index) => lost + 1 + index)
  )
})
