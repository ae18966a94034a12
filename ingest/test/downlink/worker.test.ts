import { setTimeout as sleep } from 'node:timers/promises'
import { testDatabase } from '@endeks/database/testing'
import { createLog, systemClock } from '@endeks/domain/process'
import { epochMs } from '@endeks/domain/time'
import t from 'tap'
import { type RunningIngest, startIngest } from '../../src/service.js'
import { count, enterMeter, enterUtility } from '../support/site.js'
import { ask, HearingGateway, stateOf } from '../support/told.js'

// Goal: what was asked of a meter reaches its gateway, once in effect, and ends in a state that says what is known, whoever
// stops and whenever. Method: the real broker and database; gateways are clients of another make.

const silent = createLog('test', () => undefined)
const database = await testDatabase(t)
const pool = database.createPool()
await enterUtility(pool, ['gw-1', 'gw-2'])
const meter = await enterMeter(pool, { gateway: 'gw-1', address: '1', serial: '00012345' })
const other = await enterMeter(pool, { gateway: 'gw-1', address: '2', serial: '00012346' })
await enterMeter(pool, { gateway: 'gw-2', address: '1', serial: '77' })

/** by how much the service's clock is ahead */
let aheadMs = 0
async function start(): Promise<RunningIngest> {
  return startIngest({
    databaseUrl: database.adminUrl,
    mqttHost: '127.0.0.1',
    mqttPort: 0,
    clock: { now: () => epochMs(systemClock.now() + aheadMs) },
    log: silent,
    limits: { downlink: { pollMs: 50, firstRetryMs: 60_000 } }
  })
}
let ingest = await start()
t.teardown(() => ingest.stop())
const meterId = meter.meterId.toString()

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (await what()) return
    await sleep(25)
  }
  throw new Error('it never came to be')
}

t.test('a command waits for its gateway, is sent with who asked and who must be there, and ends by the answer', async (t) => {
  const asked = await ask(pool, { meterId, kind: 'valve', parameters: { position: 'closed' } })
  t.equal(asked.state, 'done')
  t.match(await stateOf(pool, asked), { state: 'queued', attempts: 0, effect: null })
  const gateway = await HearingGateway.connect(ingest.port, 'gw-1')
  const heard = await gateway.hear(1)
  const { key } = await stateOf(pool, asked)
  t.match(heard, {
    ...{ id: key, kind: 'valve', bus: 'bus', address: '1', parameters: { position: 'closed' }, requestedBy: 'ayse' },
    device: { id: '00012345', manufacturer: 'KAM' }
  })
  await until(async () => (await stateOf(pool, asked)).state === 'sent')
  await gateway.answer(key, { result: { valve: 'closed' } })
  t.match(await stateOf(pool, asked), { state: 'done', effect: 'done', attempts: 1, result: { valve: 'closed' }, error_code: null })
  const { rows } = await pool.query<{ actor: string; action: string }>(
    `select actor, action from audit.event where subject_type = 'downlink' order by id`
  )
  t.same(rows, [
    { actor: 'ayse', action: 'downlink.requested' },
    { actor: 'gateway gw-1', action: 'downlink.done' }
  ])
  await gateway.leave()
})

t.test('a place is told one thing after the other, another place meanwhile; an answer lets the next one go at once', async (t) => {
  const gateway = await HearingGateway.connect(ingest.port, 'gw-1')
  const first = await ask(pool, { meterId, kind: 'read-now' })
  const second = await ask(pool, { meterId, kind: 'valve', parameters: { position: 'open' } })
  const elsewhere = await ask(pool, { servicePointId: other.servicePointId.toString(), kind: 'read-now' })
  await gateway.hear(2)
  const keys = await Promise.all([first, second, elsewhere].map(async (each) => (await stateOf(pool, each)).key))
  t.same(
    gateway.heard.map(({ id }) => id),
    [keys[0], keys[2]]
  )
  await gateway.answer(keys[0] ?? '', { state: 'failed', code: 'NO_ANSWER', message: 'nobody\u0000 there' })
  t.equal((await gateway.hear(3)).id, keys[1])
  t.match(await stateOf(pool, first), { state: 'failed', effect: 'unclear', error_code: 'NO_ANSWER' })
  for (const key of keys.slice(1)) await gateway.answer(key, { state: 'rejected', code: 'COMMAND_UNSUPPORTED' })
  t.match(await stateOf(pool, second), { state: 'failed', effect: 'none', error_code: 'COMMAND_UNSUPPORTED' })
  await gateway.leave()
})

t.test('a restart between queued and sent, and between sent and answered, loses nothing', async (t) => {
  const asked = await ask(pool, { meterId, kind: 'read-now' })
  await ingest.stop()
  ingest = await start()
  const before = await HearingGateway.connect(ingest.port, 'gw-1')
  const { id } = await before.hear(1)
  await until(async () => (await stateOf(pool, asked)).state === 'sent')
  await ingest.stop()
  ingest = await start()
  const after = await HearingGateway.connect(ingest.port, 'gw-1')
  t.equal((await after.hear(1)).id, id, 'it is sent again: what the gateway had may be gone')
  await after.answer(id, { result: { readings: 1 } })
  await after.answer(id, { result: { readings: 1 } })
  t.match(await stateOf(pool, asked), { state: 'done', attempts: 2, result: { readings: 1 } })
  await after.leave()
})

t.test('what nobody answered expires, and an answer that comes later is seen', async (t) => {
  const unsent = await ask(pool, { meterId, kind: 'read-now' }, 3_600_000)
  const silentGateway = await HearingGateway.connect(ingest.port, 'gw-2')
  const sent = await ask(
    pool,
    { place: { gateway: 'gw-2', bus: 'bus', address: '1' }, kind: 'valve', parameters: { position: 'closed' } },
    3_600_000
  )
  const { id } = await silentGateway.hear(1)
  await until(async () => (await stateOf(pool, sent)).state === 'sent')
  aheadMs = 3_600_000 + 60_000
  await until(async () => (await stateOf(pool, unsent)).state === 'expired')
  t.match(await stateOf(pool, unsent), { effect: 'none', error_code: 'COMMAND_EXPIRED' })
  t.equal((await stateOf(pool, sent)).state, 'sent', 'one that its gateway has is given time for its answer')
  aheadMs += 120_000
  await until(async () => (await stateOf(pool, sent)).state === 'expired')
  t.match(await stateOf(pool, sent), { effect: 'unclear', late: null })
  await silentGateway.answer(id, { result: { valve: 'closed' } })
  t.match(await stateOf(pool, sent), { state: 'expired', effect: 'done', late: { state: 'done', result: { valve: 'closed' } } })
  const { rows } = await pool.query(`select actor from audit.event where action = 'downlink.late'`)
  t.same(rows, [{ actor: 'gateway gw-2' }])
  aheadMs = 0
  await silentGateway.leave()
})

t.test('an answer to nothing that was asked of this gateway is a dead letter, and others in its batch are stored', async (t) => {
  const gateway = await HearingGateway.connect(ingest.port, 'gw-1')
  const stranger = await HearingGateway.connect(ingest.port, 'gw-2')
  const asked = await ask(pool, { meterId, kind: 'read-now' })
  const { id } = await gateway.hear(1)
  await Promise.all([stranger.answer(id), stranger.answer('01234567-89ab-4cde-8f01-23456789abcd')])
  await until(async () => (await stateOf(pool, asked)).state === 'sent')
  t.equal(await count(pool, 'dead_letter', `code = 'COMMAND_UNKNOWN' and gateway_id = 'gw-2'`), 2)
  await gateway.answer(id)
  t.equal((await stateOf(pool, asked)).state, 'done')
  await Promise.all([gateway.leave(), stranger.leave()])
})

t.test('what can not be asked is refused, and says why', async (t) => {
  const wrong: readonly [string, Parameters<typeof ask>[1], number?][] = [
    ['PLACE_NOT_CONNECTED', { place: { gateway: 'gw-1', bus: 'bus', address: '99' }, kind: 'read-now' }],
    ['PLACE_NOT_CONNECTED', { meterId: '999999', kind: 'read-now' }],
    ['VALIDATION', { kind: 'read-now' }],
    ['VALIDATION', { meterId, servicePointId: '1', kind: 'read-now' }],
    ['CONFIG_INVALID', { meterId, kind: 'valve', parameters: { position: 'half' } }],
    ['CONFIG_INVALID', { meterId, kind: 'explode' }],
    ['VALIDATION', { meterId, kind: 'read-now' }, 8 * 86_400_000],
    ['COMMAND_EXPIRED', { meterId, kind: 'read-now' }, -1]
  ]
  for (const [code, payload, forMs] of wrong) t.equal((await ask(pool, payload, forMs)).errorCode, code, JSON.stringify(payload))
  await pool.query(`update account.installation set superseded_at = now() where meter_id = $1`, [other.meterId])
  const place = { gateway: 'gw-1', bus: 'bus', address: '2' }
  t.equal(
    (await ask(pool, { place, kind: 'valve', parameters: { position: 'open' } })).errorCode,
    'METER_NOT_FOUND',
    'whose valve would it be'
  )
  t.equal((await ask(pool, { place, kind: 'read-now' })).errorCode, null, 'reading harms nobody')
})
