import type { PoolClient } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { type Quality, qualities } from '@endeks/domain/metering'
import { type EpochMs, toIso } from '@endeks/domain/time'
import { isQuantityUnit } from '@endeks/domain/units'
import type { IndexReading, RegisterFacts, Segment } from '../vee/facts.js'
import type { DirtySpan } from './dirty.js'

/** A segment as it stands in the table. */
export interface LiveSegment extends Segment {
  readonly registerId: bigint
  readonly revision: number
}

export interface OpenException {
  readonly id: bigint
  readonly registerId: bigint
  readonly rule: string
  readonly from: EpochMs
  readonly to: EpochMs
}

/** One validator at a time may work on a register; the ids are sorted, so that two never wait for each other. */
export async function lockRegisters(client: PoolClient, sortedIds: readonly bigint[]): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(hashtextextended('metering.segment ' || id, 0)) from unnest($1::bigint[]) as t (id)`, [
    sortedIds
  ])
}

export async function readRegisters(client: PoolClient, ids: readonly bigint[]): Promise<Map<bigint, RegisterFacts>> {
  const { rows } = await client.query<{ id: bigint; digits: number; max_flow: bigint }>(
    'select id, digits, max_flow_milli_per_hour as max_flow from account.register where id = any($1::bigint[])',
    [ids]
  )
  return new Map(rows.map((row) => [row.id, { id: row.id, digits: row.digits, maxFlowMilliPerHour: row.max_flow }]))
}

/**
 * The spans without what retention has settled: a register is only looked at from the first reading on that is kept and that no
 * segment reaches over, since the beginning of such a segment may be gone. A reading that arrives before it changes nothing.
 * Nothing is dropped until the transaction ends.
 */
export async function clipToFloor(client: PoolClient, spans: readonly DirtySpan[]): Promise<DirtySpan[]> {
  const { rows: answer } = await client.query<{ floor: EpochMs | null }>('select metering.readings_floor() as floor')
  const floor = answer[0]?.floor ?? null
  if (floor === null) return [...spans]
  const { rows } = await client.query<{ settled_to: EpochMs }>(
    `select coalesce(reaching.to_at, $2::timestamptz) as settled_to from unnest($1::bigint[]) with ordinality as span (id, n)
     left join lateral (
       select * from (select to_at from metering.segment where register_id = span.id and superseded_at is null and from_at < $2::timestamptz
         order by from_at desc limit 1) last where last.to_at > $2::timestamptz
     ) reaching on true
     order by span.n`,
    [spans.map((each) => each.registerId), toIso(floor)]
  )
  return spans.flatMap((span, index) => {
    const settledTo = rows[index]?.settled_to ?? floor
    return span.to < settledTo ? [] : [{ ...span, from: span.from < settledTo ? settledTo : span.from, floor: settledTo }]
  })
}

/** @returns undefined before the utility is entered: there is no zone yet to cut days by */
export async function readZone(client: PoolClient): Promise<string | undefined> {
  const { rows } = await client.query<{ zone: string }>('select zone from account.utility')
  return rows[0]?.zone
}

/** The readings of a span, and some of those before and after it. */
export interface Surroundings {
  readonly before: readonly IndexReading[]
  readonly within: readonly IndexReading[]
  readonly after: readonly IndexReading[]
}

export interface SurroundingsQuery {
  readonly spans: readonly DirtySpan[]
  readonly neighbours: number
  /** within the span; that many of them means there may be more */
  readonly limit: number
}

interface PlacedReading extends IndexReading {
  readonly n: bigint
  readonly part: number
}

/** The surroundings of each span, in the order of `spans`. LATERAL with LIMIT reads the neighbours off the key's ends. */
export async function readSurroundings(client: PoolClient, query: SurroundingsQuery): Promise<Surroundings[]> {
  const columns = 'at, raw, scaler, unit, status'
  const { rows } = await client.query<PlacedReading>(
    `select span.n, r.*
     from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[]) with ordinality as span (id, from_at, to_at, floor, n)
     cross join lateral (
       (select 0 as part, ${columns} from metering.reading
        where register_id = span.id and at < span.from_at and at >= span.floor order by at desc limit $5)
       union all
       (select 1, ${columns} from metering.reading where register_id = span.id and at between span.from_at and span.to_at order by at limit $6)
       union all
       (select 2, ${columns} from metering.reading where register_id = span.id and at > span.to_at order by at limit $5)
     ) r
     order by span.n, r.at`,
    [
      ...columnsOf(query.spans),
      query.spans.map(({ floor }) => (floor === undefined ? '-infinity' : toIso(floor))),
      query.neighbours,
      query.limit
    ]
  )
  const found = query.spans.map(() => ({ before: [] as IndexReading[], within: [] as IndexReading[], after: [] as IndexReading[] }))
  for (const { n, part, at, raw, scaler, unit, status } of rows) {
    const place = found[Number(n) - 1]
    const list = part === 0 ? place?.before : part === 1 ? place?.within : place?.after
    list?.push({ at, raw, scaler, unit, status })
  }
  return found
}

interface SegmentRow {
  readonly register_id: bigint
  readonly from_at: EpochMs
  readonly to_at: EpochMs
  readonly amount_milli: bigint
  readonly from_raw: bigint
  readonly to_raw: bigint
  readonly revision: number
  readonly scaler: number
  readonly meter_unit: string
  readonly unit: string
  readonly quality: string
  readonly rule: string
}

/** Live segments that overlap the spans. As they don't overlap each other, only one that begins before a span can reach into it. */
export async function readLiveSegments(client: PoolClient, spans: readonly DirtySpan[]): Promise<LiveSegment[]> {
  const { rows } = await client.query<SegmentRow>(
    `select s.* from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) as span (id, from_at, to_at)
     cross join lateral (
       (select * from (select * from metering.segment where register_id = span.id and superseded_at is null and from_at <= span.from_at
          order by from_at desc limit 1) first where first.to_at > span.from_at)
       union all
       (select * from metering.segment where register_id = span.id and superseded_at is null and from_at > span.from_at and from_at < span.to_at)
     ) s
     order by s.register_id, s.from_at`,
    columnsOf(spans)
  )
  return rows.map(segmentFromRow)
}

/** Open exceptions that touch the spans, ends included: one about a single reading begins and ends at its instant. */
export async function readOpenExceptions(client: PoolClient, spans: readonly DirtySpan[]): Promise<OpenException[]> {
  const { rows } = await client.query<{ id: bigint; register_id: bigint; rule: string; from_at: EpochMs; to_at: EpochMs }>(
    `select e.id, e.register_id, e.rule, e.from_at, e.to_at
     from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) as span (id, from_at, to_at)
     join metering.exception e on e.register_id = span.id and e.state = 'open' and e.from_at <= span.to_at and e.to_at >= span.from_at`,
    columnsOf(spans)
  )
  return rows.map((row) => ({ id: row.id, registerId: row.register_id, rule: row.rule, from: row.from_at, to: row.to_at }))
}

function columnsOf(spans: readonly DirtySpan[]): unknown[] {
  return [spans.map((each) => each.registerId), spans.map((each) => toIso(each.from)), spans.map((each) => toIso(each.to))]
}

function segmentFromRow(row: SegmentRow): LiveSegment {
  const quality: Quality | undefined = qualities.find((each) => each === row.quality)
  if (quality === undefined || !isQuantityUnit(row.unit)) {
    throw new AppError('INTERNAL', `a segment of register ${row.register_id} has quality ${row.quality} and unit ${row.unit}`)
  }
  return {
    registerId: row.register_id,
    revision: row.revision,
    from: row.from_at,
    to: row.to_at,
    amountMilli: row.amount_milli,
    fromRaw: row.from_raw,
    toRaw: row.to_raw,
    scaler: row.scaler,
    meterUnit: row.meter_unit,
    unit: row.unit,
    quality,
    rule: row.rule
  }
}
