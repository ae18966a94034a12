import { testDatabase } from '@endeks/database/testing'
import { createLog } from '@endeks/domain/process'
import t from 'tap'
import { startRating } from '../../src/service.js'
import { billPeriod, clock, command, settledRun } from './harness.js'
import { seedSite } from './site.js'

const quiet = createLog('rating', () => {})
const subscriptions = 25

t.test('a month is frozen, calculated on shards, checked, and issued with numbers without a gap', async (t) => {
  const database = await testDatabase(t)
  const admin = database.createPool()
  await seedSite(admin, { subscriptions, months: 3 })
  await admin.query(
    `UPDATE metering.segment SET superseded_at = '2026-01-02' WHERE register_id = (SELECT max(id) FROM account.register) AND from_at > '2026-01-15'`
  )
  const rating = await startRating({ databaseUrl: database.adminUrl, clock, log: quiet, workers: 2, shardSize: 7 })
  t.teardown(async () => await rating.stop())

  const { runId = '' } = await command(admin, 'start-bill-run', { period: '2026-01' })
  const checked = await settledRun(admin, runId)
  t.match(checked, { state: 'checked', bills: subscriptions, failure: null })
  const checks = await admin.query<{ name: string; passed: boolean }>('SELECT name, passed FROM rating.run_check WHERE run_id = $1', [
    runId
  ])
  t.equal(checks.rows.length, 14)
  t.ok(checks.rows.every((check) => check.passed))
  t.equal((await admin.query('SELECT FROM ledger.document')).rowCount, 0, 'nothing is visible before it is issued')
  await t.rejects(command(admin, 'start-bill-run', { period: '2026-02' }), { code: 'RUN_IN_PROGRESS' })
  await t.rejects(command(admin, 'issue-bill-run', { runId, bills: 3 }), { code: 'RUN_STATE' })
  await command(admin, 'issue-bill-run', { runId, bills: checked.bills })
  t.equal((await settledRun(admin, runId)).state, 'issued')

  const second = await billPeriod(admin, '2026-02')
  const excluded = await admin.query<{ reason: string }>('SELECT reason FROM rating.run_exclusion WHERE run_id = $1', [second])
  t.strictSame(
    excluded.rows.map((row) => row.reason),
    ['NO_BOUNDARY_READING'],
    'the subscription without an index at the end of February is listed with its reason'
  )
  const numbers = await admin.query<{ count: number; first: bigint; last: bigint }>(
    'SELECT count(*)::integer, min(number) AS first, max(number) AS last FROM ledger.document'
  )
  t.strictSame(numbers.rows[0], { count: subscriptions * 2 - 1, first: 1n, last: BigInt(subscriptions * 2 - 1) })
  const balance = await admin.query<{ sum: bigint; entries: number }>(
    'SELECT sum(amount_micro)::bigint, count(DISTINCT entry_id)::integer AS entries FROM ledger.posting'
  )
  t.strictSame(balance.rows[0], { sum: 0n, entries: subscriptions * 2 - 1 })
  t.equal((await admin.query(`SELECT FROM pg_tables WHERE schemaname = 'rating_run'`)).rowCount, 0, 'the tables of issued runs are gone')
})

t.test('the first subscription pays 101 m3 of January as the tariff says', async (t) => {
  const database = await testDatabase(t)
  const admin = database.createPool()
  await seedSite(admin, { subscriptions: 1, months: 1 })
  const rating = await startRating({ databaseUrl: database.adminUrl, clock, log: quiet, workers: 1, shardSize: 100 })
  t.teardown(async () => await rating.stop())
  await billPeriod(admin, '2026-01')
  const lines = await admin.query<{ component: string; net: string; kdv: string }>(
    'SELECT component, (net_micro / 10000)::text AS net, (kdv_micro / 10000)::text AS kdv FROM ledger.document_line ORDER BY line_no'
  )
  // 101 x 57.488 = 5806.288; a tenth 580.6288; a third 1935.4293; 185.00 a month; KDV 1 % and 20 %
  t.strictSame(lines.rows, [
    { component: 'water', net: '580629', kdv: '5806' },
    { component: 'osb-share', net: '58063', kdv: '11613' },
    { component: 'wastewater', net: '193543', kdv: '38708' },
    { component: 'maintenance', net: '18500', kdv: '3700' }
  ])
})

t.test('a run of no bills is given up and not issued', async (t) => {
  const database = await testDatabase(t)
  const admin = database.createPool()
  await seedSite(admin, { subscriptions: 1, months: 1 })
  const rating = await startRating({ databaseUrl: database.adminUrl, clock, log: quiet, workers: 1, shardSize: 100 })
  t.teardown(async () => await rating.stop())
  const { runId = '' } = await command(admin, 'start-bill-run', { period: '2026-05' })
  t.match(await settledRun(admin, runId), { state: 'checked', bills: 0, failure: null })
  await t.rejects(command(admin, 'issue-bill-run', { runId, bills: 0 }), { code: 'RUN_STATE', message: /abandon it/ })
  await command(admin, 'abandon-bill-run', { runId })
  t.equal((await settledRun(admin, runId)).state, 'abandoned')
  await billPeriod(admin, '2026-01')
  t.strictSame((await admin.query('SELECT number FROM ledger.document')).rows, [{ number: 1n }], 'it took no number')
})

t.test('a period that is not over is refused', async (t) => {
  const database = await testDatabase(t)
  const admin = database.createPool()
  await seedSite(admin, { subscriptions: 1, months: 1 })
  const rating = await startRating({ databaseUrl: database.adminUrl, clock, log: quiet, workers: 1, shardSize: 100 })
  t.teardown(async () => await rating.stop())
  await t.rejects(command(admin, 'start-bill-run', { period: '2026-11' }), { code: 'PERIOD_NOT_OVER' })
  await t.rejects(command(admin, 'issue-bill-run', { runId: '999', bills: 1 }), { code: 'RUN_NOT_FOUND' })
})
