import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { awaitCommand, enqueue } from '@endeks/database/commands'
import { testDatabase } from '@endeks/database/testing'
import { createLog, systemClock } from '@endeks/domain/process'
import { epochMs } from '@endeks/domain/time'
import t from 'tap'
import { startIngest } from '../src/service.js'
import { connectGateway, ended, publish, readingsTopic } from './support/client.js'
import { count, enterMeter, enterUtility, hour, readingsMessage, start, type Told } from './support/site.js'

const silent = createLog('test', () => undefined)
const database = await testDatabase(t)
const pool = database.createPool()
await enterUtility(pool, ['gw-1', 'gw-2'])
const meter = await enterMeter(pool, { gateway: 'gw-1', address: '1', serial: '00012345' })
await enterMeter(pool, { gateway: 'gw-2', address: '1', serial: '77' })

/** by how much the service's clock is slow */
let slowMs = 0
const ingest = await startIngest({
  databaseUrl: database.adminUrl,
  mqttHost: '127.0.0.1',
  mqttPort: 0,
  clock: { now: () => epochMs(systemClock.now() - slowMs) },
  log: silent,
  limits: { accept: { deadLettersPerDay: 7 }, vee: { pollMs: 50 }, dueEveryMs: 50 }
})
t.teardown(() => ingest.stop())
const gateway = await connectGateway(ingest.port, 'gw-1')
const neighbour = await connectGateway(ingest.port, 'gw-2')
t.teardown(async () => {
  await Promise.all([gateway.endAsync(true), neighbour.endAsync(true)])
})
const topic = readingsTopic('gw-1')
const told = (hours: number, raw: bigint, other: Partial<Told> = {}): Told => ({
  address: '1',
  serial: '00012345',
  values: [[epochMs(start + hours * hour), raw]],
  ...other
})

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await what()) return
    await sleep(25)
  }
  throw new Error('it never came to be')
}

t.test('a message is acknowledged after its commit, not before', async (t) => {
  const client = await pool.connect()
  await client.query('begin')
  await client.query('lock table metering.reading in access exclusive mode')
  let acknowledged = false
  const published = publish(gateway, topic, readingsMessage(1, [told(0, 1_000n)])).then(() => {
    acknowledged = true
  })
  await until(async () => {
    const { rows } = await pool.query(`select from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'endeks-ingest'`)
    return rows.length > 0
  })
  t.notOk(acknowledged)
  await client.query('commit')
  client.release()
  await published
  t.equal(await count(pool, 'reading'), 1)
  t.equal(await count(pool, 'exchange'), 1)
  const { rows } = await pool.query(
    `select e.gateway_id, e.identity, e.response, r.raw from metering.reading r join metering.exchange e on e.day = r.exchange_day and e.id = r.exchange_id`
  )
  t.match(rows, [{ gateway_id: 'gw-1', identity: { id: '00012345' }, raw: 1_000n }])
})

t.test('a duplicate changes nothing, another value for the instant is a conflict', async (t) => {
  await publish(gateway, topic, readingsMessage(2, [told(0, 1_000n)]))
  t.equal(await count(pool, 'reading'), 1)
  t.equal(await count(pool, 'exchange'), 1, 'and its evidence is not stored twice')
  t.equal(await count(pool, 'reading_conflict'), 0)
  const different = readingsMessage(3, [told(0, 2_000n)])
  await publish(gateway, topic, different)
  await publish(gateway, topic, different)
  t.equal(await count(pool, 'reading', 'raw = 1000'), 1)
  t.equal(await count(pool, 'reading_conflict', 'raw = 2000'), 1)
  t.equal(await count(pool, 'exchange'), 2)
  const ranges = await pool.query(`select first, last from metering.sequence_range where gateway_id = 'gw-1' order by first`)
  t.same(ranges.rows, [{ first: 1n, last: 3n }])
})

t.test('what waits for its meter is adopted when the meter is entered', async (t) => {
  const future = epochMs(systemClock.now() + 10 * 60_000)
  const never = epochMs(8_640_000_000_000_000)
  await publish(
    gateway,
    topic,
    readingsMessage(4, [
      {
        address: '9',
        serial: '99',
        values: [
          [start, 5n],
          [epochMs(start + hour), 6n]
        ]
      },
      told(1, 1_100n, { serial: '12345' }),
      told(2, 1_100n, { manufacturer: 'ITR' }),
      {
        address: '1',
        serial: '00012345',
        values: [
          [future, 1_200n],
          [never, 1_300n],
          [epochMs(Date.UTC(1980, 0, 1)), 3n]
        ]
      }
    ])
  )
  const { rows } = await pool.query<{ reason: string }>('select reason from metering.unassigned order by id')
  t.same(
    rows.map((row) => row.reason),
    ['UNKNOWN_CONNECTION', 'UNKNOWN_CONNECTION', 'OTHER_DEVICE', 'OTHER_DEVICE', 'FUTURE', 'FUTURE', 'UNKNOWN_CONNECTION']
  )
  const entered = await enterMeter(pool, { gateway: 'gw-1', address: '9', serial: '99' })
  const command = {
    owner: 'ingest',
    kind: 'adopt-unassigned',
    payload: { gatewayId: 'gw-1' },
    requestedBy: 'test',
    deadlineMs: 10_000
  } as const
  const id = await enqueue(pool, command, systemClock)
  const done = await awaitCommand(pool, { id, clock: systemClock, withinMs: 5_000 })
  t.match(done, { state: 'done', result: { adopted: 2, examined: 5, more: false } })
  t.equal(await count(pool, 'unassigned', 'adopted_at is not null'), 2)
  t.equal(await count(pool, 'reading', `register_id = ${entered.registerId} and exchange_id is not null`), 2)
  await until(async () => (await count(pool, 'segment', `register_id = ${entered.registerId}`)) === 1)
})

t.test('another value for what waits already waits beside it, and the first becomes the reading', async (t) => {
  const saying = (raw: bigint): Told => ({ address: '5', serial: '5', values: [[start, raw]] })
  const other = readingsMessage(6, [saying(5n), saying(4n)])
  await publish(gateway, topic, readingsMessage(5, [saying(6n)]))
  await publish(gateway, topic, other)
  await publish(gateway, topic, other)
  t.equal(await count(pool, 'dead_letter'), 0)
  const { rows } = await pool.query(`select raw from metering.unassigned where address = '5' order by id`)
  t.same(rows, [{ raw: 6n }, { raw: 5n }, { raw: 4n }])
  const { registerId } = await enterMeter(pool, { gateway: 'gw-1', address: '5', serial: '5' })
  const payload = { gatewayId: 'gw-1', address: '5' }
  const command = { owner: 'ingest', kind: 'adopt-unassigned', payload, requestedBy: 'test', deadlineMs: 10_000 } as const
  const id = await enqueue(pool, command, systemClock)
  t.match(await awaitCommand(pool, { id, clock: systemClock, withinMs: 5_000 }), { state: 'done', result: { adopted: 3 } })
  t.equal(await count(pool, 'reading', `register_id = ${registerId} and raw = 6`), 1)
  t.equal(await count(pool, 'reading_conflict', `register_id = ${registerId} and raw in (4, 5) and exchange_id is not null`), 2)
})

t.test('a reading that was ahead of its time is adopted when that has come, though nobody enters anything', async (t) => {
  const { registerId } = await enterMeter(pool, { gateway: 'gw-2', address: 'ahead', serial: '6' })
  slowMs = 3_600_000
  const at = epochMs(systemClock.now() - 60_000)
  await publish(neighbour, readingsTopic('gw-2'), readingsMessage(500, [{ address: 'ahead', serial: '6', values: [[at, 7n]] }]))
  t.equal(await count(pool, 'unassigned', `address = 'ahead' and reason = 'FUTURE' and adopted_at is null`), 1)
  slowMs = 0
  await until(async () => (await count(pool, 'reading', `register_id = ${registerId} and raw = 7`)) === 1)
  t.equal(await count(pool, 'unassigned', `reason = 'FUTURE' and adopted_at is null`), 2, 'what is still ahead waits on')
})

t.test('a typed reading takes the same way', async (t) => {
  const ask = async (payload: Record<string, string | number>): Promise<unknown> => {
    const id = await enqueue(
      pool,
      { owner: 'ingest', kind: 'typed-reading', payload, requestedBy: 'test', deadlineMs: 10_000 },
      systemClock
    )
    const { state, result, errorCode } = await awaitCommand(pool, { id, clock: systemClock, withinMs: 5_000 })
    return { state, result, errorCode }
  }
  const typed = {
    registerId: meter.registerId.toString(),
    at: '2026-01-01T05:00:00Z',
    raw: '1500',
    scaler: -3,
    unit: 'm3',
    status: 0,
    source: 'hand-held'
  }
  t.match(await ask(typed), { state: 'done', result: { stored: true } })
  t.match(await ask(typed), { state: 'done', result: { stored: 'same' } })
  t.match(await ask({ ...typed, raw: '1501' }), { state: 'done', result: { stored: 'conflict' } })
  t.match(await ask({ ...typed, at: '2024-01-01T00:00:00Z' }), { state: 'failed', errorCode: 'VALIDATION' })
  t.match(await ask({ ...typed, at: '2099-01-01T00:00:00Z' }), { state: 'failed', errorCode: 'VALIDATION' })
  t.match(await ask({ ...typed, registerId: '999999' }), { state: 'failed', errorCode: 'METER_NOT_FOUND' })
  t.match(await ask({ ...typed, source: 'remote' }), { state: 'failed', errorCode: 'CONFIG_INVALID' })
  const events = await pool.query(
    `select e.actor, e.subject_type, e.subject, e.details from audit.event e
     join account.command c on c.id = (e.details->>'command')::bigint and c.kind = 'typed-reading' where e.action = 'reading.typed' order by e.id`
  )
  const said = { at: '2026-01-01T05:00:00.000Z', scaler: -3, unit: 'm3', status: 0, source: 'hand-held' }
  const event = { actor: 'test', subject_type: 'register', subject: `${meter.registerId}` }
  t.match(events.rows, [
    { ...event, details: { ...said, raw: '1500', stored: true } },
    { ...event, details: { ...said, raw: '1500', stored: 'same' } },
    { ...event, details: { ...said, raw: '1501', stored: 'conflict' } }
  ])
  t.equal(events.rows.length, 3, 'and who brought it is known')
  await until(async () => (await count(pool, 'segment', `register_id = ${meter.registerId} and superseded_at is null`)) === 1)
  const { rows } = await pool.query(`select amount_milli, from_raw, to_raw from metering.segment where register_id = $1`, [
    meter.registerId
  ])
  t.same(rows, [{ amount_milli: 500_000n, from_raw: 1_000n, to_raw: 1_500n }])
})

t.test('a profile is kept once, and only with its own hash', async (t) => {
  const content = '{"name":"generic"}'
  const hash = createHash('sha256').update(content).digest('hex')
  const profiles = topic.replace('readings', 'profiles')
  await publish(gateway, profiles, JSON.stringify({ v: 1, hash, content }))
  await publish(gateway, profiles, JSON.stringify({ v: 1, hash, content }))
  await publish(gateway, profiles, JSON.stringify({ v: 1, hash: 'ab'.repeat(32), content }))
  t.equal(await count(pool, 'profile'), 1)
  t.equal(await count(pool, 'dead_letter', `code = 'MESSAGE_EVIDENCE_HASH'`), 1)
})

t.test('bad messages are kept with their code, and the next is served', async (t) => {
  const good = readingsMessage(20, [told(10, 2_000n)])
  const megabyte = Buffer.concat([Buffer.from('{"v":1'), randomBytes(1_000_000)])
  await publish(gateway, topic, 'garbage \u0000 not JSON')
  await publish(gateway, topic, megabyte)
  await publish(gateway, readingsTopic('gw-2'), good)
  await publish(gateway, 'somewhere/else', good)
  await publish(gateway, topic, good.replace(/"response":"[^"]*"/, '"response":"AAAA"'))
  await gateway.publishAsync(topic, good, { qos: 1, retain: true })
  const { rows } = await pool.query<{ code: string; size: number; kept: number; sha256: Buffer }>(
    `select code, size, length(payload) as kept, sha256 from metering.dead_letter order by id desc limit 6`
  )
  t.same(
    rows.map((row) => row.code),
    [
      'MESSAGE_MALFORMED',
      'MESSAGE_EVIDENCE_HASH',
      'MESSAGE_FOREIGN_GATEWAY',
      'MESSAGE_FOREIGN_GATEWAY',
      'MESSAGE_TOO_LARGE',
      'MESSAGE_MALFORMED'
    ]
  )
  t.match(rows[4], { size: megabyte.length, kept: 65_536 })
  t.same(rows[4]?.sha256, createHash('sha256').update(megabyte).digest())
  t.equal(await count(pool, 'reading', 'raw = 2000'), 0)
  await publish(gateway, topic, good)
  t.equal(await count(pool, 'reading', 'raw = 2000'), 1)
  const before = ingest.statistics()
  await publish(gateway, topic, 'more garbage')
  t.equal(ingest.statistics().deadLettersOverQuota, before.deadLettersOverQuota + 1, 'beyond the quota it is only counted')
  t.equal(await count(pool, 'dead_letter'), 7)
})

t.test('a message that the database refuses does not fail its neighbours', async (t) => {
  const poison = readingsMessage(30, [{ address: 'nul', serial: 'nul', values: [[start, 1n]] }]).replaceAll('"nul"', '"a\\u0000b"')
  const neighbours = Array.from({ length: 6 }, (_, index) => readingsMessage(31 + index, [told(20 + index, 3_000n + BigInt(index))]))
  await pool.query('delete from metering.dead_letter')
  await Promise.all([...neighbours.slice(0, 3), poison, ...neighbours.slice(3)].map((payload) => publish(gateway, topic, payload)))
  t.equal(await count(pool, 'reading', 'raw between 3000 and 3005'), 6)
  t.equal(await count(pool, 'dead_letter', `code = 'MESSAGE_UNSTORABLE'`), 1)
})

t.test('who is not allowed in stays out, and nobody else notices', async (t) => {
  const refused = async (options: Parameters<typeof connectGateway>[2], name = 'gw-2'): Promise<void> => {
    await t.rejects(connectGateway(ingest.port, name, options), JSON.stringify(options))
  }
  await refused({ password: 'wrong' })
  await refused({ username: 'gw-1' })
  await refused({ clientId: 'gw-1' })
  await refused({}, 'gw-unknown')
  await refused({ keepalive: 5 })
  await refused({ keepalive: 0 })
  await refused({ will: { topic, payload: Buffer.from('gone'), qos: 1, retain: false } })
  const socket = connectSocket(ingest.port, '127.0.0.1')
  socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'))
  await once(socket, 'close')
  const huge = connectSocket(ingest.port, '127.0.0.1')
  huge.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]))
  await once(huge, 'close')
  t.equal(ingest.statistics().connectsRefused, 7)
  await publish(neighbour, readingsTopic('gw-2'), readingsMessage(1, [{ address: '1', serial: '77', values: [[start, 1n]] }]))
  t.ok(neighbour.connected)
})

t.test('a gateway hears only its own commands, and no client reaches another', async (t) => {
  const heard: string[] = []
  neighbour.on('message', (on) => heard.push(on))
  await t.rejects(neighbour.subscribeAsync('#'))
  await t.rejects(neighbour.subscribeAsync('endeks/1/gw-1/cmd'))
  await neighbour.subscribeAsync('endeks/1/gw-2/cmd', { qos: 1 })
  await publish(gateway, 'endeks/1/gw-2/cmd', 'open the valve')
  await publish(neighbour, readingsTopic('gw-2'), readingsMessage(2, [{ address: '1', serial: '77', values: [[start, 1n]] }]))
  t.same(heard, [])
})

t.test('a packet beyond the bound ends its connection before it is collected', async (t) => {
  const flooding = await connectGateway(ingest.port, 'gw-2')
  const closed = ended(flooding)
  flooding.on('error', () => undefined)
  flooding.publish(readingsTopic('gw-2'), Buffer.alloc(5 * 1024 * 1024), { qos: 1 })
  await closed
  await flooding.endAsync(true)
  await publish(gateway, topic, readingsMessage(40, [told(40, 4_000n)]))
  t.equal(await count(pool, 'reading', 'raw = 4000'), 1)
})
