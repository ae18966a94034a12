import t from 'tap'
import { migrationsFolder } from '../../src/migrate/files.js'
import { readMigrations } from '../../src/migrate/index.js'
import type { Pool } from '../../src/pool/index.js'
import { type Teardown, testDatabase } from '../../src/testing/index.js'
import { migrationFolder } from '../migrate/folder.js'

// Goal: nothing is dropped that is young by instant or receipt or that anybody needs, on partitions and on hypertables alike; rows
// that come late into compressed chunks are stored once.
// Method: months of readings with old receipts, and one thing after the other that needs them. What only TimescaleDB has is skipped
// by name where the server has none.

interface Storage {
  readonly pool: Pool
  readonly ingest: Pool
}

const template = await testDatabase(t)
const { rows: kinds } = await template.createPool().query<{ kind: string }>('select metering.apply_storage_policy() as kind')
const kind = kinds[0]?.kind ?? ''
const withoutTimescale = kind === 'partitions' ? 'this server has no TimescaleDB' : false
const withoutColumnstore = kind === 'columnstore' ? false : `this server keeps ${kind}: TimescaleDB with its own licence is not there`

async function storage(t: Teardown): Promise<Storage> {
  const database = await testDatabase(t)
  const pool = database.createPool()
  return { pool, ingest: database.createPool('endeks_ingest') }
}

/** The columnstore as the policy sets it up, without the job that would come in between, and the old chunks in it. */
async function compress(pool: Pool, work: () => Promise<void>): Promise<void> {
  await pool.query('select metering.apply_storage_policy()')
  await pool.query(`select remove_compression_policy('metering.reading'), remove_compression_policy('metering.exchange')`)
  await work()
  for (const table of ['reading', 'exchange']) {
    const { rowCount } = await pool.query(`select compress_chunk(c) from show_chunks($1::regclass, older_than => interval '45 days') c`, [
      `metering.${table}`
    ])
    if (rowCount === 0) throw new Error(`no chunk of ${table} is old enough`)
  }
}

/** A reading a day of register 1, each with its exchange, for months that begin so many months ago. */
async function enterMonths(pool: Pool, first: number, last: number, received = 'at'): Promise<void> {
  await pool.query(
    `select metering.ensure_partitions(d::date, d::date) from generate_series(now() - $1 * interval '1 month', now() - $2 * interval '1 month', '1 month') d
     union all select metering.ensure_partitions((now() - interval '1 day')::date, current_date)`,
    [first, last]
  )
  await pool.query(
    `with day as (select d as at, extract(epoch from d)::bigint as id from generate_series(
         date_trunc('month', now() - $1 * interval '1 month'), date_trunc('month', now() - $2 * interval '1 month') + interval '27 days', '1 day') d
     ), exchanged as (
       insert into metering.exchange (id, at, received_at, day, key_version, gateway_id, bus, address, protocol, zone, identity, profile_hash, sha256, request, response)
       select id, at, ${received}, (${received})::date, 0, 'gw', 'bus', '1', 'mbus', 'UTC', '{}', '', '', '', '' from day
     )
     insert into metering.reading (register_id, at, raw, exchange_id, received_at, exchange_day, status, scaler, unit, source)
     select 1, at, id, id, ${received}, (${received})::date, 0, -3, 'm3', 'remote' from day`,
    [first, last]
  )
}

async function dropAll(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ dropped: string }>('select dropped from metering.drop_expired(100)')
  return rows.map((row) => row.dropped)
}

/** How many months old the oldest row is, whole ones. */
async function oldest(pool: Pool, table: 'reading' | 'exchange'): Promise<number> {
  const { rows } = await pool.query<{ months: number }>(
    `select (extract(year from a) * 12 + extract(month from a))::integer as months from (select age(now(), min(at)) as a from metering.${table}) t`
  )
  return rows[0]?.months ?? -1
}

t.test('raw data older than thirteen months is dropped, and no younger one', async (t) => {
  const { pool, ingest } = await storage(t)
  await enterMonths(pool, 18, 1)
  t.same(await dropAll(ingest).then((dropped) => dropped.length > 4), true)
  t.ok([13, 14].includes(await oldest(pool, 'reading')), 'a month goes when its last day is old enough')
  t.ok([13, 14].includes(await oldest(pool, 'exchange')))
  t.same(await dropAll(ingest), [], 'once')
  const { rows } = await pool.query(
    'select 1 from metering.storage_policy where readings_dropped_before <= (select min(at) from metering.reading)'
  )
  t.equal(rows.length, 1, 'it is noted what is gone')
  await pool.query('update metering.storage_policy set keep_months = null')
  t.same(await dropAll(ingest), [], 'for ever is for ever')
  await pool.query('update metering.storage_policy set keep_months = 3')
  await dropAll(ingest)
  t.ok([3, 4].includes(await oldest(pool, 'reading')), 'how long is for the utility to say')
})

t.test('old readings that came lately are kept as long as any', async (t) => {
  const { pool, ingest } = await storage(t)
  await enterMonths(pool, 30, 29, `now() - interval '1 day'`)
  const droppedReadings = async (): Promise<number> => (await dropAll(ingest)).filter((each) => each.startsWith('readings')).length
  t.equal(await droppedReadings(), 0)
  await enterMonths(pool, 18, 16)
  t.ok((await droppedReadings()) > 0, 'a month of stragglers keeps no other')
  t.equal(await oldest(pool, 'reading'), 30)
})

/** What needs readings, each from some months ago on, and how it is satisfied. */
const needs = [
  {
    name: 'an open exception',
    months: 20,
    enter: `insert into metering.exception (register_id, rule, severity, from_at, to_at, details)
      values (1, 'gap', 'hold', now() - interval '20 months', now(), '{}')`,
    satisfy: `update metering.exception set state = 'released'`
  },
  {
    name: 'an undecided conflict',
    months: 18,
    enter: `insert into metering.reading_conflict (register_id, at, raw, status, scaler, unit, source)
      values (1, now() - interval '18 months', 1, 0, 0, 'm3', 'remote')`,
    satisfy: 'update metering.reading_conflict set decided_at = now()'
  },
  {
    name: 'a span to be validated',
    months: 16,
    enter: `insert into metering.dirty (register_ids, from_ms, to_ms)
      select array[1], array[floor(1000 * extract(epoch from now() - interval '16 months'))::bigint], array[floor(1000 * extract(epoch from now()))::bigint]`,
    satisfy: 'delete from metering.dirty'
  },
  {
    name: 'an unbilled supply',
    months: 14,
    enter: `with person as (insert into account.person (kind, name, name_folded) values ('natural', 'A', 'a') returning id),
       participant as (insert into account.participant (person_id, ownership_status) select id, 'owner' from person returning id),
       contract as (insert into account.contract (participant_id, number, signed_on) select id, '1', '2020-01-01' from participant returning id),
       property as (insert into account.property (kind, label) values ('parcel', 'p') returning id),
       point as (insert into account.service_point (property_id, code, commodity) select id, 'sp', 'water' from property returning id),
       subscription as (insert into account.subscription (contract_id, number, commodity, route, opened_at)
         select id, '1', 'water', 'r', now() - interval '14 months' from contract returning id)
       insert into account.supply (service_point_id, subscription_id, valid_from)
       select point.id, subscription.id, now() - interval '5 years' from point, subscription`,
    satisfy: 'update account.subscription set closed_at = opened_at'
  }
] as const

t.test('what is not decided, validated or billed yet keeps the readings from its beginning on', async (t) => {
  const { pool, ingest } = await storage(t)
  await enterMonths(pool, 24, 12)
  for (const { enter } of needs) await pool.query(enter)
  for (const { name, months, satisfy } of needs) {
    t.ok((await dropAll(ingest)).length > 0, 'what was before can go')
    const { rows } = await pool.query(`select 1 from metering.reading where at < now() - $1 * interval '1 month' limit 1`, [months])
    t.equal(rows.length, 1, `${name} keeps the reading before it too`)
    await pool.query(satisfy)
  }
  await dropAll(ingest)
  t.ok([13, 14].includes(await oldest(pool, 'reading')))
})

t.test('dropping waits for no writer for long, and nothing may be dropped while somebody validates', async (t) => {
  const { pool, ingest } = await storage(t)
  await enterMonths(pool, 18, 17)
  const holder = await pool.connect()
  try {
    await holder.query('begin')
    await holder.query('select metering.readings_floor()')
    await t.rejects(dropAll(ingest), { code: '55P03' })
  } finally {
    await holder.query('rollback')
    holder.release()
  }
  t.ok((await dropAll(ingest)).length > 0)
})

t.test('an extension that comes after the tables makes no hypertables of them', { skip: withoutTimescale }, async (t) => {
  const database = await testDatabase(t, { folder: await migrationFolder(t, {}) })
  const owner = database.createPool()
  for (const { sql } of await readMigrations(migrationsFolder)) await owner.query(sql)
  // A session of its own: one that has looked at tables may have loaded the library.
  const pool = database.createPool()
  await pool.query('create extension timescaledb')
  const { rows } = await pool.query<{ kind: string; made: number }>(
    'select metering.apply_storage_policy() as kind, metering.ensure_partitions(current_date, current_date) as made'
  )
  t.same(rows, [{ kind: 'partitions', made: 4 }], 'and its months are made as before')
})

t.test('rows that come late into compressed chunks are stored once', { skip: withoutColumnstore }, async (t) => {
  const { pool } = await storage(t)
  await compress(pool, () => enterMonths(pool, 4, 3))
  const insert = `insert into metering.reading (register_id, at, raw, status, scaler, unit, source)
    select register_id, at, raw, 0, -3, 'm3', 'remote' from (select * from metering.reading order by at limit 10) r`
  await t.rejects(pool.query(insert), { code: '23505' }, 'what COPY is told too')
  t.equal((await pool.query(`${insert} on conflict do nothing`)).rowCount, 0)
  const late = insert.replace('at, raw, 0', `at + interval '1 hour', raw, 0`)
  t.equal((await pool.query(late)).rowCount, 10)
  await t.rejects(pool.query(late), { code: '23505' })
  const { rows } = await pool.query<{ n: bigint }>(
    'select count(*) as n from metering.reading where raw = (select min(raw) from metering.reading)'
  )
  t.equal(rows[0]?.n, 2n)
})

t.test('compressed months are dropped too', { skip: withoutColumnstore }, async (t) => {
  const { pool, ingest } = await storage(t)
  await compress(pool, () => enterMonths(pool, 18, 12))
  t.ok((await dropAll(ingest)).length > 4)
  t.ok([13, 14].includes(await oldest(pool, 'reading')))
})

t.test('the age for the columnstore is the utility’s', { skip: withoutColumnstore }, async (t) => {
  const { pool, ingest } = await storage(t)
  const after = async (): Promise<unknown> => {
    await ingest.query('select metering.apply_storage_policy()')
    const { rows } = await pool.query(
      `select config ->> 'compress_after' as after from timescaledb_information.jobs where proc_name = 'policy_compression' and hypertable_name = 'reading'`
    )
    return rows
  }
  t.same(await after(), [{ after: '45 days' }])
  await pool.query('update metering.storage_policy set columnstore_after_days = 60')
  t.same(await after(), [{ after: '60 days' }])
  await t.rejects(pool.query('update metering.storage_policy set columnstore_after_days = 10'), { code: '23514' }, 'late rows still come')
})
