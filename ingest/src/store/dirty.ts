import type { Pool, PoolClient } from '@endeks/database/pool'
import { type EpochMs, epochMs } from '@endeks/domain/time'
import { CopyRows } from './copy-rows.js'

/** A span of a register that has to be looked at again. */
export interface DirtySpan {
  readonly registerId: bigint
  readonly from: EpochMs
  readonly to: EpochMs
  /** what lies before it is settled: readings there may be gone, and the segments that were made of them stay as they are */
  readonly floor?: EpochMs
}

/** So many spans lie in one row that it stays on its page. */
const spansPerRow = 64
const columnCount = 3
/** A span in the binary format of COPY, and what a row takes beside its spans. */
const spanBytes = 36
const rowBytes = 100

/** What readings make dirty: a register's span goes from its first to its last reading. */
export class DirtySpans {
  readonly #spans = new Map<number, { registerId: bigint; from: EpochMs; to: EpochMs }>()

  add(registerId: bigint, at: EpochMs): void {
    const key = Number(registerId)
    const span = this.#spans.get(key)
    if (span === undefined) this.#spans.set(key, { registerId, from: at, to: at })
    else if (at < span.from) span.from = at
    else if (at > span.to) span.to = at
  }

  async write(client: PoolClient): Promise<void> {
    await addDirty(client, [...this.#spans.values()])
  }
}

/** Has validation look at spans once the caller's transaction is committed. They are queued many to a row. */
export async function addDirty(client: PoolClient, spans: readonly DirtySpan[]): Promise<void> {
  if (spans.length === 0) return
  const copy = new CopyRows(columnCount, spans.length * spanBytes + Math.ceil(spans.length / spansPerRow) * rowBytes)
  for (let first = 0; first < spans.length; first += spansPerRow) {
    const part = spans.slice(first, first + spansPerRow)
    copy.row()
    copy.bigints(part.map((span) => span.registerId))
    copy.bigints(part.map((span) => span.from))
    copy.bigints(part.map((span) => span.to))
  }
  await copy.send(client, 'metering.dirty (register_ids, from_ms, to_ms)')
}

/** Takes the oldest rows out of the queue, until there are so many spans; they are back if the transaction fails. */
export async function claimDirty(client: PoolClient, limit: number): Promise<DirtySpan[]> {
  const { rows } = await client.query<{ register_id: bigint; from_ms: bigint; to_ms: bigint }>({
    name: 'claim-dirty',
    text: `with head as materialized (select id, cardinality(register_ids) as spans from metering.dirty order by id limit $1 for update skip locked),
       counted as (select id, sum(spans) over (order by id) - spans as before from head),
       taken as (delete from metering.dirty where id in (select id from counted where before < $1) returning register_ids, from_ms, to_ms)
     select span.register_id, span.from_ms, span.to_ms
     from taken cross join lateral unnest(taken.register_ids, taken.from_ms, taken.to_ms) as span (register_id, from_ms, to_ms)`,
    values: [limit]
  })
  return rows.map((row) => ({ registerId: row.register_id, from: epochMs(Number(row.from_ms)), to: epochMs(Number(row.to_ms)) }))
}

/** Puts the spans of the oldest row at the end of the queue, each by itself: one that fails keeps no other from being done. */
export async function requeueOldest(client: PoolClient): Promise<void> {
  await client.query(
    `with taken as (
       delete from metering.dirty where id = (select id from metering.dirty order by id limit 1 for update skip locked)
       returning register_ids, from_ms, to_ms
     )
     insert into metering.dirty (register_ids, from_ms, to_ms)
     select array[span.register_id], array[span.from_ms], array[span.to_ms]
     from taken cross join lateral unnest(taken.register_ids, taken.from_ms, taken.to_ms) as span (register_id, from_ms, to_ms)`
  )
}

/** A backlog of this length says all that its length can say. */
const mostCounted = 100_000

/** How many spans wait, counted up to a bound. */
export async function countDirty(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: bigint }>(
    'select coalesce(least(sum(cardinality(register_ids)), $1), 0)::bigint as count from (select register_ids from metering.dirty limit $1) waiting',
    [mostCounted]
  )
  return Number(rows[0]?.count ?? 0n)
}
