import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Pool } from '@endeks/database/pool'
import { testDatabase } from '@endeks/database/testing'
import { systemClock } from '@endeks/domain/process'
import t, { type Test } from 'tap'
import { command, settledRun } from './harness.js'
import { seedSite } from './site.js'

// Goal: a run that is killed anywhere ends with the same digest, and numbers without gap or double.
// Method: the real process is made to die at each named point; another one takes the run on; the result is held against an
// undisturbed run over the same site.

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url))
const subscriptions = 12

/** Before, between and after the transactions of the four steps, and between the statements of the one that gives numbers. */
const points = [
  'freeze:before-commit',
  'freeze:after-commit',
  'calculate:copied',
  'calculate:all-done',
  'check:before-commit',
  'issue:documents',
  'issue:charge',
  'issue:after-commit'
]

function start(databaseUrl: string, killAt?: string): ChildProcess {
  return spawn(process.execPath, [main, 'run'], {
    env: {
      ...process.env,
      ENDEKS_DATABASE_URL: databaseUrl,
      ENDEKS_RATING_WORKERS: '1',
      ENDEKS_RATING_SHARD_SIZE: '5',
      ...(killAt === undefined ? {} : { ENDEKS_KILL_AT: killAt })
    },
    stdio: 'ignore'
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/** Bills January; a process that dies is followed by another one that knows no kill point. */
async function bill(t: Test, admin: Pool, databaseUrl: string, killAt?: string): Promise<{ digest: string; died: boolean }> {
  let died = false
  let abandoned = false
  let child = start(databaseUrl, killAt)
  let successor = Promise.resolve()
  const succeed = (dying: ChildProcess): void => {
    successor = once(dying, 'exit').then(() => {
      if (dying.signalCode !== 'SIGKILL' || abandoned) return
      died = true
      child = start(databaseUrl)
    })
  }
  succeed(child)
  // A test that fails half way must not wait for a service that nobody will stop.
  t.teardown(() => {
    abandoned = true
    child.kill('SIGKILL')
  })
  const { runId = '' } = await command(admin, 'start-bill-run', { period: '2026-01' }, systemClock)
  const run = await settledRun(admin, runId)
  await command(admin, 'issue-bill-run', { runId, bills: run.bills }, systemClock)
  await settledRun(admin, runId)
  await stop(child)
  await successor
  await stop(child)
  return { digest: run.digest, died }
}

async function books(admin: Pool): Promise<unknown> {
  const { rows } = await admin.query(`
    SELECT (SELECT jsonb_agg(label ORDER BY number) FROM ledger.document) AS labels,
      (SELECT sum(amount_micro)::text FROM ledger.posting) AS balance,
      (SELECT count(*)::integer FROM rating.bill) AS bills,
      (SELECT sum(gross_micro)::text FROM ledger.document) AS gross,
      (SELECT next::text FROM ledger.series) AS next`)
  return rows[0]
}

t.test('whatever is killed, the run is billed once', async (t) => {
  const undisturbed = await testDatabase(t)
  const admin = undisturbed.createPool()
  await seedSite(admin, { subscriptions, months: 1 })
  const expected = await bill(t, admin, undisturbed.adminUrl)
  t.notOk(expected.died)
  const books0 = await books(admin)
  for (const point of points) {
    await t.test(`killed at ${point}`, async (t) => {
      const database = await testDatabase(t, { max: 2 })
      const pool = database.createPool()
      await seedSite(pool, { subscriptions, months: 1 })
      const result = await bill(t, pool, database.adminUrl, point)
      t.ok(result.died, 'the process did die there')
      t.equal(result.digest, expected.digest)
      t.strictSame(await books(pool), books0)
    })
  }
})
