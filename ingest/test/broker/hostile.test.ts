import { once } from 'node:events'
import { connect as connectSocket, createServer, type Socket } from 'node:net'
import { gatewayId } from '@endeks/domain/identifiers'
import { topicFor } from '@endeks/domain/wire'
import t, { type Test } from 'tap'
import { PressureGauge } from '../../src/accept/pressure.js'
import { defaultBrokerLimits } from '../../src/broker/broker-limits.js'
import { GuardedConnection } from '../../src/broker/guarded-connection.js'
import { encodePublish } from '../../src/broker/publish-packet.js'
import { TokenBucket } from '../../src/broker/token-bucket.js'
import { passwordHash, startBroker } from '../support/broker.js'
import { connectGateway, ended, publish, readingsTopic } from '../support/client.js'
import { password } from '../support/site.js'

/** A CONNECT as bytes, so that what is sent with it and after it is ours to choose. */
function connectPacket(client: string, keepaliveS = 60, secret = password): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length >> 8, value.length & 255]), Buffer.from(value)])
  const body = Buffer.concat([
    text('MQTT'),
    Buffer.from([4, 0xc2, keepaliveS >> 8, keepaliveS & 255]),
    text(client),
    text(client),
    text(secret)
  ])
  return Buffer.concat([Buffer.from([0x10, body.length]), body])
}

const pingreq = Buffer.from([0xc0, 0])
const connack = Buffer.from([0x20, 2, 0, 0])

function publishPacket(gateway: string, messageId: number, size: number): Buffer {
  return encodePublish({ topic: readingsTopic(gateway), messageId, payload: Buffer.alloc(size, 'x') })
}

/** A connection of raw bytes that collects what it is sent. */
class Raw {
  readonly socket: Socket
  received = Buffer.alloc(0)
  #heard: (() => void)[] = []

  constructor(port: number) {
    this.socket = connectSocket(port, '127.0.0.1')
    this.socket.on('error', () => undefined)
    this.socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk])
      for (const heard of this.#heard.splice(0)) heard()
    })
  }

  async until(bytes: number): Promise<Buffer> {
    while (this.received.length < bytes) await new Promise<void>((resolve) => this.#heard.push(resolve))
    return this.received
  }

  async closed(): Promise<void> {
    if (this.socket.closed) return
    await new Promise<void>((resolve) => this.socket.once('close', () => resolve()))
  }
}

function raw(t: Test, port: number): Raw {
  const connection = new Raw(port)
  t.teardown(() => connection.socket.destroy())
  return connection
}

t.test('what is not MQTT 3.1.1 is cut at once and counted by reason', async (t) => {
  const { port, statistics } = await startBroker(t)
  const wrong: [string, Buffer][] = [
    ['HTTP', Buffer.from('GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\n\r\n')],
    ['TLS', Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc])],
    ['a ping before any CONNECT', pingreq],
    ['a huge CONNECT', Buffer.from([0x10, 0xff, 0xff, 0x7f])],
    ['a length of five bytes', Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff, 1])],
    ['a CONNECT of rubbish', Buffer.from([0x10, 4, 9, 9, 9, 9])],
    ['a second CONNECT', Buffer.concat([connectPacket('gw-1'), connectPacket('gw-1')])],
    ['a SUBSCRIBE of 5,000 bytes', Buffer.concat([connectPacket('gw-1'), Buffer.from([0x82, 0x88, 0x27])])],
    ['a publish of QoS 3', Buffer.concat([connectPacket('gw-1'), Buffer.from([0x36, 2, 0, 0])])]
  ]
  for (const [name, bytes] of wrong) {
    const connection = raw(t, port)
    connection.socket.write(bytes)
    await connection.closed()
    t.pass(name)
  }
  t.equal(statistics.connectionsCut, wrong.length)
  t.match(statistics.connectionsCutBy, { 'not-mqtt': 4, 'packet-size': 2, malformed: 3 })
  const version5 = raw(t, port)
  version5.socket.write(Buffer.from([0x10, 17, 0, 4, ...Buffer.from('MQTT'), 5, 2, 0, 60, 0, 0, 4, ...Buffer.from('gw-1')]))
  await version5.closed()
  t.same(version5.received, Buffer.from([0x20, 2, 0, 1]), 'MQTT 5 is told that its version is not spoken')
  t.equal(statistics.connectsRefusedBy.protocol, 1)
})

t.test('who says nothing, too little, or nothing any more is cut', async (t) => {
  const limits = { connectWithinMs: 100, leastKeepaliveS: 1, sweepEveryMs: 20 }
  const { port, statistics } = await startBroker(t, { limits })
  const nothing = raw(t, port)
  const half = raw(t, port)
  half.socket.write(connectPacket('gw-1').subarray(0, 5))
  const silent = raw(t, port)
  silent.socket.write(connectPacket('gw-2', 1))
  t.same(await silent.until(4), connack)
  await Promise.all([nothing.closed(), half.closed(), silent.closed()])
  t.match(statistics.connectionsCutBy, { 'connect-late': 2, silent: 1 })
})

t.test('of one address so many connections are open, unknown, new or at fault', async (t) => {
  const limits = { connectionsPerAddress: 3, pendingPerAddress: 2, connectsPerMinutePerAddress: 6, faultsPerMinutePerAddress: 100 }
  const { port, statistics } = await startBroker(t, { limits })
  const pending = [raw(t, port), raw(t, port)]
  await Promise.all(pending.map(({ socket }) => once(socket, 'connect')))
  await raw(t, port).closed()
  t.equal(statistics.connectsRefusedBy.pending, 1)
  for (const [index, { socket }] of pending.entries()) socket.write(connectPacket(`gw-${index}`))
  await Promise.all(pending.map((each) => each.until(4)))
  const third = await connectGateway(port, 'gw-3')
  await raw(t, port).closed()
  t.equal(statistics.connectsRefusedBy['address-connections'], 1)
  await third.endAsync(true)
  for (let attempt = 0; attempt < 5 && statistics.connectsRefusedBy['address-connects'] === 0; attempt += 1) {
    const connection = raw(t, port)
    connection.socket.write('no MQTT')
    await connection.closed()
  }
  t.ok(statistics.connectsRefusedBy['address-connects'] > 0)
})

t.test('whoever tries passwords is held off, and the gateway at the same address still comes in', async (t) => {
  const { port, statistics } = await startBroker(t, { limits: { faultsPerMinutePerAddress: 3 } })
  const own = await connectGateway(port, 'gw-1')
  await own.endAsync(true)
  const refused = (code: number) => ({ message: /Connection refused/, code })
  for (let attempt = 0; attempt < 3; attempt += 1)
    await t.rejects(connectGateway(port, 'gw-1', { password: `guess ${attempt}` }), refused(5))
  await t.rejects(connectGateway(port, 'gw-1', { password: 'another guess' }), refused(3), 'not even computed')
  await t.rejects(connectGateway(port, 'gw-2'), refused(3), 'nor that of a gateway that was never here')
  t.match(statistics.connectsRefusedBy, { password: 3, 'held-off': 2 })
  const again = await connectGateway(port, 'gw-1')
  await again.endAsync(true)
})

t.test('two devices with the name of one gateway are seen, and slowed down', async (t) => {
  const { port, statistics } = await startBroker(t, { limits: { takeOversPerMinute: 2, connectsPerMinute: 5 } })
  let live = await connectGateway(port, 'gw-1')
  for (let other = 0; other < 2; other += 1) {
    const next = await connectGateway(port, 'gw-1')
    await ended(live)
    live = next
  }
  await t.rejects(connectGateway(port, 'gw-1'), { code: 3 })
  t.ok(live.connected, 'the one that is there stays')
  t.match(statistics.connectionsCutBy, { 'taken-over': 2 })
  t.match(statistics.connectsRefusedBy, { 'take-overs': 1 })
  await live.endAsync(true)
  const last = await connectGateway(port, 'gw-1')
  await last.endAsync(true)
  await t.rejects(connectGateway(port, 'gw-1'), { code: 3 }, 'nor does one connect again and again')
  t.match(statistics.connectsRefusedBy, { 'gateway-connects': 1 })
})

t.test('a gateway that floods is not read beyond its rate, and is not cut', async (t) => {
  let stored = 0
  const limits = { messagesPerSecond: 100, burstSeconds: 0.2 }
  const { port, statistics } = await startBroker(t, {
    limits,
    accept: async () => {
      stored += 1
    }
  })
  const began = performance.now()
  const flooding = raw(t, port)
  flooding.socket.write(connectPacket('gw-1'))
  await flooding.until(4)
  // A hundred publishes and as many pings, subscriptions counting alike.
  for (let id = 1; id <= 50; id += 1) flooding.socket.write(Buffer.concat([publishPacket('gw-1', id, 10), pingreq]))
  const answers = await flooding.until(4 + 50 * 4 + 50 * 2)
  const seconds = (performance.now() - began) / 1_000
  t.equal(answers.length, 304, 'everything is answered')
  t.equal(stored, 50)
  t.ok(statistics.slowdowns > 0)
  t.ok(100 <= 20 + 100 * seconds + 1, 'and no faster than allowed')
  t.equal(statistics.connectionsCut, 0)
})

t.test('a gateway that sends too many bytes is read no faster than allowed', async (t) => {
  const limits = { bytesPerSecond: 100_000, burstSeconds: 1 }
  const { port, statistics } = await startBroker(t, { limits })
  const flooding = raw(t, port)
  flooding.socket.write(connectPacket('gw-1'))
  for (let id = 1; id <= 20; id += 1) flooding.socket.write(publishPacket('gw-1', id, 10_000))
  await flooding.until(4 + 20 * 4)
  t.ok(statistics.slowdowns > 0)
})

t.test('while more is held than can be stored, nothing is read, and no client is cut for it', async (t) => {
  const pressure = new PressureGauge({ highBytes: 100, lowBytes: 50 })
  let stored = 0
  const { port, statistics } = await startBroker(t, {
    pressure,
    accept: async () => {
      stored += 1
    }
  })
  const first = raw(t, port)
  first.socket.write(connectPacket('gw-1'))
  await first.until(4)
  pressure.take(200)
  first.socket.write(publishPacket('gw-1', 1, 10))
  const second = raw(t, port)
  second.socket.write(Buffer.concat([connectPacket('gw-2'), publishPacket('gw-2', 1, 10)]))
  t.same(await second.until(4), connack, 'who connects is let in')
  t.equal(stored, 0)
  pressure.release(200)
  await Promise.all([first.until(8), second.until(8)])
  t.equal(stored, 2)
  t.equal(statistics.connectionsCut, 0)
})

t.test('a client is silent only while it is listened to', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const taken = once(server, 'connection')
  const client = raw(t, address.port)
  const [socket] = (await taken) as [Socket]
  const connection = new GuardedConnection(socket, defaultBrokerLimits)
  connection.on('error', () => undefined)
  t.teardown(() => {
    connection.destroy()
    server.close()
  })
  const bucket = () => new TokenBucket({ perSecond: 1, burst: 1 }, performance.now())
  const readable = once(connection, 'readable')
  connection.read(0)
  client.socket.write(connectPacket('gw-1'))
  await readable
  connection.read()
  const later = performance.now() + 100_000
  t.equal(connection.silentMs(later), 0, 'not while it waits to be let in')
  connection.admit({ messages: bucket(), bytes: bucket() }, () => undefined)
  connection.read()
  t.equal(connection.silentMs(later + 5_000), 5_000)
  connection.hold(true)
  t.equal(connection.silentMs(later + 50_000), 0, 'not while it is held')
  connection.hold(false)
  t.ok(connection.silentMs(later + 60_000) > 0)
})

t.test('a client that does not read is cut, and what it is sent is bounded', async (t) => {
  const { broker, port, statistics } = await startBroker(t, {
    limits: {
      drainWithinMs: 100,
      sweepEveryMs: 20,
      messagesPerSecond: 1e6,
      bytesPerSecond: 1e9,
      deliveriesAtOnce: 1_000,
      commandBytes: 1_000_000
    }
  })
  const frozen = raw(t, port)
  frozen.socket.write(connectPacket('gw-1'))
  await frozen.until(4)
  const up = new Promise((resolve) => broker.onReachable(resolve))
  const topic = topicFor(gatewayId('gw-1'), 'cmd')
  frozen.socket.write(Buffer.concat([Buffer.from([0x82, 5 + topic.length, 0, 1, 0, topic.length]), Buffer.from(topic), Buffer.from([1])]))
  await up
  frozen.socket.pause()
  const sent = Array.from({ length: 20 }, () => broker.send(gatewayId('gw-1'), Buffer.alloc(1_000_000)))
  t.notOk((await Promise.all(sent)).some(Boolean))
  t.equal(statistics.connectionsCutBy['slow-reader'], 1)
  const healthy = await connectGateway(port, 'gw-2')
  await publish(healthy, readingsTopic('gw-2'), 'x')
  await healthy.endAsync(true)
})

t.test('a revoked or changed password ends the connection that it let in', async (t) => {
  const hashes = new Map([
    ['gw-1', passwordHash],
    ['gw-2', passwordHash]
  ])
  const { port, statistics } = await startBroker(t, {
    limits: { lookAtProofsEveryMs: 20 },
    proofs: { passwordHashes: async () => hashes, fingerprints: async () => new Set() }
  })
  const first = await connectGateway(port, 'gw-1')
  const second = await connectGateway(port, 'gw-2')
  const third = await connectGateway(port, 'gw-3').catch(() => undefined)
  hashes.set('gw-1', 'another')
  await ended(first)
  hashes.delete('gw-2')
  await ended(second)
  if (third !== undefined) await ended(third)
  t.equal(statistics.connectionsCutBy['credential-revoked'], 3)
})
