import { AppError } from '@endeks/domain/errors'
import { type Clock, type EpochMs, epochMs } from '@endeks/domain/time'
import t from 'tap'
import {
  awaitCommand,
  type CommandHandler,
  type CommandServer,
  enqueue,
  type NewCommand,
  readCommand,
  resultOf,
  type ServeOptions,
  serveCommands
} from '../../src/commands/index.js'
import type { Json } from '../../src/schema/index.js'
import { testDatabase } from '../../src/testing/index.js'

const database = await testDatabase(t, { max: 6 })
const api = database.createPool('endeks_api')
const admin = database.createPool()
const ingest = database.createPool('endeks_ingest')
await admin.query('create table done_work (command bigint, by text); grant all on done_work to endeks_ingest, endeks_rating')

let time = epochMs(1_800_000_000_000)
const clock: Clock = { now: () => time }
const after = (milliseconds: number): EpochMs => epochMs(time + milliseconds)
const ask = (kind: string, payload: Json = {}, more: Partial<NewCommand> = {}): Promise<bigint> =>
  enqueue(api, { owner: 'ingest', kind, payload, requestedBy: 'clerk', deadlineMs: 60_000, ...more }, clock)
const end = (id: bigint) => awaitCommand(api, { id, clock, withinMs: 20_000 })
const work = async (id: bigint): Promise<unknown[]> => (await admin.query('select by from done_work where command = $1', [id])).rows

/** Serves while the work lasts. A poll of a minute: what is answered sooner was announced. */
async function serving(options: Partial<ServeOptions> & Pick<ServeOptions, 'handlers'>, during: () => Promise<void>): Promise<void> {
  const server: CommandServer = serveCommands({ pool: ingest, owner: 'ingest', clock, pollMs: 60_000, ...options })
  try {
    await during()
  } finally {
    await server.stop()
  }
}

const record: CommandHandler = async (payload, { client, commandId, requestedBy }) => {
  await client.query('insert into done_work values ($1, $2)', [commandId, requestedBy])
  return { seen: payload }
}

t.test('a command is done by its owner, and its work and result commit together', async (t) => {
  await serving({ handlers: { record } }, async () => {
    const id = await ask('record', { reading: '12.5' })
    const command = await end(id)
    t.match(command, { id, state: 'done', kind: 'record', requestedBy: 'clerk', result: { seen: { reading: '12.5' } }, finishedAt: time })
    t.same(resultOf(command), { seen: { reading: '12.5' } })
    t.same(await work(id), [{ by: 'clerk' }])
  })
})

t.test('a command that fails leaves none of its work, and says which code and why', async (t) => {
  const handlers: ServeOptions['handlers'] = {
    record,
    refuse: async (payload, context) => {
      await record(payload, context)
      throw new AppError('PERIOD_CLOSED', 'March is closed')
    },
    break: async (_payload, { client }) => {
      await client.query('select * from no_such_table')
      return null
    }
  }
  await serving({ handlers }, async () => {
    const refused = await ask('refuse')
    const broken = await ask('break')
    const unknown = await ask('toString')
    const next = await ask('record')
    const command = await end(refused)
    t.match(command, { state: 'failed', errorCode: 'PERIOD_CLOSED', errorMessage: 'March is closed', result: null })
    t.throws(() => resultOf(command), { code: 'PERIOD_CLOSED', message: 'March is closed' })
    t.same(await work(refused), [])
    const bug = await end(broken)
    t.match(bug, { state: 'failed', errorCode: 'INTERNAL' })
    t.notMatch(bug.errorMessage, /no_such_table/, 'the inside of the program is not told')
    t.match(await end(unknown), { state: 'failed', errorCode: 'COMMAND_UNKNOWN' })
    t.match(await end(next), { state: 'done' }, 'the queue goes on')
  })
})

t.test('a constraint that waits for the commit fails its command and not the server', async (t) => {
  await admin.query('create table late (id bigint unique deferrable initially deferred); grant all on late to endeks_ingest')
  const twice: ServeOptions['handlers'] = {
    twice: async (_payload, { client }) => {
      await client.query('insert into late values (1), (1)')
      return null
    }
  }
  await serving({ handlers: twice }, async () => {
    t.match(await end(await ask('twice')), { state: 'failed', errorCode: 'INTERNAL' })
  })
})

t.test('of two servers, one does each command', async (t) => {
  const ids = await Promise.all(Array.from({ length: 20 }, () => ask('record')))
  await serving({ handlers: { record } }, async () =>
    serving({ handlers: { record } }, async () => {
      for (const id of ids) t.match(await end(id), { state: 'done' })
    })
  )
  for (const id of ids) t.equal((await work(id)).length, 1)
})

t.test('a command of another owner is left alone', async (t) => {
  const id = await ask('record', {}, { owner: 'rating' })
  await serving({ handlers: { record } }, async () => {
    await end(await ask('record'))
    t.match(await readCommand(api, id, clock), { state: 'queued' })
  })
})

t.test('a command past its deadline is not done, and ends as expired with and without its owner', async (t) => {
  const unattended = await ask('record', {}, { owner: 'rating', deadlineMs: 1_000 })
  const attended = await ask('record', {}, { deadlineMs: 1_000 })
  const later = await ask('record', {}, { deadlineMs: 120_000 })
  time = after(1_000)
  t.match(await readCommand(api, unattended, clock), { state: 'expired', finishedAt: time })
  await serving({ handlers: { record } }, async () => {
    t.match(await end(later), { state: 'done' })
    const command = await end(attended)
    t.match(command, { state: 'expired' })
    t.throws(() => resultOf(command), { code: 'TIMEOUT' })
    t.same(await work(attended), [])
  })
})

t.test('who waits only so long is given the queued command', async (t) => {
  const id = await ask('record', {}, { owner: 'rating' })
  t.match(await awaitCommand(api, { id, clock, withinMs: 30 }), { state: 'queued' })
  t.equal(await readCommand(api, 999_999n, clock), undefined)
})

t.test('a deadlock is no failure of the command: it is tried again', async (t) => {
  let attempts = 0
  const handlers: ServeOptions['handlers'] = {
    flaky: async (_payload, { client }) => {
      attempts += 1
      if (attempts < 3) await client.query(`do $$ begin raise exception 'played' using errcode = '40P01'; end $$`)
      return attempts
    }
  }
  await serving({ handlers }, async () => {
    t.match(await end(await ask('flaky')), { state: 'done', result: 3 })
  })
})

t.test('a long task is started in the transaction, goes on beside the queue, and is told to stop', async (t) => {
  const events: string[] = []
  const handlers: ServeOptions['handlers'] = {
    record,
    run: {
      longRunning: true,
      start: async (payload, context) => {
        await record(payload, context)
        return { run: 17 }
      },
      run: (result, { signal }) =>
        new Promise((resolve) => {
          events.push(`started ${JSON.stringify(result)}`)
          signal.addEventListener('abort', () => {
            events.push('stopped')
            resolve()
          })
        })
    }
  }
  await serving({ handlers, longRunningLimit: 1 }, async () => {
    const id = await ask('run')
    t.match(await end(id), { state: 'done', result: { run: 17 } })
    t.equal((await work(id)).length, 1)
    t.match(await end(await ask('record')), { state: 'done' }, 'the queue goes on meanwhile')
    t.match(await end(await ask('run')), { state: 'failed', errorCode: 'RUN_IN_PROGRESS' })
  })
  t.same(events, ['started {"run":17}', 'stopped'])
})

t.test('a server whose connections are all cut, that of notifications too, connects again and goes on', async (t) => {
  await serving({ handlers: { record } }, async () => {
    t.match(await end(await ask('record')), { state: 'done' })
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test as endeks_ingest'`)
    t.match(await end(await ask('record')), { state: 'done' })
  })
})

t.test('a payload without measure and a deadline without end are refused', async (t) => {
  await t.rejects(ask('record', 'x'.repeat(1_000_001)), { code: 'PAYLOAD_TOO_LARGE' })
  await t.rejects(ask('record', {}, { deadlineMs: 8 * 86_400_000 }), { code: 'VALIDATION' })
  await t.rejects(ask('record', {}, { deadlineMs: 0 }), { code: 'VALIDATION' })
})
