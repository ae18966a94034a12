import type { PoolClient } from '@endeks/database/pool'
import type { Run } from './runs.js'

/**
 * A boundary reading stands at the end of the period or at most this long before it: a meter without stored month-end values
 * is read every few minutes, not at midnight.
 */
const boundaryWithin = '1 day'

/** Rows as they were known at the run's cut-off. `alias` has recorded_at and superseded_at. */
function known(alias: string): string {
  return `${alias}.recorded_at < run.cutoff_at AND (${alias}.superseded_at IS NULL OR ${alias}.superseded_at >= run.cutoff_at)`
}

/** Subscriptions that the period concerns and that are not billed to its end already. */
const candidates = `
  CREATE TEMP TABLE freeze_candidate ON COMMIT DROP AS
  SELECT s.id AS subscription_id, c.participant_id, p.registry_no, s.route, s.opened_at, last.to_at AS billed_to
  FROM rating.run run
  JOIN account.subscription s ON s.opened_at < run.period_to AND (s.closed_at IS NULL OR s.closed_at > run.period_from)
  JOIN account.contract c ON c.id = s.contract_id
  JOIN account.participant p ON p.id = c.participant_id
  LEFT JOIN LATERAL (
    SELECT b.to_at FROM rating.bill b WHERE b.subscription_id = s.id AND b.superseded_at IS NULL ORDER BY b.to_at DESC LIMIT 1
  ) last ON true
  WHERE run.id = $1 AND coalesce(last.to_at, '-infinity') <= run.period_to - interval '${boundaryWithin}'`

/** Registers that count for each candidate, with the span in which both supply and installation are in force. */
const registers = `
  CREATE TEMP TABLE freeze_register ON COMMIT DROP AS
  SELECT f.subscription_id, r.id AS register_id, greatest(u.valid_from, i.valid_from) AS span_from,
    least(coalesce(u.valid_to, 'infinity'), coalesce(i.valid_to, 'infinity')) AS span_to
  FROM rating.run run
  JOIN freeze_candidate f ON true
  JOIN account.supply u ON u.subscription_id = f.subscription_id AND ${known('u')}
  JOIN account.installation i ON i.service_point_id = u.service_point_id AND ${known('i')}
    AND tstzrange(i.valid_from, i.valid_to) && tstzrange(u.valid_from, u.valid_to)
  JOIN account.register r ON r.meter_id = i.meter_id AND r.billed
  WHERE run.id = $1 AND greatest(u.valid_from, i.valid_from) < run.period_to
    AND least(coalesce(u.valid_to, 'infinity'), coalesce(i.valid_to, 'infinity')) > coalesce(f.billed_to, f.opened_at)`

/**
 * From: the end of the last bill, or the first index of the registers that stood there first. To: the latest instant at or
 * shortly before the end of the period at which every register then in force has an index.
 */
const boundaries = `
  CREATE TEMP TABLE freeze_boundary ON COMMIT DROP AS
  SELECT f.subscription_id, coalesce(f.billed_to, opening.from_at) AS from_at, closing.to_at
  FROM rating.run run
  JOIN freeze_candidate f ON true
  LEFT JOIN LATERAL (
    SELECT max(first.from_at) AS from_at
    FROM freeze_register r
    JOIN LATERAL (
      SELECT g.from_at FROM metering.segment g
      WHERE g.register_id = r.register_id AND g.from_at >= greatest(r.span_from, f.opened_at) AND ${known('g')}
      ORDER BY g.from_at LIMIT 1
    ) first ON true
    WHERE r.subscription_id = f.subscription_id
      AND r.span_from = (SELECT min(e.span_from) FROM freeze_register e WHERE e.subscription_id = f.subscription_id)
  ) opening ON f.billed_to IS NULL
  LEFT JOIN LATERAL (
    SELECT g.to_at
    FROM freeze_register r
    JOIN metering.segment g ON g.register_id = r.register_id AND ${known('g')}
      AND g.from_at < run.period_to AND g.to_at <= run.period_to AND g.to_at > run.period_to - interval '${boundaryWithin}'
    WHERE r.subscription_id = f.subscription_id AND r.span_from < run.period_to AND r.span_to >= run.period_to
    GROUP BY g.to_at
    HAVING count(*) = (SELECT count(*) FROM freeze_register e
      WHERE e.subscription_id = f.subscription_id AND e.span_from < run.period_to AND e.span_to >= run.period_to)
    ORDER BY g.to_at DESC LIMIT 1
  ) closing ON true
  WHERE run.id = $1`

/** Of each register, how much of its part of the period validated segments cover. */
const coverage = `
  CREATE TEMP TABLE freeze_coverage ON COMMIT DROP AS
  SELECT r.subscription_id, r.register_id, greatest(b.from_at, r.span_from) AS need_from, least(b.to_at, r.span_to) AS need_to, covered.amount
  FROM rating.run run
  JOIN freeze_boundary b ON b.from_at < b.to_at
  JOIN freeze_register r ON r.subscription_id = b.subscription_id AND r.span_from < b.to_at AND r.span_to > b.from_at
  LEFT JOIN LATERAL (
    SELECT sum(g.to_at - g.from_at) AS amount FROM metering.segment g
    WHERE g.register_id = r.register_id AND ${known('g')}
      AND g.from_at >= greatest(b.from_at, r.span_from) AND g.to_at <= least(b.to_at, r.span_to)
  ) covered ON true
  WHERE run.id = $1`

/** Why a candidate can't be billed, the first cause that applies. */
const exclusions = `
  WITH pending AS MATERIALIZED (
    SELECT DISTINCT r.subscription_id
    FROM rating.run run
    JOIN (SELECT register_id, min(from_at) AS from_at FROM metering.dirty_span GROUP BY register_id) d ON d.from_at <= run.period_to
    JOIN freeze_register r ON r.register_id = d.register_id
    WHERE run.id = $1
  )
  INSERT INTO rating.run_exclusion (run_id, subscription_id, reason)
  SELECT run.id, f.subscription_id, why.reason
  FROM rating.run run
  JOIN freeze_candidate f ON true
  JOIN freeze_boundary b ON b.subscription_id = f.subscription_id
  LEFT JOIN freeze_tariff t ON t.subscription_id = f.subscription_id
  CROSS JOIN LATERAL (SELECT CASE
    WHEN NOT EXISTS (SELECT FROM freeze_register r WHERE r.subscription_id = f.subscription_id) THEN 'NO_METER'
    WHEN f.subscription_id IN (SELECT subscription_id FROM pending) THEN 'VALIDATION_PENDING'
    WHEN EXISTS (SELECT FROM freeze_register r JOIN metering.exception x ON x.register_id = r.register_id AND x.state = 'open' AND x.severity = 'hold'
      AND x.from_at < run.period_to AND x.to_at > coalesce(b.from_at, f.opened_at) WHERE r.subscription_id = f.subscription_id) THEN 'EXCEPTION_HOLDS'
    WHEN f.billed_to IS NULL AND b.from_at > f.opened_at + interval '${boundaryWithin}' THEN 'NO_OPENING_INDEX'
    WHEN b.from_at IS NULL OR b.to_at IS NULL OR b.to_at <= b.from_at THEN 'NO_BOUNDARY_READING'
    WHEN EXISTS (SELECT FROM freeze_coverage c WHERE c.subscription_id = f.subscription_id AND c.need_to > c.need_from
      AND c.amount IS DISTINCT FROM c.need_to - c.need_from) THEN 'CONSUMPTION_GAP'
    WHEN t.rate_schedule_id IS NULL THEN 'TARIFF_GAP'
  END AS reason) why
  WHERE run.id = $1 AND why.reason IS NOT NULL`

/** The assignment in force when the period ends, and its version of the last day: a price change within a period is not split here. */
const tariffs = `
  CREATE TEMP TABLE freeze_tariff ON COMMIT DROP AS
  SELECT b.subscription_id, a.tariff_id, v.id AS rate_schedule_id
  FROM rating.run run
  CROSS JOIN account.utility w
  JOIN freeze_boundary b ON b.to_at IS NOT NULL
  JOIN LATERAL (
    SELECT a.tariff_id FROM account.tariff_assignment a
    WHERE a.subscription_id = b.subscription_id AND a.valid_from < b.to_at AND (a.valid_to IS NULL OR a.valid_to >= b.to_at) AND ${known('a')}
    ORDER BY a.valid_from DESC LIMIT 1
  ) a ON true
  JOIN LATERAL (
    SELECT v.id FROM account.rate_schedule v
    WHERE v.tariff_id = a.tariff_id AND v.published_at < run.cutoff_at
      AND v.valid_from <= ((b.to_at - interval '1 second') AT TIME ZONE w.zone)::date
    ORDER BY v.valid_from DESC LIMIT 1
  ) v ON true
  WHERE run.id = $1`

/** Decides who is billed, from when to when and in which order; the others get a reason. All of it in the caller's transaction. */
export async function freezeSubjects(client: PoolClient, run: Run): Promise<number> {
  await client.query('SELECT rating.create_run_tables($1)', [run.id])
  await client.query('DELETE FROM rating.run_shard WHERE run_id = $1', [run.id])
  for (const step of [candidates, registers]) await client.query(step, [run.id])
  await client.query('CREATE INDEX ON freeze_register (subscription_id)')
  await client.query('ANALYZE freeze_candidate, freeze_register')
  for (const step of [boundaries, coverage, tariffs]) await client.query(step, [run.id])
  await client.query('CREATE INDEX ON freeze_coverage (subscription_id)')
  await client.query('ANALYZE freeze_boundary, freeze_coverage, freeze_tariff')
  await client.query(exclusions, [run.id])
  await client.query('UPDATE rating.run SET candidates = (SELECT count(*) FROM freeze_candidate) WHERE id = $1', [run.id])
  const { rowCount } = await client.query(
    `INSERT INTO rating_run.subject_${run.id} (rank, subscription_id, participant_id, from_at, to_at, tariff_id, rate_schedule_id)
     SELECT row_number() OVER (ORDER BY f.route, f.registry_no, f.subscription_id), f.subscription_id, f.participant_id, b.from_at, b.to_at,
       t.tariff_id, t.rate_schedule_id
     FROM freeze_candidate f
     JOIN freeze_boundary b ON b.subscription_id = f.subscription_id
     JOIN freeze_tariff t ON t.subscription_id = f.subscription_id
     WHERE NOT EXISTS (SELECT FROM rating.run_exclusion x WHERE x.run_id = $1 AND x.subscription_id = f.subscription_id)`,
    [run.id]
  )
  return rowCount ?? 0
}

/** Leases the numbers, allots the identifiers and cuts the ranks into shards. */
export async function leaseAndCut(client: PoolClient, run: Run, subjects: number, shardSize: number): Promise<void> {
  await client.query(
    `INSERT INTO rating.run_shard (run_id, ordinal, first_rank, last_rank)
     SELECT $1, n, (n - 1) * $3 + 1, least(n * $3, $2) FROM generate_series(1, ceil($2::numeric / $3)::integer) AS n`,
    [run.id, subjects, shardSize]
  )
  await client.query(
    `UPDATE rating.run SET state = 'calculating', subjects = $2, number_base = ledger.lease_numbers(id, series, issue_date),
       id_base = ledger.run_first_id(extract(year FROM issue_date)::integer, id) WHERE id = $1`,
    [run.id, subjects]
  )
}

/**
 * Takes out the subjects that could not be rated and closes the ranks: numbers are base + rank and must have no gap. What was
 * calculated with the old ranks is thrown away.
 *
 * @returns how many subjects are left
 */
export async function closeRanks(client: PoolClient, run: Run, shardSize: number): Promise<number> {
  const subject = `rating_run.subject_${run.id}`
  await client.query(
    `CREATE TEMP TABLE left_over ON COMMIT DROP AS
     SELECT row_number() OVER (ORDER BY rank) AS rank, subscription_id, participant_id, from_at, to_at, tariff_id, rate_schedule_id
     FROM ${subject} s WHERE NOT EXISTS (SELECT FROM rating.run_exclusion x WHERE x.run_id = $1 AND x.subscription_id = s.subscription_id)`,
    [run.id]
  )
  const outputs = ['subject', 'bill', 'bill_input', 'accrual', 'charge', 'document', 'document_line', 'entry', 'posting']
  await client.query(`TRUNCATE ${outputs.map((name) => `rating_run.${name}_${run.id}`).join(', ')}`)
  const { rowCount } = await client.query(`INSERT INTO ${subject} SELECT * FROM left_over`)
  const subjects = rowCount ?? 0
  await client.query('DELETE FROM rating.run_shard WHERE run_id = $1', [run.id])
  await client.query(
    `INSERT INTO rating.run_shard (run_id, ordinal, first_rank, last_rank)
     SELECT $1, n, (n - 1) * $3 + 1, least(n * $3, $2) FROM generate_series(1, ceil($2::numeric / $3)::integer) AS n`,
    [run.id, subjects, shardSize]
  )
  await client.query('UPDATE rating.run SET subjects = $2 WHERE id = $1', [run.id, subjects])
  return subjects
}
