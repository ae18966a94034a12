import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAppError } from '@endeks/domain/errors'
import pg from 'pg'
import t from 'tap'
import { ensureDatabase, migrate, serviceRoles, setServicePasswords, status } from '../../src/migrate/index.js'
import { type Teardown, type TestDatabase, testDatabase } from '../../src/testing/index.js'
import { migrationFolder, oneTable } from './folder.js'

const empty = await migrationFolder(t, {})
const fresh = (t: Teardown): Promise<TestDatabase> => testDatabase(t, { folder: empty })

async function failure(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await work
  } catch (thrown) {
    if (isAppError(thrown)) return { code: thrown.code, message: thrown.message }
    throw thrown
  }
  return { code: 'nothing failed', message: '' }
}

t.test('migrations are applied once, in order, and status tells which', async (t) => {
  const database = await fresh(t)
  const folder = await migrationFolder(t, {
    ...oneTable,
    '0002_add_colour.sql': 'alter table thing add colour text;',
    '0002.check.sql': ''
  })
  t.same(
    (await status(database.adminUrl, { folder })).map((each) => each.state),
    ['pending', 'pending']
  )
  t.same(await migrate(database.adminUrl, { folder }), ['0001_create_thing', '0002_add_colour'])
  t.same(await migrate(database.adminUrl, { folder }), [])
  t.same(
    (await status(database.adminUrl, { folder })).map((each) => [each.number, each.state, typeof each.appliedAt]),
    [
      [1, 'applied', 'number'],
      [2, 'applied', 'number']
    ]
  )
})

t.test('two that migrate at the same time take turns', async (t) => {
  const database = await fresh(t)
  const folder = await migrationFolder(t, oneTable)
  const applied = await Promise.all([1, 2, 3].map(() => migrate(database.adminUrl, { folder })))
  t.same(applied.flat(), ['0001_create_thing'])
})

t.test('a migration whose check finds something changes nothing', async (t) => {
  const database = await fresh(t)
  const folder = await migrationFolder(t, {
    ...oneTable,
    '0002_drop_name.sql': 'alter table thing drop name;',
    '0002.check.sql': `select 'fine' where false; select 'thing has lost its name', 7;`
  })
  const found = await failure(migrate(database.adminUrl, { folder }))
  t.match(found, { code: 'MIGRATION_FAILED', message: /0002_drop_name: its check found:\nthing has lost its name 7/ })
  t.same(
    (await status(database.adminUrl, { folder })).map((each) => each.state),
    ['applied', 'pending']
  )
  await database.createPool().query('select name from thing')
})

t.test('a check may try what must be refused, and leaves nothing behind', async (t) => {
  const database = await fresh(t)
  const folder = await migrationFolder(t, {
    ...oneTable,
    '0001.check.sql': `insert into thing values (1, 'tried');
      do $$ begin insert into thing values (2, null); raise exception 'a thing without a name was taken';
      exception when not_null_violation then null; end $$;`
  })
  await migrate(database.adminUrl, { folder })
  t.equal((await database.createPool().query('select from thing')).rowCount, 0)
})

t.test('a mistake is reported with its file and line', async (t) => {
  const database = await fresh(t)
  const folder = await migrationFolder(t, {
    '0001_create_thing.sql': 'create table thing (\n  id bigint,\n  name txet\n);',
    '0001.check.sql': ''
  })
  t.match(await failure(migrate(database.adminUrl, { folder })), {
    code: 'MIGRATION_FAILED',
    message: /0001_create_thing: .*txet.*\(line 3\)/
  })
})

t.test('a migration may not end its transaction', async (t) => {
  const database = await fresh(t)
  const folder = await migrationFolder(t, { '0001_create_thing.sql': 'create table thing (); commit; begin;', '0001.check.sql': '' })
  t.match(await failure(migrate(database.adminUrl, { folder })), {
    code: 'MIGRATION_FAILED',
    message: /0001_create_thing: it ends the transaction/
  })
})

t.test('an applied migration that was changed or is gone is refused by name', async (t) => {
  const database = await fresh(t)
  const folder = await migrationFolder(t, { ...oneTable, '0001_create_thing.sql': 'create table thing (\n  id bigint\n);\n' })
  await migrate(database.adminUrl, { folder })
  await writeFile(join(folder, '0001_create_thing.sql'), 'create table thing (\r\n  id bigint\r\n);\r\n')
  t.same(await migrate(database.adminUrl, { folder }), [], 'other line ends are no change')
  await writeFile(join(folder, '0001_create_thing.sql'), 'create table thing (id integer);')
  t.match(await failure(migrate(database.adminUrl, { folder })), { code: 'MIGRATION_FAILED', message: /0001_create_thing was changed/ })
  await rm(join(folder, '0001_create_thing.sql'))
  await rm(join(folder, '0001.check.sql'))
  t.match(await failure(migrate(database.adminUrl, { folder })), {
    code: 'MIGRATION_FAILED',
    message: /0001_create_thing was applied here/
  })
})

t.test('a folder with a gap, a migration without check or a stray file is refused with everything wrong at once', async (t) => {
  const database = await fresh(t)
  const folder = await migrationFolder(t, { '0002_a_b.sql': '', '0003.check.sql': '', 'notes.sql': '' })
  t.match(await failure(migrate(database.adminUrl, { folder })), {
    code: 'MIGRATION_FAILED',
    message: /notes\.sql is not named[\s\S]*number 0001 is expected[\s\S]*no 0002\.check\.sql[\s\S]*0003\.check\.sql checks no migration/
  })
})

t.test('no server is DATABASE_UNREACHABLE', async (t) => {
  t.match(await failure(migrate('postgres://nobody:nothing@127.0.0.1:1/none', { folder: empty })), { code: 'DATABASE_UNREACHABLE' })
})

t.test('a database is made once, however many ask for it', async (t) => {
  const database = await fresh(t)
  const name = `${database.name}_more`
  t.teardown(() => database.createPool().query(`drop database if exists ${name} with (force)`))
  const urls = await Promise.all([1, 2, 3].map(() => ensureDatabase(database.adminUrl, name)))
  t.equal(new Set(urls).size, 1)
  t.same(await migrate(urls[0] ?? '', { folder: empty }), [])
})

t.test('service passwords set from several databases at once all hold, and a wrong one is refused', async (t) => {
  const roles = `do $$ declare name text; begin foreach name in array array['${serviceRoles.join("','")}'] loop
    begin execute format('create role %I nologin', name); exception when duplicate_object or unique_violation then null; end; end loop; end $$;`
  const folder = await migrationFolder(t, { '0001_create_roles.sql': roles, '0001.check.sql': '' })
  const databases = [await testDatabase(t, { folder }), await testDatabase(t, { folder })]
  const passwords = Object.fromEntries(serviceRoles.map((role) => [role, `a 'quoted' \\ password of ${role}`]))
  await Promise.all([...databases, ...databases].map((database) => setServicePasswords(database.adminUrl, passwords)))
  const signIn = async (password: string): Promise<unknown> => {
    const url = new URL(databases[0]?.adminUrl ?? '')
    url.username = 'endeks_rating'
    url.password = encodeURIComponent(password)
    const client = new pg.Client({ connectionString: url.toString() })
    await client.connect()
    const { rows } = await client.query('select current_user as who')
    await client.end()
    return rows
  }
  t.same(await signIn(passwords['endeks_rating'] ?? ''), [{ who: 'endeks_rating' }])
  await t.rejects(signIn('another'), { code: '28P01' })
  t.match(await failure(setServicePasswords(databases[0]?.adminUrl ?? '', { endeks_api: 'şifre' })), { code: 'VALIDATION' })
})
