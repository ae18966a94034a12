import { createHash } from 'node:crypto'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PoolClient } from '@endeks/database/pool'
import { to as copyTo } from 'pg-copy-streams'

/** One conservation check: what it compares, and the worst offenders where the two differ. */
export interface CheckResult {
  readonly name: string
  readonly passed: boolean
  readonly expected: string
  readonly found: string
  readonly offenders: unknown[]
}

interface CheckRow {
  readonly expected: string
  readonly found: string
  readonly offenders: unknown[] | null
}

/** Milli of the base unit in one unit that a tariff prices, times 1000: quantity x nano divided by this is micro. */
const priceDenominator = `(CASE v.document->>'unit' WHEN 'm3' THEN 1000000 WHEN 'kWh' THEN 1000000 WHEN 'L' THEN 1000 WHEN 'MJ' THEN 1000000000 END * 1000.0)`

/** A charge is rounded once to whole kuruş: it lies at most half of one, and the millionth its base was rounded to, off. */
const halfMinor = 5_001

/**
 * Each query gives what was expected and found, as text, and up to ten offenders. They are written in SQL on purpose: what the
 * workers computed is added up again by something that shares no code with them.
 */
const queries: Readonly<Record<string, (run: bigint) => string>> = {
  'every-subscription-billed-or-listed': (run) => `
    SELECT s.candidates::text AS expected,
      ((SELECT count(*) FROM rating_run.bill_${run}) + (SELECT count(*) FROM rating.run_exclusion x WHERE x.run_id = ${run}))::text AS found,
      (SELECT jsonb_agg(x) FROM (SELECT j.subscription_id::text FROM rating_run.subject_${run} j
        WHERE NOT EXISTS (SELECT FROM rating_run.bill_${run} b WHERE b.subscription_id = j.subscription_id) LIMIT 10) x) AS offenders
    FROM rating.run s WHERE s.id = ${run}`,
  'lines-are-quantity-times-price': (run) => `
    WITH priced AS (
      SELECT c.accrual_id, c.ordinal, c.net_micro,
        round(sum((s->>'quantity')::numeric * (s->>'rateNano')::numeric / ${priceDenominator} + (s->>'flatMicro')::numeric) / 10000) * 10000 AS net
      FROM rating_run.charge_${run} c
      JOIN rating_run.accrual_${run} a ON a.id = c.accrual_id
      JOIN account.rate_schedule v ON v.id = a.rate_schedule_id
      CROSS JOIN LATERAL jsonb_array_elements(c.slices) s
      GROUP BY c.accrual_id, c.ordinal, c.net_micro)
    SELECT coalesce(sum(net), 0)::bigint::text AS expected, coalesce(sum(net_micro), 0)::bigint::text AS found,
      (SELECT jsonb_agg(x) FROM (SELECT accrual_id::text, ordinal, net::text AS expected, net_micro::text AS found FROM priced WHERE net <> net_micro LIMIT 10) x) AS offenders
    FROM priced`,
  'slices-add-up-to-consumption': (run) => `
    WITH sliced AS (
      SELECT c.accrual_id, c.ordinal, c.quantity_milli,
        sum((s->>'quantity')::numeric) FILTER (WHERE s->>'basis' = 'consumption') AS quantity
      FROM rating_run.charge_${run} c CROSS JOIN LATERAL jsonb_array_elements(c.slices) s GROUP BY 1, 2, 3)
    SELECT coalesce(sum(quantity_milli), 0)::bigint::text AS expected, coalesce(sum(quantity), 0)::bigint::text AS found,
      (SELECT jsonb_agg(x) FROM (SELECT accrual_id::text, ordinal FROM sliced WHERE quantity <> quantity_milli LIMIT 10) x) AS offenders
    FROM sliced`,
  'bills-are-segments': (run) => `
    WITH spans AS (
      SELECT s.subscription_id, u.sign * u.share_numerator::numeric / u.share_denominator AS factor, r.id AS register_id,
        greatest(s.from_at, u.valid_from, i.valid_from) AS from_at,
        least(s.to_at, coalesce(u.valid_to, 'infinity'), coalesce(i.valid_to, 'infinity')) AS to_at, run.cutoff_at
      FROM rating_run.subject_${run} s
      JOIN rating.run run ON run.id = ${run}
      JOIN account.supply u ON u.subscription_id = s.subscription_id
        AND u.recorded_at < run.cutoff_at AND (u.superseded_at IS NULL OR u.superseded_at >= run.cutoff_at)
      JOIN account.installation i ON i.service_point_id = u.service_point_id
        AND i.recorded_at < run.cutoff_at AND (i.superseded_at IS NULL OR i.superseded_at >= run.cutoff_at)
        AND tstzrange(i.valid_from, i.valid_to) && tstzrange(u.valid_from, u.valid_to)
      JOIN account.register r ON r.meter_id = i.meter_id AND r.billed),
    metered AS (
      SELECT n.subscription_id, round(sum(n.factor * g.amount_milli)) AS amount
      FROM spans n
      JOIN metering.segment g ON g.register_id = n.register_id AND g.from_at >= n.from_at AND g.to_at <= n.to_at
        AND g.recorded_at < n.cutoff_at AND (g.superseded_at IS NULL OR g.superseded_at >= n.cutoff_at)
      GROUP BY 1),
    compared AS (
      SELECT b.subscription_id, coalesce(m.amount, 0) AS amount, b.consumption_milli
      FROM rating_run.bill_${run} b LEFT JOIN metered m ON m.subscription_id = b.subscription_id)
    SELECT coalesce(sum(amount), 0)::bigint::text AS expected, coalesce(sum(consumption_milli), 0)::bigint::text AS found,
      (SELECT jsonb_agg(x) FROM (SELECT subscription_id::text, amount::text AS expected, consumption_milli::text AS found FROM compared
        WHERE amount <> consumption_milli LIMIT 10) x) AS offenders
    FROM compared`,
  'shares-are-ratio-of-their-base': (run) => `
    WITH shared AS (
      SELECT c.accrual_id, c.ordinal, c.net_micro,
        round((c.share->>'baseMicro')::numeric * split_part(c.share->>'ratio', '/', 1)::numeric / split_part(c.share->>'ratio', '/', 2)::numeric) AS exact
      FROM rating_run.charge_${run} c WHERE c.share IS NOT NULL AND c.share <> 'null')
    SELECT count(*)::text AS expected, count(*) FILTER (WHERE abs(net_micro - exact) <= ${halfMinor})::text AS found,
      (SELECT jsonb_agg(x) FROM (SELECT accrual_id::text, ordinal, exact::text AS expected, net_micro::text AS found FROM shared
        WHERE abs(net_micro - exact) > ${halfMinor} LIMIT 10) x) AS offenders
    FROM shared`,
  'tax-is-rate-times-base': (run) => `
    WITH taxed AS (
      SELECT document_id, kdv_rate_nano, sum(kdv_micro) AS kdv, round(sum(net_micro) * kdv_rate_nano / 1000000000.0 / 10000) * 10000 AS expected
      FROM rating_run.document_line_${run} GROUP BY 1, 2)
    SELECT coalesce(sum(expected), 0)::bigint::text AS expected, coalesce(sum(kdv), 0)::bigint::text AS found,
      (SELECT jsonb_agg(x) FROM (SELECT document_id::text, kdv_rate_nano::text, expected::text, kdv::text AS found FROM taxed WHERE kdv <> expected LIMIT 10) x) AS offenders
    FROM taxed`,
  'lines-are-charges': (run) => `
    SELECT (SELECT coalesce(sum(net_micro + kdv_micro), 0) FROM rating_run.charge_${run})::bigint::text AS expected,
      (SELECT coalesce(sum(net_micro + kdv_micro), 0) FROM rating_run.document_line_${run})::bigint::text AS found,
      (SELECT jsonb_agg(x) FROM (SELECT c.accrual_id::text, c.ordinal FROM rating_run.charge_${run} c
        FULL JOIN rating_run.document_line_${run} l ON l.accrual_id = c.accrual_id AND l.charge_ordinal = c.ordinal
        WHERE l.net_micro IS DISTINCT FROM c.net_micro OR l.kdv_micro IS DISTINCT FROM c.kdv_micro LIMIT 10) x) AS offenders`,
  'documents-are-their-lines': (run) => `
    WITH lines AS (SELECT document_id, sum(net_micro) AS net, sum(kdv_micro) AS kdv FROM rating_run.document_line_${run} GROUP BY 1),
    compared AS (
      SELECT d.id, d.gross_micro, coalesce(l.net + l.kdv, 0) AS gross, d.net_micro = l.net AND d.tax_micro = l.kdv AS equal
      FROM rating_run.document_${run} d LEFT JOIN lines l ON l.document_id = d.id)
    SELECT coalesce(sum(gross), 0)::bigint::text AS expected, coalesce(sum(gross_micro), 0)::bigint::text AS found,
      (SELECT jsonb_agg(x) FROM (SELECT id::text FROM compared WHERE equal IS NOT TRUE LIMIT 10) x) AS offenders
    FROM compared`,
  'documents-are-bills': (run) => `
    SELECT (SELECT coalesce(sum(net_micro + tax_micro), 0) FROM rating_run.bill_${run})::bigint::text AS expected,
      (SELECT coalesce(sum(gross_micro), 0) FROM rating_run.document_${run})::bigint::text AS found,
      (SELECT jsonb_agg(x) FROM (SELECT coalesce(b.id, d.id)::text AS id FROM rating_run.bill_${run} b
        FULL JOIN rating_run.document_${run} d ON d.id = b.document_id
        WHERE d.net_micro IS DISTINCT FROM b.net_micro OR d.tax_micro IS DISTINCT FROM b.tax_micro OR d.subscription_id IS DISTINCT FROM b.subscription_id
        LIMIT 10) x) AS offenders`,
  'postings-are-documents': (run) => `
    WITH booked AS (
      SELECT e.document_id, sum(p.amount_micro) FILTER (WHERE p.amount_micro > 0) AS debit
      FROM rating_run.entry_${run} e LEFT JOIN rating_run.posting_${run} p ON p.entry_id = e.id GROUP BY 1)
    SELECT (SELECT coalesce(sum(gross_micro), 0) FROM rating_run.document_${run})::bigint::text AS expected,
      (SELECT coalesce(sum(debit), 0) FROM booked)::bigint::text AS found,
      (SELECT jsonb_agg(x) FROM (SELECT d.id::text FROM rating_run.document_${run} d LEFT JOIN booked b ON b.document_id = d.id
        WHERE coalesce(b.debit, 0) <> d.gross_micro OR b.document_id IS NULL LIMIT 10) x) AS offenders`,
  'nothing-supplied-twice': (run) => `
    WITH shared AS (
      SELECT u.service_point_id, sum(u.share_numerator::numeric / u.share_denominator) AS share
      FROM rating_run.subject_${run} s
      JOIN rating.run run ON run.id = ${run}
      JOIN account.supply u ON u.subscription_id = s.subscription_id AND u.sign = 1
        AND u.recorded_at < run.cutoff_at AND (u.superseded_at IS NULL OR u.superseded_at >= run.cutoff_at)
        AND u.valid_from < s.to_at AND (u.valid_to IS NULL OR u.valid_to >= s.to_at)
      GROUP BY 1)
    SELECT '0' AS expected, count(*) FILTER (WHERE share > 1.000000001)::text AS found,
      (SELECT jsonb_agg(x) FROM (SELECT service_point_id::text, share::text FROM shared WHERE share > 1.000000001 LIMIT 10) x) AS offenders
    FROM shared`,
  'ledger-sums-to-zero': (run) => `
    SELECT '0' AS expected, coalesce(sum(amount_micro), 0)::bigint::text AS found,
      (SELECT jsonb_agg(x) FROM (SELECT entry_id::text, sum(amount_micro)::text AS amount FROM rating_run.posting_${run}
        GROUP BY entry_id HAVING sum(amount_micro) <> 0 LIMIT 10) x) AS offenders
    FROM rating_run.posting_${run}`,
  'numbers-without-gap': (run) => `
    SELECT r.number_base || '-' || (r.number_base + (SELECT count(*) FROM rating_run.document_${run}) - 1) AS expected,
      coalesce(min(d.number), r.number_base) || '-' || coalesce(max(d.number), r.number_base - 1) AS found,
      (SELECT jsonb_agg(x) FROM (SELECT number::text FROM rating_run.document_${run} GROUP BY number HAVING count(*) > 1 LIMIT 10) x) AS offenders
    FROM rating.run r LEFT JOIN rating_run.document_${run} d ON true WHERE r.id = ${run} GROUP BY r.number_base`,
  'bills-follow-each-other': (run) => `
    WITH follows AS (
      SELECT b.subscription_id, b.from_at, last.to_at FROM rating_run.bill_${run} b
      JOIN LATERAL (SELECT o.to_at FROM rating.bill o WHERE o.subscription_id = b.subscription_id AND o.superseded_at IS NULL
        ORDER BY o.to_at DESC LIMIT 1) last ON true)
    SELECT count(*)::text AS expected, count(*) FILTER (WHERE from_at = to_at)::text AS found,
      (SELECT jsonb_agg(x) FROM (SELECT subscription_id::text, from_at, to_at FROM follows WHERE from_at <> to_at LIMIT 10) x) AS offenders
    FROM follows`
}

export async function runChecks(client: PoolClient, runId: bigint): Promise<CheckResult[]> {
  const results: CheckResult[] = []
  for (const [name, query] of Object.entries(queries)) {
    const { rows } = await client.query<CheckRow>(query(runId))
    const row = rows[0] ?? { expected: '', found: 'nothing', offenders: null }
    const offenders = row.offenders ?? []
    results.push({
      name,
      expected: row.expected,
      found: row.found,
      offenders,
      passed: row.expected === row.found && offenders.length === 0
    })
  }
  return results
}

export async function saveChecks(client: PoolClient, runId: bigint, results: readonly CheckResult[]): Promise<void> {
  await client.query('DELETE FROM rating.run_check WHERE run_id = $1', [runId])
  for (const result of results) {
    await client.query('INSERT INTO rating.run_check (run_id, name, passed, expected, found, offenders) VALUES ($1, $2, $3, $4, $5, $6)', [
      runId,
      result.name,
      result.passed,
      result.expected,
      result.found,
      JSON.stringify(result.offenders)
    ])
  }
}

export async function saveTotals(client: PoolClient, runId: bigint, digest: Buffer): Promise<void> {
  await client.query(
    `UPDATE rating.run SET state = 'checked', calculated_at = now(), digest = $2, (bills, net_micro, tax_micro, gross_micro) =
       (SELECT count(*), coalesce(sum(net_micro), 0), coalesce(sum(tax_micro), 0), coalesce(sum(gross_micro), 0) FROM rating_run.document_${runId})
     WHERE id = $1`,
    [runId, digest]
  )
}

export interface RunTables {
  /** "rating_run" before issue, with the run's number behind each name; "rating" after it */
  readonly bill: string
  readonly billInput: string
  readonly charge: string
}

/**
 * The fingerprint of what a run billed: inputs and amounts in the order of its ranks, without numbers, identifiers and times,
 * so that a reproduced run has the same.
 */
export async function digestOf(client: PoolClient, tables: RunTables, runId: bigint): Promise<Buffer> {
  const hash = createHash('sha256')
  const source = client.query(
    copyTo(`COPY (
      SELECT encode(i.hash, 'hex'), b.days, b.consumption_milli, b.unit, b.net_micro, b.tax_micro, c.ordinal, c.component, c.quantity_milli, c.net_micro,
        c.kdv_rate_nano, c.kdv_micro
      FROM ${tables.bill} b JOIN ${tables.billInput} i ON i.bill_id = b.id JOIN ${tables.charge} c ON c.accrual_id = b.id
      WHERE b.run_id = ${runId} ORDER BY b.id, c.ordinal) TO STDOUT`)
  )
  await pipeline(
    source,
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        hash.update(chunk)
        done()
      }
    })
  )
  return hash.digest()
}

export const runTables = (runId: bigint): RunTables => ({
  bill: `rating_run.bill_${runId}`,
  billInput: `rating_run.bill_input_${runId}`,
  charge: `rating_run.charge_${runId}`
})
