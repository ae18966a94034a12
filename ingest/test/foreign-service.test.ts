import { setTimeout as sleep } from 'node:timers/promises'
import { testDatabase } from '@endeks/database/testing'
import { createLog, systemClock } from '@endeks/domain/process'
import { epochMs, toIso } from '@endeks/domain/time'
import t from 'tap'
import { readPayload } from '../src/formats/sparkplug/payload.js'
import { startIngest } from '../src/service.js'
import { type ReplayArguments, replay } from '../src/verbs/replay-dead-letters.js'
import { connectGateway, publish, readingsTopic } from './support/client.js'
import { count, enterMeter, enterUtility, hour, readingsMessage, start } from './support/site.js'
import { sparkplugPayload } from './support/sparkplug.js'

const silent = createLog('test', () => undefined)
const database = await testDatabase(t)
const pool = database.createPool()
await enterUtility(pool, ['tb-1', 'edge-1', 'ours'])
await pool.query(
  `update account.gateway set format = case id when 'tb-1' then 'thingsboard' when 'edge-1' then 'sparkplug' else 'endeks' end`
)
await pool.query(`insert into account.foreign_key (gateway_id, device, key, obis, unit, scaler) values
  ('tb-1', null, 'volume', '8-0:1.0.0*255', 'm3', -3), ('edge-1', null, 'Counter/Volume', '8-0:1.0.0*255', 'm3', -3)`)
await pool.query(`insert into account.foreign_device (gateway_id, device, serial) values ('tb-1', 'Flat 3', '00012345')`)
/** the tests' meters are on a bus of that name; a gateway of another maker has one bus */
const onBus = async (gateway: string, bus: string, address: string, serial: string): Promise<bigint> => {
  const { registerId } = await enterMeter(pool, { gateway, address, serial })
  await pool.query('update account.connection set bus = $1 where gateway_id = $2 and address = $3', [bus, gateway, address])
  return registerId
}
const flat = await onBus('tb-1', 'thingsboard', 'Flat 3', '00012345')
const pump = await onBus('edge-1', 'osb', 'pump', 'pump')

const ingest = await startIngest({
  ...{ databaseUrl: database.adminUrl, mqttHost: '127.0.0.1', mqttPort: 0, clock: systemClock, log: silent },
  limits: { vee: { pollMs: 60_000 } }
})
t.teardown(() => ingest.stop())

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await what()) return
    await sleep(25)
  }
  throw new Error('it never came to be')
}

t.test('what a ThingsBoard gateway publishes is acknowledged and booked, evidence and all', async (t) => {
  const gateway = await connectGateway(ingest.port, 'tb-1')
  t.teardown(() => gateway.endAsync(true))
  await publish(gateway, 'v1/gateway/connect', '{"device":"Flat 3"}')
  const payload = `{"Flat 3":[{"ts":${start},"values":{"volume":12.345}},{"ts":${start + hour},"values":{"volume":12.5,"battery":3.1}}]}`
  await publish(gateway, 'v1/gateway/telemetry', payload)
  await publish(gateway, 'v1/gateway/telemetry', payload)
  const { rows } = await pool.query(
    `select r.raw, r.scaler, e.protocol, e.identity, convert_from(e.response, 'UTF8') as response, p.content::jsonb->>'format' as format
     from metering.reading r join metering.exchange e on e.day = r.exchange_day and e.id = r.exchange_id
     join metering.profile p on p.hash = e.profile_hash where r.register_id = $1 order by r.at`,
    [flat]
  )
  t.match(rows, [
    { raw: 12_345n, scaler: -3, protocol: 'thingsboard', identity: { id: '00012345' }, format: 'thingsboard' },
    { raw: 12_500n, response: payload.slice(1, -1) }
  ])
  t.equal(rows.length, 2)
  t.equal(await count(pool, 'dead_letter', `code = 'MESSAGE_KEY_UNMAPPED' and message like '%battery%' and read_with is null`), 2)
  t.equal(ingest.statistics().refusals.MESSAGE_KEY_UNMAPPED, 2)
})

t.test('an edge node of Sparkplug connects with its will, publishes without acknowledgement, and is asked for its birth', async (t) => {
  const will = { topic: 'spBv1.0/osb/NDEATH/edge-1', payload: sparkplugPayload(start, undefined, []), qos: 1, retain: false } as const
  const edge = await connectGateway(ingest.port, 'edge-1', { will })
  t.teardown(() => edge.endAsync(true))
  const heard: { topic: string; payload: Buffer }[] = []
  edge.on('message', (topic, payload) => heard.push({ topic, payload }))
  await edge.subscribeAsync('spBv1.0/osb/NCMD/edge-1', { qos: 1 })
  await t.rejects(edge.subscribeAsync('spBv1.0/osb/NDATA/edge-2'))
  const send = (kind: string, payload: Buffer): Promise<unknown> => edge.publishAsync(`spBv1.0/osb/${kind}`, payload, { qos: 0 })
  await send('DDATA/edge-1/pump', sparkplugPayload(start, 5, [{ alias: 1, double: 0.5 }]))
  await until(() => heard.length === 1)
  t.equal(heard[0]?.topic, 'spBv1.0/osb/NCMD/edge-1')
  t.match(readPayload(heard[0]?.payload ?? Buffer.alloc(0)), { ok: true, value: { metrics: [{ name: 'Node Control/Rebirth' }] } })
  await send('NBIRTH/edge-1', sparkplugPayload(start, 0, [{ name: 'bdSeq', datatype: 8, long: 0n }]))
  await send('DBIRTH/edge-1/pump', sparkplugPayload(start, 1, [{ name: 'Counter/Volume', alias: 1, datatype: 10, double: 0.5 }]))
  await send('DDATA/edge-1/pump', sparkplugPayload(start + hour, 2, [{ alias: 1, double: 0.30000000000000004 * 5 }]))
  const late = { alias: 1, double: 0.25, timestamp: start - hour, historical: true }
  await send('DDATA/edge-1/pump', sparkplugPayload(start + hour, 4, [late]))
  await until(async () => (await count(pool, 'reading', `register_id = ${pump}`)) === 3)
  const { rows } = await pool.query('select raw from metering.reading where register_id = $1 order by at', [pump])
  t.same(rows, [{ raw: 250n }, { raw: 500n }, { raw: 1_500n }])
  t.equal(ingest.statistics().foreignMissing, 1)
  t.equal(await count(pool, 'dead_letter', `code = 'MESSAGE_BIRTH_NEEDED' and gateway_id = 'edge-1' and read_with is not null`), 1)
})

t.test('a gateway speaks the language that was entered for it, and has no will but the one it needs', async (t) => {
  const ours = await connectGateway(ingest.port, 'ours')
  t.teardown(() => ours.endAsync(true))
  await publish(ours, 'v1/gateway/telemetry', `{"Flat 3":[{"ts":${start},"values":{"8-0:1.0.0*255 m3":1}}]}`)
  await publish(ours, 'spBv1.0/osb/NDATA/ours', sparkplugPayload(start, 0, []))
  await publish(ours, 'spBv1.0/osb/NDATA/edge-1', sparkplugPayload(start, 0, []))
  await publish(ours, readingsTopic('ours'), readingsMessage(1, [{ address: '1', serial: '1', values: [[epochMs(start), 1n]] }]))
  await ours.publishAsync('endeks/1/ours/readings', 'x', { qos: 0 })
  t.equal(await count(pool, 'dead_letter', `code = 'MESSAGE_FOREIGN_GATEWAY' and gateway_id = 'ours'`), 3)
  await until(async () => (await count(pool, 'dead_letter', `gateway_id = 'ours' and message like '%QoS 1%'`)) === 1)
  const gone = { payload: Buffer.from('gone'), qos: 1, retain: false } as const
  await t.rejects(connectGateway(ingest.port, 'edge-1', { will: { ...gone, topic: 'spBv1.0/osb/NDEATH/edge-2' } }))
  await t.rejects(connectGateway(ingest.port, 'edge-1', { will: { ...gone, topic: 'spBv1.0/osb/NDATA/edge-1' } }))
})

async function replayed(given: Partial<ReplayArguments> = {}): Promise<{ readonly code: number; readonly lines: string[] }> {
  const lines: string[] = []
  const tools = { print: (line: string) => lines.push(line), note: () => undefined, signal: new AbortController().signal }
  const code = await replay({ ENDEKS_DATABASE_URL: database.adminUrl }, { dryRun: false, ...given }, tools)
  return { code, lines }
}

t.test('dead letters are taken when what was missing has been entered, and the rest stays with its code', async (t) => {
  t.same((await replayed({ gateway: 'tb-1', dryRun: true })).lines, [
    'MESSAGE_KEY_UNMAPPED: 0 would be taken, 2 refused (MESSAGE_KEY_UNMAPPED)',
    'in all: 0 would be taken, 2 staying'
  ])
  t.equal(await count(pool, 'dead_letter', 'replayed_at is not null'), 0)
  t.match(await replayed({ gateway: 'tb-1' }), { code: 1 })
  t.equal(await count(pool, 'dead_letter', `outcome = 'MESSAGE_KEY_UNMAPPED'`), 2)
  const letters = await count(pool, 'dead_letter')
  await pool.query(`insert into account.foreign_key (gateway_id, key, obis, unit) values ('tb-1', 'battery', null, null)`)
  t.same(await replayed({ gateway: 'tb-1' }), { code: 0, lines: ['MESSAGE_KEY_UNMAPPED: 2 taken', 'in all: 2 taken, 0 staying'] })
  t.equal(await count(pool, 'reading', `register_id = ${flat}`), 2, 'what was there is there once')
  t.same((await replayed({ gateway: 'tb-1' })).lines, ['in all: 0 taken, 0 staying'])
  t.equal(await count(pool, 'dead_letter'), letters, 'and none is kept a second time')
})

t.test('a letter of an edge node is read by the birth it was sent under, not by a later one', async (t) => {
  const edge = await connectGateway(ingest.port, 'edge-1')
  t.teardown(() => edge.endAsync(true))
  const send = (kind: string, payload: Buffer): Promise<void> => publish(edge, `spBv1.0/osb/${kind}`, payload)
  const births = (volumeAlias: number, otherAlias: number): Buffer =>
    sparkplugPayload(start, 1, [
      { name: 'Counter/Volume', alias: volumeAlias, datatype: 10, isNull: true },
      { name: 'Counter/Other', alias: otherAlias, datatype: 10, isNull: true }
    ])
  await send('NBIRTH/edge-1', sparkplugPayload(start, 0, []))
  await send('DBIRTH/edge-1/pump', births(1, 2))
  await send(
    'DDATA/edge-1/pump',
    sparkplugPayload(start + 2 * hour, 2, [
      { alias: 2, double: 7 },
      { alias: 1, double: 2 }
    ])
  )
  t.equal(await count(pool, 'reading', `register_id = ${pump} and raw = 2000`), 1)
  await send('NBIRTH/edge-1', sparkplugPayload(start, 0, []))
  await send('DBIRTH/edge-1/pump', births(2, 1))
  await pool.query(
    `insert into account.register (meter_id, obis, digits, max_flow_milli_per_hour) select id, '8-1:1.0.0*255', 8, 1000000000 from account.meter where serial = 'pump'`
  )
  await pool.query(
    `insert into account.foreign_key (gateway_id, key, obis, unit) values ('edge-1', 'Counter/Other', '8-1:1.0.0*255', 'm3')`
  )
  const { code, lines } = await replayed({ gateway: 'edge-1' })
  t.equal(code, 1)
  t.same(lines, [
    'MESSAGE_BIRTH_NEEDED: 0 taken, 1 refused (MESSAGE_BIRTH_NEEDED)',
    'MESSAGE_KEY_UNMAPPED: 1 taken',
    'in all: 1 taken, 1 staying'
  ])
  const { rows } = await pool.query(
    `select x.obis, r.raw, r.scaler from metering.reading r join account.register x on x.id = r.register_id
     join account.meter m on m.id = x.meter_id where m.serial = 'pump' and r.at = $1::timestamptz order by obis`,
    [toIso(epochMs(start + 2 * hour))]
  )
  t.same(rows, [
    { obis: '8-0:1.0.0*255', raw: 2_000n, scaler: -3 },
    { obis: '8-1:1.0.0*255', raw: 7n, scaler: 0 }
  ])
})

t.test('a letter without its end is not read again, and a wrong argument is told', async (t) => {
  const ours = await connectGateway(ingest.port, 'ours')
  t.teardown(() => ours.endAsync(true))
  await publish(ours, readingsTopic('ours'), Buffer.alloc(70_000, 0x7b))
  const since = toIso(epochMs(systemClock.now() - 3_600_000))
  const { lines } = await replayed({ gateway: 'ours', code: 'MESSAGE_MALFORMED', since })
  t.match(lines[0], /^MESSAGE_MALFORMED: 0 taken, 1 refused \(MESSAGE_MALFORMED\), 1 not replayable, as only the first 64 KB were kept$/)
  for (const wrong of [{ code: 'NONE' }, { gateway: 'a/b' }, { since: 'yesterday' }])
    await t.rejects(replayed(wrong), { code: 'CONFIG_INVALID' })
})
