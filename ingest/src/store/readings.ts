import { finished } from 'node:stream/promises'
import type { PoolClient } from '@endeks/database/pool'
import type { ReadingSource } from '@endeks/domain/metering'
import { type EpochMs, epochMs, toIso } from '@endeks/domain/time'
import type { MeterUnit } from '@endeks/domain/units'
import { from as copyFrom } from 'pg-copy-streams'
import { arrayLiteral } from './array-literal.js'
import type { DirtySpan } from './validation-reads.js'
import { addDirty } from './validation-writes.js'

/** A reading that has found its register. */
export interface ReadingRow {
  readonly registerId: bigint
  readonly at: EpochMs
  readonly raw: bigint
  readonly scaler: number
  readonly unit: MeterUnit
  readonly status: number
  readonly source: ReadingSource
  /** null for one that a person typed in */
  readonly exchangeId: bigint | null
  readonly exchangeDay: string | null
}

/** How many rows are new, how many differ from what stands for their instant, and the exchanges that either came from. */
export interface StoredReadings {
  readonly stored: number
  readonly conflicts: number
  readonly exchangeIds: ReadonlySet<bigint>
}

const columns = 'register_id, at, raw, exchange_id, exchange_day, status, scaler, unit, source'

/**
 * Copies rows that are hoped to be new: the fastest way by far, and one that a single known row fails (23505) together with
 * its transaction.
 */
export async function copyReadings(client: PoolClient, rows: readonly ReadingRow[]): Promise<StoredReadings> {
  const stream = client.query(copyFrom(`copy metering.reading (${columns}) from stdin`))
  const lines: string[] = []
  for (const row of rows) {
    lines.push(
      `${row.registerId}\t${toIso(row.at)}\t${row.raw}\t${row.exchangeId ?? '\\N'}\t${row.exchangeDay ?? '\\N'}\t${row.status}\t${row.scaler}\t${row.unit}\t${row.source}\n`
    )
  }
  stream.end(lines.join(''))
  await finished(stream)
  await addDirty(client, spansOf(rows))
  const exchangeIds = new Set<bigint>()
  for (const row of rows) if (row.exchangeId !== null) exchangeIds.add(row.exchangeId)
  return { stored: rows.length, conflicts: 0, exchangeIds }
}

/** One span a register, from its first to its last reading. */
function spansOf(rows: readonly ReadingRow[]): DirtySpan[] {
  const spans = new Map<bigint, { from: number; to: number }>()
  for (const { registerId, at } of rows) {
    const span = spans.get(registerId)
    if (span === undefined) spans.set(registerId, { from: at, to: at })
    else if (at < span.from) span.from = at
    else if (at > span.to) span.to = at
  }
  return [...spans].map(([registerId, { from, to }]) => ({ registerId, from: epochMs(from), to: epochMs(to) }))
}

const input = `unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::date[], $6::integer[], $7::smallint[], $8::text[], $9::text[])
  with ordinality as given (register_id, at_ms, raw, exchange_id, exchange_day, status, scaler, unit, source, n)`
const at = `timestamptz 'epoch' + at_ms * interval '1 millisecond'`

/**
 * Stores rows of which some may be known. The same again changes nothing; another value for a known instant goes to
 * `reading_conflict`, for a person to decide. Both are only told apart where the count is short. Of two rows for one instant
 * the first becomes the reading.
 */
export async function storeReadings(client: PoolClient, rows: readonly ReadingRow[]): Promise<StoredReadings> {
  if (rows.length === 0) return { stored: 0, conflicts: 0, exchangeIds: new Set() }
  const values = parameters(rows)
  const inserted = await client.query<{ stored: bigint; exchange_ids: bigint[] | null }>({
    name: 'insert-readings',
    text: `with stored as (
        insert into metering.reading (${columns})
        select register_id, ${at}, raw, exchange_id, exchange_day, status, scaler, unit, source from ${input} order by register_id, at_ms, n
        on conflict do nothing returning register_id, at, exchange_id
      ), dirtied as (
        insert into metering.dirty (register_id, from_at, to_at) select register_id, min(at), max(at) from stored group by register_id
      )
      select count(*) as stored, array_agg(distinct exchange_id) filter (where exchange_id is not null) as exchange_ids from stored`,
    values
  })
  const exchangeIds = new Set(inserted.rows[0]?.exchange_ids)
  const stored = Number(inserted.rows[0]?.stored ?? 0n)
  if (stored === rows.length) return { stored, conflicts: 0, exchangeIds }
  const conflicts = await client.query<{ exchange_id: bigint | null }>({
    name: 'insert-conflicts',
    text: `insert into metering.reading_conflict (register_id, at, raw, exchange_id, exchange_day, status, scaler, unit, source)
      select given.register_id, ${at}, given.raw, given.exchange_id, given.exchange_day, given.status, given.scaler, given.unit, given.source
      from ${input}
      cross join lateral (
        select raw, scaler, unit, status from metering.reading r where r.register_id = given.register_id and r.at = ${at} limit 1
      ) standing
      where (standing.raw, standing.scaler, standing.unit, standing.status) is distinct from (given.raw, given.scaler, given.unit, given.status)
      on conflict do nothing returning exchange_id`,
    values
  })
  for (const { exchange_id } of conflicts.rows) if (exchange_id !== null) exchangeIds.add(exchange_id)
  return { stored, conflicts: conflicts.rows.length, exchangeIds }
}

function parameters(rows: readonly ReadingRow[]): string[] {
  return [
    arrayLiteral(rows.map((row) => row.registerId)),
    arrayLiteral(rows.map((row) => row.at)),
    arrayLiteral(rows.map((row) => row.raw)),
    arrayLiteral(rows.map((row) => row.exchangeId)),
    arrayLiteral(rows.map((row) => row.exchangeDay)),
    arrayLiteral(rows.map((row) => row.status)),
    arrayLiteral(rows.map((row) => row.scaler)),
    arrayLiteral(rows.map((row) => row.unit)),
    arrayLiteral(rows.map((row) => row.source))
  ]
}

/** Whether a known reading is the same in raw, scaler, unit and status; undefined when there is none for this instant. */
export async function compareReading(client: PoolClient, row: ReadingRow): Promise<'same' | 'other' | undefined> {
  const { rows } = await client.query<{ same: boolean }>(
    `select (raw, scaler, unit, status) = ($3::bigint, $4::smallint, $5::text, $6::integer) as same
     from metering.reading where register_id = $1 and at = $2::timestamptz`,
    [row.registerId, toIso(row.at), row.raw, row.scaler, row.unit, row.status]
  )
  return rows[0] === undefined ? undefined : rows[0].same ? 'same' : 'other'
}
