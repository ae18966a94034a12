import { isAppError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import { epochMs, fromIso } from '@endeks/domain/time'
import { sql } from 'kysely'
import pg from 'pg'
import t from 'tap'
import { createKysely, createPool, hasSqlState, instant, inTransaction } from '../../src/pool/index.js'
import { parseTimestamp } from '../../src/pool/types.js'
import { testDatabase } from '../../src/testing/index.js'
import { migrationFolder } from '../migrate/folder.js'

const folder = await migrationFolder(t, {
  '0001_create_thing.sql':
    'create table thing (id integer primary key, at timestamptz, amount bigint not null default 0); insert into thing (id) values (1), (2);',
  '0001.check.sql': ''
})
const database = await testDatabase(t, { folder })
const pool = database.createPool()

t.test('values arrive exactly, whatever the zone of this machine', async (t) => {
  const { rows } = await pool.query(
    `select 9223372036854775807::int8 as big, array[1, null, -2]::int8[] as bigs, sum(x)::int8 as sum, 12.340::numeric as numeric,
       date '2026-10-25' as date, array[date '2026-01-01'] as dates, '\\x00ff'::bytea as bytes, timestamp '2026-01-01 00:00' as local,
       timestamptz '2026-10-25 03:30:00.123999+03' as at, array['2026-01-01 00:00Z'::timestamptz, null] as ats, null::int8 as nothing,
       '{"a":[1]}'::jsonb as json, interval '1 month' as interval from (values (1), (2)) v (x)`
  )
  t.same(rows, [
    {
      big: 9223372036854775807n,
      bigs: [1n, null, -2n],
      sum: 3n,
      numeric: '12.340',
      date: '2026-10-25',
      dates: ['2026-01-01'],
      bytes: Buffer.from([0, 255]),
      local: '2026-01-01 00:00:00',
      at: fromIso('2026-10-25T00:30:00.123Z'),
      ats: [fromIso('2026-01-01T00:00:00Z'), null],
      nothing: null,
      json: { a: [1] },
      interval: '1 mon'
    }
  ])
  t.equal(pg.types.getTypeParser(20, 'text')('1'), '1', 'the driver itself is left as it was')
})

t.test('instants of other offsets are read, infinity is refused', async (t) => {
  t.equal(parseTimestamp('2026-01-01 05:45:00+05:45'), fromIso('2026-01-01T00:00:00Z'))
  t.equal(parseTimestamp('1900-01-01 00:00:00+01:56:56'), fromIso('1899-12-31T22:03:04Z'))
  t.equal(parseTimestamp('2025-12-31 19:00:00.5-05'), fromIso('2026-01-01T00:00:00.500Z'))
  t.throws(() => parseTimestamp('infinity'), { code: 'INTERNAL' })
  await t.rejects(pool.query(`select 'infinity'::timestamptz`), { code: 'INTERNAL' })
  t.same((await pool.query('select 1 as one')).rows, [{ one: 1 }], 'the connection goes on')
})

t.test('an instant survives writing, comparing and reading', async (t) => {
  const kysely = createKysely<{ thing: { id: number; at: number | null } }>(database.createPool())
  for (const at of [epochMs(0), epochMs(1), fromIso('2026-03-29T01:59:59.999Z')]) {
    await kysely
      .updateTable('thing')
      .set({ at: instant(at) })
      .where('id', '=', 1)
      .execute()
    const row = await kysely.selectFrom('thing').selectAll().where('at', '=', instant(at)).executeTakeFirst()
    t.equal(row?.at, at)
  }
  t.same((await sql<{ zone: string }>`show timezone`.execute(kysely)).rows, [{ TimeZone: 'UTC' }])
})

t.test('every connection of a pool with a role runs as it', async (t) => {
  await pool.query(`do $$ begin create role endeks_api nologin; exception when duplicate_object or unique_violation then null; end $$`)
  const asRole = database.createPool('endeks_api')
  const who = 'select current_user as who'
  t.same(
    (await Promise.all([asRole.query(who), asRole.query(who)])).flatMap((each) => each.rows),
    [{ who: 'endeks_api' }, { who: 'endeks_api' }]
  )
  await t.rejects(asRole.query('select * from thing'), { code: '42501' })
  const byUrl = createPool({ url: database.url('endeks_api'), max: 1, applicationName: 'by url' })
  t.same((await byUrl.query(who)).rows, [{ who: 'endeks_api' }], 'options of the URL are kept')
  await byUrl.end()
  t.throws(() => createPool({ url: database.adminUrl, role: 'a b', max: 1, applicationName: 'x' }), { code: 'VALIDATION' })
})

t.test('a connection that is lost under a transaction rejects it, is logged, and ends nothing else', async (t) => {
  const events: string[] = []
  const log: Log = { info: () => undefined, warn: (event) => events.push(event), error: () => undefined }
  const own = createPool({ url: database.adminUrl, max: 1, applicationName: 'to be lost', log })
  const work = inTransaction(own, async (client) => {
    await client.query('update thing set amount = 7 where id = 1')
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    await pool.query('select pg_terminate_backend($1)', [rows[0]?.pid])
    await client.query('select 1')
  })
  await t.rejects(work)
  t.ok(events.length > 0)
  t.same((await own.query('select amount from thing where id = 1')).rows, [{ amount: 0n }])
  await own.end()
})

t.test('a transaction commits what resolves and rolls back what throws', async (t) => {
  t.equal(await inTransaction(pool, async (client) => (await client.query('update thing set amount = 1 where id = 2')).rowCount), 1)
  const thrown = new Error('no')
  await t.rejects(
    inTransaction(pool, async (client) => {
      await client.query('update thing set amount = 2 where id = 2')
      throw thrown
    }),
    thrown
  )
  t.same((await pool.query('select amount from thing where id = 2')).rows, [{ amount: 1n }])
})

t.test('work that passes over an error is not taken for committed', async (t) => {
  const careless = inTransaction(pool, async (client) => {
    await client.query('select 1 / 0').catch(() => undefined)
  })
  await t.rejects(careless, { code: 'INTERNAL' })
})

t.test('a deadlock is tried again only when that was asked for', async (t) => {
  // Both take one row, wait for each other to have it, and then want the other's: one of them is the deadlock's victim.
  const meet = async (retries: number): Promise<unknown[]> => {
    let arrived = 0
    let open: () => void = () => undefined
    const both = new Promise<void>((resolve) => {
      open = resolve
    })
    const update = 'update thing set amount = amount + 1 where id = $1'
    const take = (first: number, second: number): Promise<void> =>
      inTransaction(
        pool,
        async (client) => {
          await client.query(`set local deadlock_timeout = '10ms'`)
          await client.query(update, [first])
          arrived += 1
          if (arrived === 2) open()
          if (arrived <= 2) await both
          await client.query(update, [second])
        },
        { retries }
      )
    const ends = await Promise.allSettled([take(1, 2), take(2, 1)])
    return ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
  }
  const failures = await meet(0)
  t.equal(failures.length, 1)
  t.ok(hasSqlState(failures[0], '40P01'))
  t.same(await meet(3), [])
})

t.test('no server is DATABASE_UNREACHABLE', async (t) => {
  const lost = createPool({ url: 'postgres://nobody:nothing@127.0.0.1:1/none', max: 1, applicationName: 'lost' })
  const found = await inTransaction(lost, async () => undefined).catch((thrown: unknown) => thrown)
  t.ok(isAppError(found, 'DATABASE_UNREACHABLE'))
  await lost.end()
})
