import type { PoolClient } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import type { ReadingSource } from '@endeks/domain/metering'
import type { EpochMs } from '@endeks/domain/time'
import type { MeterUnit } from '@endeks/domain/units'
import { arrayLiteral } from './array-literal.js'
import { CopyRows } from './copy-rows.js'
import { DirtySpans } from './dirty.js'

/** A reading that has found its register. */
export interface ReadingRow {
  readonly registerId: bigint
  readonly at: EpochMs
  /** decimal text */
  readonly raw: string
  readonly scaler: number
  readonly unit: MeterUnit
  readonly status: number
  readonly source: ReadingSource
  /** null for one that a person typed in */
  readonly exchangeId: bigint | null
  readonly exchangeDay: string | null
}

const columns = 'register_id, at, raw, exchange_id, exchange_day, status, scaler, unit, source'
const columnCount = 9
/** A row in the binary format of COPY, about. */
const copiedRowBytes = 96

/**
 * Rows that are hoped to be new, in the form in which they are sent: most readings are never kept as objects. If one of them is
 * known, the database answers 23505 and the transaction fails.
 */
export class HopedReadings {
  readonly #copy: CopyRows
  readonly #dirty = new DirtySpans()
  #count = 0

  /** @param expected how many rows there will be, about */
  constructor(expected: number) {
    this.#copy = new CopyRows(columnCount, expected * copiedRowBytes)
  }

  get count(): number {
    return this.#count
  }

  add(row: ReadingRow): void {
    const copy = this.#copy
    copy.row()
    copy.bigint(row.registerId)
    copy.instant(row.at)
    copy.decimal(row.raw)
    if (row.exchangeId === null) copy.null()
    else copy.bigint(row.exchangeId)
    if (row.exchangeDay === null) copy.null()
    else copy.date(row.exchangeDay)
    copy.integer(row.status)
    copy.smallint(row.scaler)
    copy.text(row.unit)
    copy.text(row.source)
    this.#dirty.add(row.registerId, row.at)
    this.#count += 1
  }

  async write(client: PoolClient): Promise<void> {
    if (this.#count === 0) return
    await this.#copy.send(client, `metering.reading (${columns})`)
    await this.#dirty.write(client)
  }
}

/** Rows by what is hoped of them. */
export interface SortedReadings {
  readonly hoped: HopedReadings
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
  /** of the doubted and suspect that are stored or conflict */
  readonly exchangeIds: readonly bigint[]
}

/**
 * Stores rows in the caller's transaction. The same again changes nothing; another value for a known instant goes to
 * `reading_conflict`, for a person to decide. Of two rows for one instant the first becomes the reading.
 *
 * Only what may be known is compared with what stands, and this after the hoped ones are written, so that it is compared with them too.
 *
 * @throws 23505 when a row is known that was hoped to be new
 */
export async function storeReadings(client: PoolClient, { hoped, doubted, suspect }: SortedReadings): Promise<StoredReadings> {
  await hoped.write(client)
  const { missing, other } = await compareReadings(client, [...doubted, ...suspect])
  const added = await addMissing(
    client,
    missing.map(({ row }) => row)
  )
  const differing = [...other, ...added.differing]
  const conflicting = await insertConflicts(client, differing)
  return {
    stored: hoped.count + added.stored.length,
    other: differing.length,
    conflicts: conflicting.length,
    surprises: doubted.length - missing.filter(({ index }) => index < doubted.length).length,
    exchangeIds: [...conflicting, ...added.stored.flatMap((row) => row.exchangeId ?? [])]
  }
}

/** The same for rows of which nothing is remembered: each is looked up, and no other transaction's row makes this one fail. */
export async function storeUnremembered(client: PoolClient, rows: readonly ReadingRow[]): Promise<StoredReadings> {
  return storeReadings(client, { hoped: new HopedReadings(0), doubted: [], suspect: rows })
}

const input = `unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::date[], $6::integer[], $7::smallint[], $8::text[], $9::text[])
  with ordinality as given (register_id, at_ms, raw, exchange_id, exchange_day, status, scaler, unit, source, n)`
const at = `timestamptz 'epoch' + at_ms * interval '1 millisecond'`

/**
 * Stores rows that were not there a moment ago. What another transaction has written since then is compared once more, now that
 * it is committed.
 */
async function addMissing(
  client: PoolClient,
  rows: readonly ReadingRow[]
): Promise<{ readonly stored: readonly ReadingRow[]; readonly differing: readonly ReadingRow[] }> {
  const { first, differing } = firstOfEach(rows)
  if (first.length === 0) return { stored: [], differing }
  const inserted = await client.query<{ register_id: bigint; at: EpochMs }>({
    name: 'insert-missing-readings',
    text: `insert into metering.reading (${columns})
      select register_id, ${at}, raw, exchange_id, exchange_day, status, scaler, unit, source from ${input}
      on conflict do nothing returning register_id, at`,
    values: parameters(first)
  })
  const dirty = new DirtySpans()
  for (const row of inserted.rows) dirty.add(row.register_id, row.at)
  await dirty.write(client)
  if (inserted.rows.length === first.length) return { stored: first, differing }
  const keys = new Set(inserted.rows.map((row) => `${row.register_id} ${row.at}`))
  const isStored = (row: ReadingRow): boolean => keys.has(`${row.registerId} ${row.at}`)
  const { other } = await compareReadings(
    client,
    first.filter((row) => !isStored(row))
  )
  return { stored: first.filter(isStored), differing: [...differing, ...other] }
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
  return BigInt(a.raw) === BigInt(b.raw) && a.scaler === b.scaler && a.unit === b.unit && a.status === b.status
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
