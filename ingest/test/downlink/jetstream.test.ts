import { setTimeout as sleep } from 'node:timers/promises'
import { testDatabase } from '@endeks/database/testing'
import { createLog, systemClock } from '@endeks/domain/process'
import t from 'tap'
import { startIngest } from '../../src/service.js'
import { Nats } from '../support/nats.js'
import { enterMeter, enterUtility } from '../support/site.js'
import { connectToNats } from '../support/sources.js'
import { ask, HearingGateway, stateOf } from '../support/told.js'

// Goal: a command reaches its gateway through NATS, and its answer comes back through the stream, whether the gateway is there
// when it is asked or comes later. Method: a real nats-server, the service, and a client of another make.

const database = await testDatabase(t)
const pool = database.createPool()
await enterUtility(pool, ['gw-1'])
const meterId = (await enterMeter(pool, { gateway: 'gw-1', address: '1', serial: '00012345' })).meterId.toString()
const nats = await Nats.start(1, ['gw-1'])
t.teardown(() => nats.stop())
const ingest = await startIngest({
  ...{ databaseUrl: database.adminUrl, mqttHost: '127.0.0.1', mqttPort: 0, clock: systemClock },
  ...{ log: createLog('test', () => undefined), jetstream: nats.options },
  limits: { downlink: { pollMs: 50, firstRetryMs: 500 } }
})
t.teardown(() => ingest.stop())

t.test('read now goes to the gateway that listens, and its answer ends the command', async (t) => {
  const gateway = await HearingGateway.over(await connectToNats(nats, 'gw-1'), 'gw-1')
  const asked = await ask(pool, { meterId, kind: 'read-now' })
  const { id, kind, address } = await gateway.hear(1)
  t.match({ kind, address }, { kind: 'read-now', address: '1' })
  t.equal((await stateOf(pool, asked)).key, id)
  await gateway.answer(id, { result: { readings: 1 } })
  await untilDone(asked)
  t.match(await stateOf(pool, asked), { state: 'done', effect: 'done', result: { readings: 1 }, error_code: null })
  await gateway.leave()
})

t.test('one that nobody heard goes again until its gateway has answered', async (t) => {
  const asked = await ask(pool, { meterId, kind: 'read-now' })
  await until(async () => (await stateOf(pool, asked)).attempts > 0)
  t.equal((await stateOf(pool, asked)).state, 'queued', 'NATS does not say whether anybody heard it')
  const gateway = await HearingGateway.over(await connectToNats(nats, 'gw-1'), 'gw-1')
  const { id } = await gateway.hear(1)
  await gateway.answer(id, { result: { readings: 1 } })
  await untilDone(asked)
  const { attempts } = await stateOf(pool, asked)
  t.ok(attempts > 1)
  t.ok(gateway.heard.every((command) => command.id === id))
  await gateway.leave()
})

async function untilDone(asked: Parameters<typeof stateOf>[1]): Promise<void> {
  await until(async () => (await stateOf(pool, asked)).state === 'done')
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 800; attempt += 1) {
    if (await what()) return
    await sleep(25)
  }
  throw new Error('it never came to be')
}
