import { once } from 'node:events'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { packagedBinaries } from '../../src/embedded/binaries.js'
import { startEmbedded } from '../../src/embedded/index.js'
import { identityOf, processesIn } from '../../src/embedded/processes.js'
import { serverUser } from '../../src/embedded/server-user.js'
import { failure, kill, launched, query, quiet, spawnLauncher, temporaryFolder, until, withServer } from './support.js'

// One cluster serves the tests that want one with data: making it is what takes the time. They run in order.
const home = await temporaryFolder(t)
const directory = join(home, 'database')
const cluster = join(directory, 'cluster')
const rows = (url: string) => query(url, 'select number from kept order by number')

t.test('a server with durable settings listens on loopback only, behind a random password', async (t) => {
  await withServer({ directory, settings: { max_connections: '20' } }, async (server) => {
    await query(server.adminUrl(), 'create table kept (number integer); insert into kept values (1)')
    const settings = await query(
      server.adminUrl(),
      `select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses',
       'unix_socket_directories', 'max_connections', 'TimeZone', 'server_encoding', 'data_checksums')`
    )
    t.same(Object.fromEntries(settings.map((row) => [row['name'], row['setting']])), {
      fsync: 'on',
      full_page_writes: 'on',
      synchronous_commit: 'on',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '20',
      TimeZone: 'UTC',
      server_encoding: 'UTF8',
      data_checksums: 'on'
    })
    await t.rejects(query(server.url('postgres', 'guess', 'postgres'), 'select 1'), { code: '28P01' })
  })
  t.equal((await stat(join(directory, 'superuser.password'))).mode & 0o777, 0o600)
  t.equal((await stat(cluster)).mode & 0o077, 0)
  t.equal((await readFile(join(directory, 'superuser.password'), 'utf8')).trim().length, 43)
})

t.test('Turkish letters sort, change case and are found', async (t) => {
  await withServer({ directory }, async ({ adminUrl }) => {
    await query(adminUrl(), 'create extension if not exists pg_trgm; create extension if not exists btree_gist')
    t.same(
      await query(
        adminUrl(),
        `select lower('ILGAZ' collate "tr-x-icu") as lower, upper('i' collate "tr-x-icu") as upper, similarity('ışık', 'ışıl') > 0.3 as alike,
           (select string_agg(word, ' ' order by word collate "tr-x-icu") from unnest(array['ş', 's', 'ı', 'i', 'h', 'z']) as word) as sorted`
      ),
      [{ lower: 'ılgaz', upper: 'İ', alike: true, sorted: 'h ı i s ş z' }]
    )
  })
})

t.test('settings that durability and loopback rest on are not the caller’s', async (t) => {
  for (const name of ['fsync', 'listen_addresses', 'port']) {
    t.match(await failure(startEmbedded({ directory, log: quiet, settings: { [name]: 'x' } })), { code: 'VALIDATION', message: name })
  }
})

t.test('a second launcher of a directory is told who has it, in this process and in another', async (t) => {
  await withServer({ directory }, async () => {
    t.match(await failure(startEmbedded({ directory, log: quiet })), { code: 'DATA_DIRECTORY_IN_USE', details: { pid: process.pid } })
  })
  const other = spawnLauncher(directory)
  await launched(other)
  t.match(await failure(startEmbedded({ directory, log: quiet })), { code: 'DATA_DIRECTORY_IN_USE', details: { pid: other.pid } })
  await kill(other)
})

t.test('a server whose launcher was killed is stopped by the next start, and what it committed is there', async (t) => {
  const launcher = spawnLauncher(directory)
  const orphan = await launched(launcher)
  await query(orphan.adminUrl, 'insert into kept values (2)')
  await kill(launcher)
  t.not(await identityOf(orphan.pid), undefined, 'the server has outlived its launcher')
  await withServer({ directory }, async (server) => {
    t.equal(await identityOf(orphan.pid), undefined)
    t.not(server.pid, orphan.pid)
    t.same(await rows(server.adminUrl()), [{ number: 1 }, { number: 2 }])
  })
  t.same(await processesIn(cluster), [])
  t.same(
    (await readdir(directory)).filter((name) => name.endsWith('.lock')),
    []
  )
})

t.test('a server that was killed tells so and recovers at the next start', async (t) => {
  const server = await startEmbedded({ directory, log: quiet })
  await query(server.adminUrl(), 'insert into kept values (3)')
  process.kill(server.pid, 'SIGKILL')
  t.same(await server.closed, { code: null, signal: 'SIGKILL' })
  await server.stop()
  await withServer({ directory }, async ({ adminUrl }) => t.equal((await rows(adminUrl())).length, 3))
})

t.test('a stale postmaster.pid whose number now belongs to another program does not keep the server from starting', async (t) => {
  await writeFile(join(cluster, 'postmaster.pid'), `${process.pid}\n${cluster}\n1700000000\n5432\n\n127.0.0.1\n 1 1\nready   \n`)
  await withServer({ directory }, async ({ adminUrl }) => t.equal((await rows(adminUrl())).length, 3))
})

t.test('a cluster of another major version is refused, and nothing is changed', async (t) => {
  const version = await readFile(join(cluster, 'PG_VERSION'), 'utf8')
  await writeFile(join(cluster, 'PG_VERSION'), '16\n')
  const found = await failure(startEmbedded({ directory, log: quiet }))
  t.match(found, { code: 'DATA_DIRECTORY_VERSION', details: { found: '16', expected: '17' } })
  t.match(found.message, /PostgreSQL 16 .*PostgreSQL 17\./)
  await writeFile(join(cluster, 'PG_VERSION'), version)
})

t.test('a port that is taken is named with its setting', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const address = other.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const found = await failure(startEmbedded({ directory, log: quiet, port, portSetting: 'ENDEKS_DATABASE_PORT' }))
  t.match(found, { code: 'PORT_TAKEN', details: { port, setting: 'ENDEKS_DATABASE_PORT' } })
  t.match(found.message, `port ${port}`)
  other.close()
  await once(other, 'close')
  await withServer({ directory, port }, async (server) => {
    t.equal(server.port, port)
    t.equal((await rows(server.adminUrl())).length, 3)
  })
})

t.test('a cluster with data is never thrown away', async (t) => {
  t.match(await failure(startEmbedded({ directory, log: quiet, expendable: true })), {
    code: 'DATABASE_START',
    message: /not made to be thrown away/
  })
  const strange = join(home, 'strange')
  await mkdir(join(strange, 'cluster'), { recursive: true })
  await writeFile(join(strange, 'cluster', 'base'), 'somebody’s data')
  t.match(await failure(startEmbedded({ directory: strange, log: quiet })), { code: 'DATABASE_START', message: /no PG_VERSION/ })
  t.equal(await readFile(join(strange, 'cluster', 'base'), 'utf8'), 'somebody’s data')
})

t.test('a folder with other things in it is neither used nor given to another account', async (t) => {
  const folder = join(home, 'documents')
  await mkdir(folder)
  await writeFile(join(folder, 'letter.txt'), 'mine')
  const before = await stat(folder)
  t.match(await failure(startEmbedded({ directory: folder, log: quiet })), { code: 'DATABASE_START', message: /letter\.txt/ })
  t.equal((await stat(folder)).uid, before.uid)
})

t.test('a start that was killed during initdb leaves nothing in the way of the next', async (t) => {
  const fresh = join(home, 'half')
  const launcher = spawnLauncher(fresh)
  const halfMade = async (): Promise<string[]> => (await readdir(fresh)).filter((name) => name.startsWith('initdb-'))
  await until(async () => {
    const names = await halfMade().catch(() => [])
    return names[0] !== undefined && (await stat(join(fresh, names[0], 'PG_VERSION')).catch(() => undefined)) !== undefined
  })
  await kill(launcher)
  t.equal((await halfMade()).length, 1, 'the kill came before the cluster was whole')
  await withServer({ directory: fresh }, async ({ adminUrl }) => t.same(await query(adminUrl(), 'select 1 as one'), [{ one: 1 }]))
  t.same(await halfMade(), [])
})

t.test('a start that is aborted leaves no process and no lock', async (t) => {
  const controller = new AbortController()
  controller.abort(new Error('changed my mind'))
  await t.rejects(startEmbedded({ directory, log: quiet, signal: controller.signal }), { message: 'changed my mind' })
  t.same(
    (await readdir(directory)).filter((name) => name.endsWith('.lock')),
    []
  )
  t.same(await processesIn(cluster), [])
})

const root = (await serverUser()) !== undefined
t.test(
  'programs that the server’s account can’t read are copied beside the data',
  { skip: root ? false : 'only root drops to another account' },
  async (t) => {
    const hidden = join(home, 'hidden')
    await mkdir(hidden, { mode: 0o700 })
    await symlink(packagedBinaries(), join(hidden, 'native'))
    await withServer({ directory, binaries: join(hidden, 'native') }, async ({ adminUrl }) => t.equal((await rows(adminUrl())).length, 3))
    t.match(
      (await readdir(directory)).filter((name) => name.startsWith('binaries')),
      [/^binaries-17\.\d+$/]
    )
  }
)

t.test(
  'a folder that the server’s account can’t reach is refused with its name',
  { skip: root ? false : 'only root drops to another account' },
  async (t) => {
    const hidden = join(home, 'closed')
    await mkdir(hidden, { mode: 0o700 })
    t.match(await failure(startEmbedded({ directory: join(hidden, 'database'), log: quiet })), {
      code: 'DATABASE_START',
      message: /can't enter/
    })
  }
)
