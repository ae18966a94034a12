import type { PoolClient } from '@endeks/database/pool'
import type { EpochMs } from '@endeks/domain/time'
import type { BilledIndex, BilledSegment } from '../consumption/input.js'

export interface Shard {
  readonly ordinal: number
  readonly first_rank: number
  readonly last_rank: number
}

/** The run's constants that every document of it carries. */
export interface RunTerms {
  readonly period: string
  readonly issue_date: string
  readonly due_date: string
  readonly series: string
  readonly number_base: bigint
  readonly id_base: bigint
  readonly zone: string
  readonly currency: string
  readonly requested_by: string
  /** when the run began: every document of it says so, whichever shard made it */
  readonly started_at: EpochMs
}

export interface Subject {
  readonly rank: number
  readonly subscription_id: bigint
  readonly subscription: string
  readonly participant_id: bigint
  readonly from_at: EpochMs
  readonly to_at: EpochMs
  readonly tariff_id: bigint
  readonly rate_schedule_id: bigint
  readonly receiver: Record<string, unknown>
}

export interface SuppliedRegister {
  readonly rank: number
  readonly supply_id: bigint
  readonly service_point: string
  readonly sign: 1 | -1
  readonly share: string
  readonly register_id: bigint
  readonly span: string
  readonly obis: string
  readonly meter_id: bigint
  readonly serial: string
  readonly manufacturer: string
  readonly opening: BilledIndex | null
  readonly closing: BilledIndex | null
}

export interface SegmentRow extends BilledSegment {
  readonly rank: number
  /** the supplied span that it lies in: one register may be supplied twice in a period, with different shares */
  readonly span: string
  readonly baseUnit: string
}

export interface RateSchedule {
  readonly id: bigint
  readonly tariffCode: string
  readonly version: string
  readonly document: unknown
  readonly hash: string
}

/** Claims a shard that nobody works on; undefined when there is none. The claim ends with the transaction. */
export async function claimShard(client: PoolClient, runId: bigint): Promise<Shard | undefined> {
  const { rows } = await client.query<Shard>(
    `SELECT s.ordinal, s.first_rank, s.last_rank FROM rating.run_shard s JOIN rating.run r ON r.id = s.run_id AND r.state = 'calculating'
     WHERE s.run_id = $1 AND s.state = 'pending' ORDER BY s.ordinal LIMIT 1 FOR UPDATE OF s SKIP LOCKED`,
    [runId]
  )
  return rows[0]
}

export async function finishShard(client: PoolClient, runId: bigint, shard: Shard, bills: number): Promise<void> {
  await client.query(`UPDATE rating.run_shard SET state = 'done', bills = $3, finished_at = now() WHERE run_id = $1 AND ordinal = $2`, [
    runId,
    shard.ordinal,
    bills
  ])
}

export async function excludeSubject(
  client: PoolClient,
  runId: bigint,
  subscriptionId: bigint,
  reason: string,
  details: unknown
): Promise<void> {
  await client.query(
    'INSERT INTO rating.run_exclusion (run_id, subscription_id, reason, details) VALUES ($1, $2, $3, $4) ON CONFLICT (run_id, subscription_id) DO NOTHING',
    [runId, subscriptionId, reason, JSON.stringify(details)]
  )
}

export async function readTerms(client: PoolClient, runId: bigint): Promise<RunTerms | undefined> {
  const { rows } = await client.query<RunTerms>(
    `SELECT r.period, r.issue_date, r.due_date, r.series, r.number_base, r.id_base, u.zone, u.currency, r.requested_by, r.created_at AS started_at
     FROM rating.run r CROSS JOIN account.utility u WHERE r.id = $1`,
    [runId]
  )
  return rows[0]
}

export async function readAccounts(client: PoolClient): Promise<Map<string, string>> {
  const { rows } = await client.query<{ part: string; account: string }>(
    `SELECT part, account FROM ledger.account_map WHERE event = 'invoice'`
  )
  return new Map(rows.map((row) => [row.part, row.account]))
}

/** KDV rates as known at the cut-off: parameters "kdv.<class>", one dated row a rate. */
export async function readKdv(client: PoolClient, runId: bigint): Promise<Record<string, { from: string; rate: string }[]>> {
  const { rows } = await client.query<{ name: string; valid_from: string; value: { rate: string } }>(
    `SELECT p.name, p.valid_from, p.value FROM rating.run r
     JOIN account.parameter p ON p.name LIKE 'kdv.%' AND p.recorded_at < r.cutoff_at AND (p.superseded_at IS NULL OR p.superseded_at >= r.cutoff_at)
     WHERE r.id = $1 ORDER BY p.name, p.valid_from`,
    [runId]
  )
  const table: Record<string, { from: string; rate: string }[]> = {}
  for (const row of rows) {
    const kdvClass = row.name.slice('kdv.'.length)
    const known = table[kdvClass] ?? []
    known.push({ from: row.valid_from, rate: row.value.rate })
    table[kdvClass] = known
  }
  return table
}

export async function readRateSchedule(client: PoolClient, id: bigint): Promise<RateSchedule | undefined> {
  const { rows } = await client.query<RateSchedule>(
    `SELECT v.id, t.code AS "tariffCode", v.version, v.document, encode(v.hash, 'hex') AS hash
     FROM account.rate_schedule v JOIN account.tariff t ON t.id = v.tariff_id WHERE v.id = $1`,
    [id]
  )
  return rows[0]
}

/** Subjects of the shard with the receiver as it will be printed. */
export async function readSubjects(client: PoolClient, runId: bigint, shard: Shard): Promise<Subject[]> {
  const { rows } = await client.query<Subject>(
    `SELECT s.rank, s.subscription_id, c.number AS subscription, s.participant_id, s.from_at, s.to_at, s.tariff_id, s.rate_schedule_id,
       jsonb_build_object('name', e.name, 'taxNumber', e.tax_number, 'taxOffice', e.tax_office, 'address', e.address,
         'registryNo', p.registry_no::text, 'properties', coalesce(places.labels, '[]')) AS receiver
     FROM rating_run.subject_${runId} s
     JOIN account.subscription c ON c.id = s.subscription_id
     JOIN account.participant p ON p.id = s.participant_id
     JOIN account.person e ON e.id = p.person_id
     LEFT JOIN LATERAL (
       SELECT jsonb_agg(DISTINCT o.label) AS labels
       FROM account.supply u JOIN account.service_point sp ON sp.id = u.service_point_id JOIN account.property o ON o.id = sp.property_id
       WHERE u.subscription_id = s.subscription_id AND u.superseded_at IS NULL
     ) places ON true
     WHERE s.rank BETWEEN $1 AND $2 ORDER BY s.rank`,
    [shard.first_rank, shard.last_rank]
  )
  return rows
}

/** Supplies and installations as known at the cut-off, clipped to each subject's period. */
const spans = (runId: bigint): string => `
  SELECT s.rank, concat_ws('/', u.id, i.id, r.id) AS span, u.id AS supply_id, u.service_point_id, u.sign, u.share_numerator, u.share_denominator, r.id AS register_id, r.obis, i.meter_id,
    greatest(s.from_at, u.valid_from, i.valid_from) AS from_at,
    least(s.to_at, coalesce(u.valid_to, 'infinity'), coalesce(i.valid_to, 'infinity')) AS to_at, run.cutoff_at
  FROM rating_run.subject_${runId} s
  JOIN rating.run run ON run.id = ${runId}
  JOIN account.supply u ON u.subscription_id = s.subscription_id
    AND u.recorded_at < run.cutoff_at AND (u.superseded_at IS NULL OR u.superseded_at >= run.cutoff_at)
    AND u.valid_from < s.to_at AND (u.valid_to IS NULL OR u.valid_to > s.from_at)
  JOIN account.installation i ON i.service_point_id = u.service_point_id
    AND i.recorded_at < run.cutoff_at AND (i.superseded_at IS NULL OR i.superseded_at >= run.cutoff_at)
    AND i.valid_from < s.to_at AND (i.valid_to IS NULL OR i.valid_to > s.from_at)
    AND tstzrange(i.valid_from, i.valid_to) && tstzrange(u.valid_from, u.valid_to)
  JOIN account.register r ON r.meter_id = i.meter_id AND r.billed
  WHERE s.rank BETWEEN $1 AND $2`

const index = (alias: string): string => `
  CASE WHEN ${alias}.register_id IS NULL THEN NULL ELSE jsonb_build_object('at', (extract(epoch FROM ${alias}.at) * 1000)::bigint, 'raw', ${alias}.raw::text,
    'scaler', ${alias}.scaler, 'unit', ${alias}.unit, 'status', ${alias}.status, 'source', ${alias}.source, 'evidence', encode(${alias}x.sha256, 'hex'),
    'exchange', CASE WHEN ${alias}x.id IS NULL THEN NULL ELSE to_char(${alias}x.day, 'YYYY-MM-DD') || '/' || ${alias}x.id END) END`

/** The registers of each subject with their first and last index, and the hash of the exchange each came in. */
export async function readRegisters(client: PoolClient, runId: bigint, shard: Shard): Promise<SuppliedRegister[]> {
  const { rows } = await client.query<SuppliedRegister>(
    `SELECT n.rank, n.supply_id, sp.code AS service_point, n.sign, n.share_numerator || '/' || n.share_denominator AS share, n.register_id, n.span, n.obis,
       m.id AS meter_id, m.serial, m.manufacturer, ${index('o')} AS opening, ${index('c')} AS closing
     FROM (${spans(runId)}) n
     JOIN account.service_point sp ON sp.id = n.service_point_id
     JOIN account.meter m ON m.id = n.meter_id
     LEFT JOIN metering.reading o ON o.register_id = n.register_id AND o.at = n.from_at
     LEFT JOIN (metering.exchange ox JOIN metering.profile op ON op.hash = ox.profile_hash) ON ox.day = o.exchange_day AND ox.id = o.exchange_id
     LEFT JOIN metering.reading c ON c.register_id = n.register_id AND c.at = n.to_at
     LEFT JOIN (metering.exchange cx JOIN metering.profile cp ON cp.hash = cx.profile_hash) ON cx.day = c.exchange_day AND cx.id = c.exchange_id
     WHERE n.to_at > n.from_at
     ORDER BY n.rank, sp.code, n.supply_id, n.from_at, n.register_id`,
    [shard.first_rank, shard.last_rank]
  )
  return rows
}

export async function readSegments(client: PoolClient, runId: bigint, shard: Shard): Promise<SegmentRow[]> {
  const { rows } = await client.query<SegmentRow>(
    `SELECT n.rank, n.span, (extract(epoch FROM g.from_at) * 1000)::float8 AS from, (extract(epoch FROM g.to_at) * 1000)::float8 AS to,
       g.amount_milli::text AS amount, g.from_raw::text AS "fromRaw", g.to_raw::text AS "toRaw", g.scaler, g.meter_unit AS unit, g.quality, g.rule,
       g.unit AS "baseUnit"
     FROM (${spans(runId)}) n
     JOIN metering.segment g ON g.register_id = n.register_id AND g.from_at >= n.from_at AND g.to_at <= n.to_at
       AND g.recorded_at < n.cutoff_at AND (g.superseded_at IS NULL OR g.superseded_at >= n.cutoff_at)
     ORDER BY n.rank, n.span, g.from_at`,
    [shard.first_rank, shard.last_rank]
  )
  return rows
}

/** Copies the exchanges that the shard's first and last indexes came in: raw data is dropped one day, invoices are not. */
export async function keepEvidence(client: PoolClient, runId: bigint, shard: Shard): Promise<void> {
  await client.query(
    `INSERT INTO rating.evidence (sha256, exchange_id, at, exchange_day, key_version, gateway_id, bus, address, protocol, zone, identity, profile_hash, profile, request, response)
     SELECT DISTINCT ON (x.day, x.id) x.sha256, x.id, x.at, x.day, x.key_version, x.gateway_id, x.bus, x.address, x.protocol, x.zone, x.identity, x.profile_hash,
       p.content, x.request, x.response
     FROM (${spans(runId)}) n
     JOIN metering.reading r ON r.register_id = n.register_id AND r.at IN (n.from_at, n.to_at)
     JOIN metering.exchange x ON x.day = r.exchange_day AND x.id = r.exchange_id
     JOIN metering.profile p ON p.hash = x.profile_hash
     ORDER BY x.day, x.id
     ON CONFLICT (exchange_day, exchange_id) DO NOTHING`,
    [shard.first_rank, shard.last_rank]
  )
}
