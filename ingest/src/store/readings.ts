import type { PoolClient } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import type { ReadingSource } from '@endeks/domain/metering'
import type { EpochMs } from '@endeks/domain/time'
import type { MeterUnit } from '@endeks/domain/units'
import { arrayLiteral } from './array-literal.js'
import { CopyRows } from './copy-rows.js'
import { addDirtyReadings } from './dirty.js'

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

/** Rows by what is hoped of them. */
export interface SortedReadings {
  /** hoped to be new: if one of them is known, the database answers 23505 and the transaction fails */
  readonly hoped: readonly ReadingRow[]
  /** looked up, though nothing speaks for their being known */
  readonly doubted: readonly ReadingRow[]
  /** looked up, as they are probably known; of two rows for one instant the second is one of these */
  readonly suspect: readonly ReadingRow[]
}

export interface StoredReadings {
  readonly stored: number
  /** rows that say another value than what stands for their instant */
  readonly other: number
  /** those of them that nobody has said before: each is kept once */
  readonly conflicts: number
  /** how many of the doubted were known indeed */
  readonly surprises: number
  /** of readings that are stored or conflict */
  readonly exchangeIds: ReadonlySet<bigint>
}

const columns = 'register_id, at, raw, exchange_id, exchange_day, status, scaler, unit, source'
const columnCount = 9
/** A row in the binary format of COPY, about. */
const copiedRowBytes = 112
/** Below this many rows an INSERT takes less than a COPY. */
const leastCopied = 200

/**
 * Stores rows in the caller's transaction. The same again changes nothing; another value for a known instant goes to
 * `reading_conflict`, for a person to decide. Of two rows for one instant the first becomes the reading.
 *
 * Only what may be known is compared with what stands, and this after the hoped ones are written, so that it is compared with them too.
 *
 * @throws 23505 when a row is known that was hoped to be new, or that another transaction wrote since it was looked up
 */
export async function storeReadings(client: PoolClient, rows: SortedReadings): Promise<StoredReadings> {
  const { hoped, doubted, suspect } = rows
  await writeReadings(client, hoped)
  const looked = [...doubted, ...suspect]
  const { missing, other } = await compareReadings(client, looked)
  const { first, differing } = firstOfEach(missing.map(({ row }) => row))
  await writeReadings(client, first)
  const conflicting = await insertConflicts(client, [...other, ...differing])
  const exchangeIds = new Set(conflicting)
  for (const written of [hoped, first]) addExchanges(exchangeIds, written)
  return {
    stored: hoped.length + first.length,
    other: other.length + differing.length,
    conflicts: conflicting.length,
    surprises: doubted.length - missing.filter(({ index }) => index < doubted.length).length,
    exchangeIds
  }
}

async function writeReadings(client: PoolClient, rows: readonly ReadingRow[]): Promise<void> {
  if (rows.length === 0) return
  if (rows.length < leastCopied) await insertReadings(client, rows)
  else await copyReadings(client, rows)
  await addDirtyReadings(client, rows)
}

async function copyReadings(client: PoolClient, rows: readonly ReadingRow[]): Promise<void> {
  const copy = new CopyRows(columnCount, rows.length * copiedRowBytes)
  for (const row of rows) {
    copy.row()
    copy.bigint(row.registerId)
    copy.instant(row.at)
    copy.bigint(row.raw)
    if (row.exchangeId === null) copy.null()
    else copy.bigint(row.exchangeId)
    if (row.exchangeDay === null) copy.null()
    else copy.date(row.exchangeDay)
    copy.integer(row.status)
    copy.smallint(row.scaler)
    copy.text(row.unit)
    copy.text(row.source)
  }
  await copy.send(client, `metering.reading (${columns})`)
}

const input = `unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::date[], $6::integer[], $7::smallint[], $8::text[], $9::text[])
  with ordinality as given (register_id, at_ms, raw, exchange_id, exchange_day, status, scaler, unit, source, n)`
const at = `timestamptz 'epoch' + at_ms * interval '1 millisecond'`

async function insertReadings(client: PoolClient, rows: readonly ReadingRow[]): Promise<void> {
  await client.query({
    name: 'insert-readings',
    text: `insert into metering.reading (${columns})
      select register_id, ${at}, raw, exchange_id, exchange_day, status, scaler, unit, source from ${input}`,
    values: parameters(rows)
  })
}

/** Those of the rows that nothing stands for, and those that something else stands for; the others are the same as what stands. */
async function compareReadings(
  client: PoolClient,
  rows: readonly ReadingRow[]
): Promise<{ readonly missing: { readonly row: ReadingRow; readonly index: number }[]; readonly other: ReadingRow[] }> {
  const found = { missing: [] as { row: ReadingRow; index: number }[], other: [] as ReadingRow[] }
  if (rows.length === 0) return found
  // LATERAL with LIMIT reads the key; a join may well read the table.
  const { rows: unlike } = await client.query<{ n: number; missing: boolean }>({
    name: 'compare-readings',
    text: `select given.n::integer as n, standing.raw is null as missing
      from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::integer[], $5::smallint[], $6::text[])
        with ordinality as given (register_id, at_ms, raw, status, scaler, unit, n)
      left join lateral (
        select raw, scaler, unit, status from metering.reading r where r.register_id = given.register_id and r.at = ${at} limit 1
      ) standing on true
      where (standing.raw = given.raw and standing.scaler = given.scaler and standing.unit = given.unit and standing.status = given.status) is not true
      order by given.n`,
    values: [
      arrayLiteral(rows.map((row) => row.registerId)),
      arrayLiteral(rows.map((row) => row.at)),
      arrayLiteral(rows.map((row) => row.raw)),
      arrayLiteral(rows.map((row) => row.status)),
      arrayLiteral(rows.map((row) => row.scaler)),
      arrayLiteral(rows.map((row) => row.unit))
    ]
  })
  for (const { n, missing } of unlike) {
    const row = rows[n - 1]
    if (row === undefined) throw new AppError('INTERNAL', `the database compared row ${n} of ${rows.length}`)
    if (missing) found.missing.push({ row, index: n - 1 })
    else found.other.push(row)
  }
  return found
}

/** The first row of each instant, in the order of the key, and the later ones that say something else. */
function firstOfEach(rows: readonly ReadingRow[]): { readonly first: ReadingRow[]; readonly differing: ReadingRow[] } {
  // Sorting is stable, and two transactions that write the same keys in the same order do not wait for each other.
  const sorted = [...rows].sort((a, b) => compare(a.registerId, b.registerId) || a.at - b.at)
  const first: ReadingRow[] = []
  const differing: ReadingRow[] = []
  for (const row of sorted) {
    const last = first.at(-1)
    if (last?.registerId !== row.registerId || last.at !== row.at) first.push(row)
    else if (!sameValue(last, row)) differing.push(row)
  }
  return { first, differing }
}

function sameValue(a: ReadingRow, b: ReadingRow): boolean {
  return a.raw === b.raw && a.scaler === b.scaler && a.unit === b.unit && a.status === b.status
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** @returns the exchanges of those that were not known as conflicts yet */
async function insertConflicts(client: PoolClient, rows: readonly ReadingRow[]): Promise<bigint[]> {
  if (rows.length === 0) return []
  const { rows: inserted } = await client.query<{ exchange_id: bigint | null }>({
    name: 'insert-conflicts',
    text: `insert into metering.reading_conflict (register_id, at, raw, exchange_id, exchange_day, status, scaler, unit, source)
      select register_id, ${at}, raw, exchange_id, exchange_day, status, scaler, unit, source from ${input} order by register_id, at_ms, n
      on conflict do nothing returning exchange_id`,
    values: parameters(rows)
  })
  return inserted.flatMap((row) => row.exchange_id ?? [])
}

function addExchanges(ids: Set<bigint>, rows: readonly ReadingRow[]): void {
  let last: bigint | null = null
  for (const { exchangeId } of rows) {
    if (exchangeId === last || exchangeId === null) continue
    ids.add(exchangeId)
    last = exchangeId
  }
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
