import { type ChildProcess, spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { identityOf, processesIn } from '../../src/embedded/processes.js'
import { testDatabase } from '../../src/testing/index.js'
import { joinSharedServer } from '../../src/testing/shared-server.js'
import { kill, launched, query, temporaryFolder, until } from '../embedded/support.js'
import { migrationFolder, oneTable } from '../migrate/folder.js'

t.test('each test database is a migrated one of its own, and is gone afterwards', async (t) => {
  const folder = await migrationFolder(t, oneTable)
  const [one, two] = await Promise.all([testDatabase(t, { folder }), testDatabase(t, { folder })])
  await one.createPool().query(`insert into thing values (1, 'one')`)
  t.equal((await two.createPool().query('select from thing')).rowCount, 0)
  await one.drop()
  t.same(await query(two.adminUrl, `select datname from pg_database where datname = '${one.name}'`), [])
  await one.drop()
})

t.test('a server that can’t be reached fails the test', async (t) => {
  const folder = await migrationFolder(t, oneTable)
  const before = process.env['TEST_DATABASE_URL']
  process.env['TEST_DATABASE_URL'] = 'postgres://nobody:nothing@127.0.0.1:1/none'
  t.teardown(() => {
    if (before === undefined) delete process.env['TEST_DATABASE_URL']
    else process.env['TEST_DATABASE_URL'] = before
  })
  await t.rejects(testDatabase(t, { folder }), { code: 'DATABASE_UNREACHABLE' })
})

t.test('processes share a server that outlives neither its killed clients and runner nor its killed holder', async (t) => {
  // The runner is a process that does nothing; while it lives, the server waits for more clients, and it ends with it.
  const directory = await temporaryFolder(t)
  const cluster = join(directory, 'server', 'cluster')
  const idle = ['-e', 'setInterval(() => undefined, 60_000)']
  const runner = spawn(process.execPath, idle, { stdio: 'ignore' })
  const client = (): ChildProcess =>
    spawn(process.execPath, [fileURLToPath(new URL('./client.js', import.meta.url)), directory, String(runner.pid)], {
      stdio: ['ignore', 'pipe', 'ignore']
    })
  const clients = [client(), client()]
  const [one, two] = await Promise.all(clients.map(launched))
  t.equal(one?.adminUrl, two?.adminUrl)

  const lock = (await readdir(join(directory, 'server'))).find((name) => name.endsWith('.lock')) ?? ''
  const holder = Number(/^launcher\.(\d+)-/.exec(lock)?.[1])
  process.kill(holder, 'SIGKILL')
  await until(async () => (await identityOf(holder)) === undefined)
  t.ok((await processesIn(cluster)).length > 0, 'its server is an orphan')
  const joined = await joinSharedServer(directory, { runner: runner.pid ?? 0 })
  t.same(await query(joined.adminUrl, 'select 1 as one'), [{ one: 1 }])
  t.not(joined.adminUrl, one?.adminUrl, 'the next run has a new one')

  for (const each of clients) await kill(each)
  joined.leave()
  await kill(runner)
  await until(async () => (await processesIn(cluster)).length === 0)
  await until(async () => (await readdir(join(directory, 'server'))).every((name) => !name.endsWith('.lock')))
})
