import { gatewayId } from '@endeks/domain/identifiers'
import { topicFor } from '@endeks/domain/wire'
import t, { type Test } from 'tap'
import type { Broker } from '../../src/broker/broker.js'
import { startBroker } from '../support/broker.js'
import { connectGateway, ended } from '../support/client.js'

const gateway = gatewayId('gw-1')
const commands = topicFor(gateway, 'cmd')

function reachable(broker: Broker): Promise<string> {
  return new Promise((resolve) => {
    const stop = broker.onReachable((name) => {
      stop()
      resolve(name)
    })
  })
}

async function connect(t: Test, port: number) {
  const client = await connectGateway(port, gateway)
  t.teardown(() => client.endAsync(true))
  return client
}

t.test('a command is delivered to a gateway that hears its commands, and only while it does', async (t) => {
  const { broker, port } = await startBroker(t)
  t.notOk(await broker.send(gateway, '{}'), 'not connected')
  const client = await connect(t, port)
  t.notOk(await broker.send(gateway, '{}'), 'not subscribed')
  await client.subscribeAsync(commands, { qos: 0 })
  t.notOk(await broker.send(gateway, '{}'), 'subscribed with QoS 0, which acknowledges nothing')
  const up = reachable(broker)
  await client.subscribeAsync(commands, { qos: 1 })
  t.equal(await up, gateway)
  const heard = new Promise<unknown[]>((resolve) => {
    client.once('message', (topic, payload, packet) => resolve([topic, String(payload), packet.qos, packet.retain]))
  })
  t.ok(await broker.send(gateway, Buffer.from('read now')))
  t.same(await heard, [commands, 'read now', 1, false])
  const many = await Promise.all(Array.from({ length: 20 }, (_, index) => broker.send(gateway, `command ${index}`)))
  t.ok(many.every(Boolean))
  await t.rejects(broker.send(gateway, Buffer.alloc(65_537)), { code: 'MESSAGE_TOO_LARGE' })
  t.ok(await broker.send(gateway, Buffer.alloc(65_536)))
  await client.unsubscribeAsync(commands)
  t.notOk(broker.isReachable(gateway))
  t.notOk(await broker.send(gateway, '{}'), 'not subscribed any more')
})

t.test('a command that is not acknowledged counts as not delivered', async (t) => {
  const { broker, port } = await startBroker(t, { limits: { deliverWithinMs: 50, deliveriesAtOnce: 1 } })
  const client = await connect(t, port)
  client.handleMessage = () => undefined
  await client.subscribeAsync(commands, { qos: 1 })
  const first = broker.send(gateway, 'one')
  t.notOk(await broker.send(gateway, 'two'), 'one at a time')
  t.notOk(await first, 'not in time')
})

t.test('a command is not delivered when its connection ends, and is to the next one', async (t) => {
  const { broker, port } = await startBroker(t)
  const first = await connect(t, port)
  first.handleMessage = () => undefined
  await first.subscribeAsync(commands, { qos: 1 })
  const lost = broker.send(gateway, 'lost')
  const second = await connect(t, port)
  await ended(first)
  t.notOk(await lost)
  t.notOk(broker.isReachable(gateway))
  await second.subscribeAsync(commands, { qos: 1 })
  t.ok(await broker.send(gateway, 'again'))
})
