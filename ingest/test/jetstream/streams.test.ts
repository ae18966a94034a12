import { type JsMsg, jetstream } from '@nats-io/jetstream'
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node'
import type { MqttClient } from 'mqtt'
import t from 'tap'
import { LeftBehind } from '../../src/jetstream/left-behind.js'
import { consumerName, inboxPrefix, messagesStream } from '../../src/jetstream/names.js'
import { defaultJetStreamLimits } from '../../src/jetstream/options.js'
import { SettledMessages } from '../../src/jetstream/settled.js'
import { prepareStreams } from '../../src/jetstream/streams.js'
import { readingsTopic } from '../support/client.js'
import { Nats } from '../support/nats.js'
import { connectToNats } from '../support/sources.js'

// Goal: what gateways may do and what becomes of what they sent is as the README says, on a real nats-server with the
// configuration of the deployment. Method: gateways that are not ours by MQTT; streams looked at with ingest's own rights.

const ackWaitMs = 2_000
const nats = await Nats.start(1, ['gw-1', 'gw-2'])
t.teardown(() => nats.stop())
const connection = await ingestConnection()
t.teardown(() => connection.close())
const client = jetstream(connection)
const manager = await client.jetstreamManager(false)

async function ingestConnection(): Promise<NatsConnection> {
  const { servers, seed, authority = '' } = nats.options
  return connect({
    ...{ servers: [...servers], inboxPrefix, ignoreClusterUpdates: true, tls: { ca: authority } },
    authenticator: nkeyAuthenticator(new TextEncoder().encode(seed))
  })
}

async function stored(): Promise<{ readonly first: number; readonly last: number; readonly messages: number }> {
  const { state } = await manager.streams.info(messagesStream)
  return { first: state.first_seq, last: state.last_seq, messages: state.messages }
}

let connections = 0

/** Under a client id of its own each time: NATS keeps out for a second whoever takes another's. */
async function gateway(name: string): Promise<MqttClient> {
  connections += 1
  const connected = await connectToNats(nats, name, { clientId: `${name}-${connections}` })
  connected.on('error', () => undefined)
  t.teardown(async () => void (await connected.endAsync(true)))
  return connected
}

t.test('no gateway gets in before ingest was there, as NATS would acknowledge what nobody waits for', async (t) => {
  await t.rejects(connectToNats(nats, 'gw-1'))
  await prepareStreams(manager, nats.options, { ...defaultJetStreamLimits, ackWaitMs })
  const connected = await gateway('gw-1')
  await connected.publishAsync(readingsTopic('gw-1'), 'kept', { qos: 1 })
  t.equal((await stored()).messages, 1)
  await prepareStreams(manager, nats.options, defaultJetStreamLimits)
  t.equal((await stored()).messages, 1, 'and making them again changes nothing')
})

t.test('a gateway publishes on its own topics and hears its own commands', async (t) => {
  const own = await gateway('gw-1')
  const other = await gateway('gw-2')
  const before = await stored()
  for (const topic of ['endeks/1/gw-2/readings', 'endeks/1/gw-1/cmd', 'endeks/1/gw-2/cmd', '$MQTT/msgs/endeks/1/gw-2/readings', 'x']) {
    // MQTT 3.1.1 has no way to refuse: NATS acknowledges it and throws it away.
    await own.publishAsync(topic, 'not allowed', { qos: 1 })
  }
  t.same(await stored(), before)
  for (const kind of ['readings', 'profiles', 'lost', 'ack']) await own.publishAsync(`endeks/1/gw-1/${kind}`, 'allowed', { qos: 1 })
  t.equal((await stored()).messages, before.messages + 4)
  for (const filter of ['#', 'endeks/1/+/cmd', 'endeks/1/gw-2/cmd', 'endeks/1/gw-2/readings', '$MQTT/sub/#', '$MQTT/#', '$JS/#']) {
    await t.rejects(own.subscribeAsync(filter, { qos: 1 }), filter)
  }
  const heard: string[] = []
  own.on('message', (_, payload) => heard.push(payload.toString()))
  const told = new Promise<void>((resolve) => other.once('message', () => resolve()))
  await own.subscribeAsync('endeks/1/gw-1/cmd', { qos: 1 })
  await other.subscribeAsync('endeks/1/gw-2/cmd', { qos: 1 })
  connection.publish('endeks.1.gw-2.cmd', 'for gw-2')
  await told
  t.same(heard, [], 'nobody hears the commands of another')
})

t.test('wills and retained messages gain a gateway nothing', async (t) => {
  const own = await gateway('gw-1')
  const { messages } = await stored()
  await own.publishAsync(readingsTopic('gw-1'), 'retained', { qos: 1, retain: true })
  t.equal((await stored()).messages, messages + 1, 'it is a message like any other')
  t.equal((await manager.streams.info('$MQTT_rmsgs')).state.messages, 0, 'and not kept for anybody')
  const will = { topic: readingsTopic('gw-2'), payload: Buffer.from('gone'), qos: 1, retain: true } as const
  const willing = await connectToNats(nats, 'gw-1', { clientId: 'another', will })
  willing.stream.destroy()
  const after = await gateway('gw-2')
  await after.publishAsync(readingsTopic('gw-2'), 'later', { qos: 1 })
  t.equal((await stored()).messages, messages + 2, "it can't be published where its gateway can't")
})

t.test('who has no certificate in force stays out, on every port', async (t) => {
  await t.rejects(connectToNats(nats, 'gw-1', { identity: nats.issue('gw-1') }), 'signed by the authority, and not enrolled')
  const { servers, authority: ca = '' } = nats.options
  const named = { servers: [...servers], ignoreClusterUpdates: true, tls: { ca }, reconnect: false }
  await t.rejects(connect(named), 'nobody')
  const serial = nats.identities.get('gw-1')?.serial ?? ''
  await t.rejects(connect({ ...named, user: `urn:endeks:gateway:gw-1:${serial}`, pass: '' }), 'a gateway by its name alone')
})

t.test('ingest has no more rights than it needs', async (t) => {
  await t.rejects(manager.streams.purge(messagesStream), 'it deletes what is committed, one by one')
  await t.rejects(manager.streams.delete(messagesStream))
  await t.rejects(manager.consumers.delete(messagesStream, consumerName))
})

t.test('what a process has committed is taken out below the floor, and what another had comes again when it dies', async (t) => {
  const settled = await takeAll()
  const own = await gateway('gw-1')
  for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) await own.publishAsync(readingsTopic('gw-1'), text, { qos: 1 })
  const doomed = await ingestConnection()
  const consumer = await jetstream(doomed).consumers.get(messagesStream, consumerName)
  for await (const message of await consumer.fetch({ max_messages: 6, expires: 1_000 })) {
    if ('abd'.includes(message.string())) await settle(message, settled)
  }
  const { first } = await stored()
  t.equal(await settled.remove(manager, 100), 2, 'a and b; d is behind c')
  t.equal((await stored()).first, first + 2)
  await doomed.close()
  const again: string[] = []
  const living = await client.consumers.get(messagesStream, consumerName)
  while (again.length < 3) {
    for await (const message of await living.fetch({ max_messages: 3 - again.length, expires: 5_000 })) {
      again.push(message.string())
      await settle(message, settled)
    }
  }
  t.same(again.sort(), ['c', 'e', 'f'])
  t.equal(await settled.remove(manager, 100), 4)
  t.equal((await stored()).messages, 0)
})

// After a change of leader an acknowledgement may bear the number that the old one gave. nats-server 2.9.10 takes it for its own.
t.test('a floor that has passed what nobody acknowledged takes nothing out, and what it left behind is found', async (t) => {
  const settled = await takeAll()
  const own = await gateway('gw-1')
  for (const text of ['a', 'b', 'c', 'd']) await own.publishAsync(readingsTopic('gw-1'), text, { qos: 1 })
  const { last } = await stored()
  const consumer = await client.consumers.get(messagesStream, consumerName)
  for await (const message of await consumer.fetch({ max_messages: 4, expires: 1_000 })) {
    if (message.string() !== 'd') continue
    await settle(message, settled)
    const { ack_floor: floor } = await manager.consumers.info(messagesStream, consumerName)
    await connection.request(`$JS.ACK.${messagesStream}.${consumerName}.1.${message.seq}.${floor.consumer_seq + 1}.0.0`, '+ACK')
  }
  const passed = await manager.consumers.info(messagesStream, consumerName)
  t.match(passed, { ack_floor: { stream_seq: last }, num_ack_pending: 3 }, 'it says so of three that are under way')
  t.equal(await settled.remove(manager, 100), 1)
  t.equal((await stored()).messages, 3)
  const leftBehind = new LeftBehind(manager)
  t.same(await textsOf(leftBehind), [], 'whoever has it is given the time to take it out')
  t.same(await textsOf(leftBehind), ['a', 'b', 'c'])
})

t.test('a revoked certificate is out when the node has read its file again', async (t) => {
  const own = await gateway('gw-2')
  const closed = new Promise<void>((resolve) => own.once('close', () => resolve()))
  await nats.writeAccounts(['gw-1'])
  nats.reload()
  await closed
  await t.rejects(connectToNats(nats, 'gw-2'))
  const left = await connectToNats(nats, 'gw-1')
  await left.endAsync(true)
})

/** Until nothing is left of what the other tests have sent. */
async function takeAll(): Promise<SettledMessages> {
  const settled = new SettledMessages()
  const consumer = await client.consumers.get(messagesStream, consumerName)
  for (let left = (await stored()).messages; left > 0; left -= 1) {
    const message = await consumer.next({ expires: 5_000 })
    if (message !== null) await settle(message, settled)
  }
  await settled.remove(manager, 1_000)
  return settled
}

async function settle(message: JsMsg, settled: SettledMessages): Promise<void> {
  await message.ackAck()
  settled.add(message.seq)
}

async function textsOf(leftBehind: LeftBehind): Promise<string[]> {
  const texts: string[] = []
  for await (const message of leftBehind.find()) texts.push(message.string())
  return texts
}
