import { createLog, systemClock } from '@endeks/domain/process'
import { jetstream } from '@nats-io/jetstream'
import { connect, nkeyAuthenticator } from '@nats-io/transport-node'
import t from 'tap'
import { PressureGauge } from '../../src/accept/pressure.js'
import { consumerName, inboxPrefix, messagesStream } from '../../src/jetstream/names.js'
import { JetStreamSource } from '../../src/jetstream/source.js'
import { noKillPoint } from '../../src/kill-points.js'
import { noStatistics } from '../../src/statistics.js'
import { readingsTopic } from '../support/client.js'
import { Nats } from '../support/nats.js'
import { connectToNats } from '../support/sources.js'

// Goal: what was acknowledged to the stream and not taken out is not trusted to be stored. Method: a real nats-server; a client
// with ingest's rights acknowledges without storing, as if it were a process that died, or a floor that went too far.

const nats = await Nats.start(1, ['gw-1'])
t.teardown(() => nats.stop())

/** Resolves `heard` when so many were taken. */
async function startSource(expected: number) {
  const taken: string[] = []
  let heardAll: () => void = () => undefined
  const heard = new Promise<void>((resolve) => (heardAll = resolve))
  const source = new JetStreamSource(
    {
      ...{ clock: systemClock, log: createLog('test', () => undefined), statistics: noStatistics(), killPoint: noKillPoint },
      pressure: new PressureGauge({ highBytes: 1_000, lowBytes: 500 }),
      accept: async ({ payload }) => {
        if (taken.push(payload.toString()) === expected) heardAll()
      }
    },
    { ...nats.options, limits: { removeEveryMs: 50, searchEveryMs: 100 } }
  )
  await source.start()
  return { source, taken, heard }
}

t.test('it is taken once more, and then taken out', async (t) => {
  const first = await startSource(1)
  await first.source.close()
  const gateway = await connectToNats(nats, 'gw-1')
  for (const text of ['a', 'b', 'c']) await gateway.publishAsync(readingsTopic('gw-1'), text, { qos: 1 })
  await gateway.endAsync(true)
  const { servers, seed, authority = '' } = nats.options
  const connection = await connect({
    ...{ servers: [...servers], inboxPrefix, ignoreClusterUpdates: true, tls: { ca: authority } },
    authenticator: nkeyAuthenticator(new TextEncoder().encode(seed))
  })
  const client = jetstream(connection)
  const consumer = await client.consumers.get(messagesStream, consumerName)
  for await (const message of await consumer.fetch({ max_messages: 3, expires: 1_000 })) await message.ackAck()
  const second = await startSource(3)
  await second.heard
  t.same(second.taken, ['a', 'b', 'c'])
  await second.source.close()
  const { state } = await (await client.jetstreamManager(false)).streams.info(messagesStream)
  t.equal(state.messages, 0)
  t.same(second.taken, ['a', 'b', 'c'], 'and only once')
  await connection.close()
})
