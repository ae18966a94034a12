import { testDatabase } from '@endeks/database/testing'
import t from 'tap'
import { seedSite } from './site.js'
import { calculated } from './stepwise.js'

// Goal: who can't be billed is listed with the reason, and the others are billed; who can, is.
// Method: one thing about the second of three subscriptions is changed, and January is taken to its checks.

const second = '(SELECT id FROM account.register ORDER BY id OFFSET 1 LIMIT 1)'
const secondSubscription = '(SELECT id FROM account.subscription ORDER BY id OFFSET 1 LIMIT 1)'
const january10 = Date.UTC(2026, 0, 10)
const opening = "'2025-12-31T21:00:00Z'"

/** Takes the second register's only segment of January back, so that others can stand in its place. */
const supersede = `UPDATE metering.segment SET superseded_at = '2026-01-02' WHERE register_id = ${second} AND from_at = ${opening}`
const columns = 'amount_milli, from_raw, to_raw, recorded_at, NULL, 9, scaler, meter_unit, unit, quality, rule'
const copied = `${columns} FROM metering.segment WHERE register_id = ${second} AND from_at = ${opening}`
const rest = `to_at, ${copied}`

const reasons: Readonly<Record<string, readonly [reason: string, change: string]>> = {
  'readings that validation has not seen': [
    'VALIDATION_PENDING',
    `INSERT INTO metering.dirty (register_ids, from_ms, to_ms) VALUES (ARRAY[${second}], ARRAY[${january10}], ARRAY[${january10}])`
  ],
  'an open exception that holds': [
    'EXCEPTION_HOLDS',
    `INSERT INTO metering.exception (register_id, rule, severity, from_at, to_at, details) VALUES (${second}, 'flow', 'hold', '2026-01-10', '2026-01-11', '{}')`
  ],
  'a hole between the boundaries': [
    'CONSUMPTION_GAP',
    `${supersede};
     INSERT INTO metering.segment SELECT register_id, '2026-01-20', ${rest} AND revision = 1;
     INSERT INTO metering.segment SELECT register_id, from_at, '2026-01-10', ${copied} AND revision = 1`
  ],
  'an index that comes long after the opening': [
    'NO_OPENING_INDEX',
    `UPDATE account.subscription SET opened_at = '2025-12-20' WHERE id = ${secondSubscription}`
  ],
  'no index at the end of the month': [
    'NO_BOUNDARY_READING',
    `UPDATE metering.segment SET superseded_at = '2026-01-02' WHERE register_id = ${second}`
  ],
  'no meter': [
    'NO_METER',
    `UPDATE account.installation SET superseded_at = '2026-01-02' WHERE id = (SELECT id FROM account.installation ORDER BY id OFFSET 1 LIMIT 1)`
  ],
  'no tariff': [
    'TARIFF_GAP',
    `UPDATE account.tariff_assignment SET superseded_at = '2026-01-02' WHERE subscription_id = ${secondSubscription}`
  ],
  'a boundary index whose bytes are not there': [
    'EVIDENCE_MISSING',
    `UPDATE metering.reading SET source = 'remote' WHERE register_id = ${second} AND at = ${opening}`
  ]
}

for (const [what, [reason, change]] of Object.entries(reasons)) {
  t.test(`${what}: ${reason}`, async (t) => {
    const database = await testDatabase(t)
    const admin = database.createPool()
    await seedSite(admin, { subscriptions: 3, months: 1 })
    await admin.query(change)
    const { run, step } = await calculated(database)
    await step('checked')
    const listed = await admin.query<{ subscription: string; reason: string }>(
      'SELECT s.number AS subscription, x.reason FROM rating.run_exclusion x JOIN account.subscription s ON s.id = x.subscription_id WHERE x.run_id = $1',
      [run.id]
    )
    t.strictSame(listed.rows, [{ subscription: 'S-2', reason }])
    const settled = await admin.query('SELECT state, bills, candidates FROM rating.run WHERE id = $1', [run.id])
    t.strictSame(settled.rows, [{ state: 'checked', bills: 2, candidates: 3 }])
    const numbers = await admin.query<{ number: bigint }>(`SELECT number FROM rating_run.document_${run.id} ORDER BY number`)
    t.strictSame(
      numbers.rows.map((row) => row.number),
      [1n, 2n],
      'the ranks close over the one left out'
    )
  })
}

const middle = "'2026-01-15T21:00:00Z'"
const tail = `recorded_at, NULL, 2, scaler, meter_unit, unit, quality, rule FROM metering.segment WHERE register_id = ${second} AND revision = 1 AND from_at = ${opening}`

const billed: Readonly<Record<string, readonly [change: string, consumption: bigint, water: bigint]>> = {
  'a register that only informs is not billed': [
    `INSERT INTO account.register (meter_id, obis, digits, max_flow_milli_per_hour, billed)
       SELECT meter_id, '8-0:2.0.0*255', 9, 100000000, false FROM account.register WHERE id = ${second}`,
    102_000_000n,
    5_863_780_000n
  ],
  'a changed rate of KDV leaves a published tariff valid': [
    `INSERT INTO account.parameter (name, valid_from, value, recorded_at) VALUES ('kdv.water', '2026-02-01', '{"rate":"0.10"}', '2026-01-01')`,
    102_000_000n,
    5_863_780_000n
  ],
  'a share that changes within the month': [
    `INSERT INTO metering.reading (register_id, at, raw, status, scaler, unit, source) VALUES (${second}, ${middle}, 1040000, 0, -3, 'm3', 'manual');
     ${supersede};
     INSERT INTO metering.segment SELECT register_id, from_at, ${middle}, 40000000, from_raw, 1040000, ${tail};
     INSERT INTO metering.segment SELECT register_id, ${middle}, to_at, 62000000, 1040000, to_raw, ${tail};
     UPDATE account.supply SET valid_to = ${middle} WHERE subscription_id = ${secondSubscription};
     INSERT INTO account.supply (service_point_id, subscription_id, share_denominator, valid_from, recorded_at)
       SELECT service_point_id, subscription_id, 2, ${middle}, '2026-01-01' FROM account.supply WHERE subscription_id = ${secondSubscription}`,
    71_000_000n,
    4_081_650_000n
  ]
}

for (const [what, [change, consumption, water]] of Object.entries(billed)) {
  t.test(what, async (t) => {
    const database = await testDatabase(t)
    const admin = database.createPool()
    await seedSite(admin, { subscriptions: 3, months: 1 })
    await admin.query(change)
    const { run, step } = await calculated(database)
    await step('checked')
    const { rows } = await admin.query<{ consumption: bigint; water: bigint; accrued: string }>(
      `SELECT b.consumption_milli AS consumption, c.net_micro AS water, a.accrual_date AS accrued FROM rating_run.bill_${run.id} b
       JOIN rating_run.charge_${run.id} c ON c.accrual_id = b.id AND c.component = 'water' JOIN rating_run.accrual_${run.id} a ON a.id = b.id
       WHERE b.subscription_id = ${secondSubscription}`
    )
    t.strictSame(rows, [{ consumption, water, accrued: '2026-01-31' }])
  })
}

t.test('a subscription opened in the afternoon of the last day has a bill of no days', async (t) => {
  const database = await testDatabase(t)
  const admin = database.createPool()
  await seedSite(admin, { subscriptions: 2, months: 1 })
  const at = "'2026-01-31T12:00:00Z'"
  await admin.query(
    `UPDATE account.subscription SET opened_at = ${at} WHERE id = ${secondSubscription};
     ${supersede};
     INSERT INTO metering.segment SELECT register_id, from_at, ${at}, amount_milli - 1000000, from_raw, to_raw - 1000, ${tail};
     INSERT INTO metering.segment SELECT register_id, ${at}, to_at, 1000000, to_raw - 1000, to_raw, ${tail};
     INSERT INTO metering.reading (register_id, at, raw, status, scaler, unit, source) SELECT register_id, ${at}, raw - 1000, 0, -3, 'm3', 'manual'
       FROM metering.reading WHERE register_id = ${second} ORDER BY at DESC LIMIT 1`
  )
  const { run, step } = await calculated(database)
  await step('checked')
  const { rows } = await admin.query(
    `SELECT days, consumption_milli FROM rating_run.bill_${run.id} WHERE subscription_id = ${secondSubscription}`
  )
  const listed = await admin.query('SELECT reason, details FROM rating.run_exclusion WHERE run_id = $1', [run.id])
  t.strictSame(listed.rows, [])
  t.strictSame(rows, [{ days: 0, consumption_milli: 1_000_000n }])
})
