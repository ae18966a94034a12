import { inTransaction } from '@endeks/database/pool'
import { testDatabase } from '@endeks/database/testing'
import t from 'tap'
import { runChecks } from '../../src/store/check.js'
import { seedSite } from './site.js'
import { calculated } from './stepwise.js'

// Goal: every conservation check can fail, and a run that fails one issues nothing and gives its numbers back.
// Method: the steps are taken one by one; before the check, one figure of the run's own tables is made wrong.

const subscriptions = 3

/** One wrong figure for each check, as a statement over the run's own tables ($ stands for the run's number). */
const breaches: Readonly<Record<string, string>> = {
  'every-subscription-billed-or-listed': 'UPDATE rating.run SET candidates = candidates + 1 WHERE id = $',
  'lines-are-quantity-times-price': `UPDATE rating_run.charge_$ SET net_micro = net_micro + 10000 WHERE component = 'water' AND ordinal = 1`,
  'slices-add-up-to-consumption': `UPDATE rating_run.charge_$ SET quantity_milli = quantity_milli + 1 WHERE component = 'water'`,
  'bills-are-segments': 'UPDATE rating_run.bill_$ SET consumption_milli = consumption_milli + 1',
  'shares-are-ratio-of-their-base': `UPDATE rating_run.charge_$ SET net_micro = net_micro * 2 WHERE component = 'wastewater'`,
  'tax-is-rate-times-base': 'UPDATE rating_run.document_line_$ SET kdv_micro = kdv_micro + 10000 WHERE line_no = 1',
  'lines-are-charges': 'UPDATE rating_run.document_line_$ SET net_micro = net_micro + 10000 WHERE line_no = 2',
  'documents-are-their-lines': 'DELETE FROM rating_run.document_line_$ WHERE line_no = 3',
  'documents-are-bills': 'UPDATE rating_run.bill_$ SET net_micro = net_micro + 10000',
  'postings-are-documents': 'TRUNCATE rating_run.posting_$, rating_run.entry_$',
  'nothing-supplied-twice': `INSERT INTO account.supply (service_point_id, subscription_id, valid_from, recorded_at)
    SELECT min(service_point_id), max(subscription_id), '2025-12-31T21:00:00Z', '2026-01-01' FROM account.supply`,
  'ledger-sums-to-zero': 'UPDATE rating_run.posting_$ SET amount_micro = amount_micro + 10000 WHERE line_no = 1',
  'numbers-without-gap':
    'UPDATE rating_run.document_$ SET number = number + 1, label = series || year || lpad((number + 1)::text, 9, $$0$$) WHERE number = 3',
  'bills-follow-each-other': `INSERT INTO rating.bill SELECT id + 5000000, run_id, subscription_id, participant_id, from_at - interval '40 days', to_at - interval '40 days',
    document_id, consumption_milli, net_micro, tax_micro, NULL, days, unit FROM rating_run.bill_$ LIMIT 1`
}

t.test('each check finds the breach that it is there for', async (t) => {
  const database = await testDatabase(t)
  const admin = database.createPool()
  await seedSite(admin, { subscriptions, months: 1 })
  const { run } = await calculated(database)
  const clean = await inTransaction(admin, async (client) => await runChecks(client, run.id))
  t.strictSame(
    clean.filter((check) => !check.passed).map((check) => check.name),
    []
  )
  t.strictSame(clean.map((check) => check.name).toSorted(), Object.keys(breaches).toSorted(), 'every check has its breach')
  for (const [name, statement] of Object.entries(breaches)) {
    const client = await admin.connect()
    await client.query('BEGIN')
    await client.query(statement.replaceAll('$$', "'").replaceAll('$', run.id.toString()))
    const broken = await runChecks(client, run.id)
    await client.query('ROLLBACK')
    client.release()
    t.ok(
      broken.some((check) => check.name === name && !check.passed),
      name
    )
  }
})

t.test('a run that fails a check issues nothing, returns its numbers, and the next one may start', async (t) => {
  const database = await testDatabase(t)
  const admin = database.createPool()
  await seedSite(admin, { subscriptions, months: 1 })
  const { run, step } = await calculated(database)
  await admin.query(`UPDATE rating_run.charge_${run.id} SET net_micro = net_micro * 2 WHERE component = 'wastewater'`)
  t.equal(await step('checked'), undefined)
  const failed = await admin.query('SELECT state, failure_code FROM rating.run WHERE id = $1', [run.id])
  t.strictSame(failed.rows, [{ state: 'failed', failure_code: 'RUN_CHECK_FAILED' }])
  t.equal((await admin.query('SELECT FROM ledger.document')).rowCount, 0)

  const next = await calculated(database)
  await next.step('checked')
  const states = await admin.query('SELECT state FROM rating.run ORDER BY id')
  t.strictSame(
    states.rows.map((row: { state: string }) => row.state),
    ['failed', 'checked']
  )
})

t.test('the ledger refuses documents that are not booked', async (t) => {
  const database = await testDatabase(t)
  const admin = database.createPool()
  await seedSite(admin, { subscriptions, months: 1 })
  const { run, step } = await calculated(database)
  await step('checked')
  await admin.query(`TRUNCATE rating_run.posting_${run.id}`)
  await t.rejects(admin.query('SELECT ledger.issue_run($1)', [run.id]), { code: 'EN001' })
})
