import { AppError } from '@endeks/domain/errors'
import { type EpochMs, toIso } from '@endeks/domain/time'
import { sql } from 'kysely'
import { type Database, first, rows } from '../../store/query.js'

export interface ReadingRow {
  readonly register_id: bigint
  readonly at: EpochMs
  readonly raw: bigint
  readonly scaler: number
  readonly unit: string
  readonly status: number
  readonly source: 'remote' | 'hand-held' | 'declared' | 'manual'
  readonly evidence: Buffer | null
}

export interface ReadingListQuery {
  readonly register: bigint
  readonly from: EpochMs | undefined
  readonly to: EpochMs | undefined
  /** the oldest instant of the page before */
  readonly before: EpochMs | undefined
  readonly limit: number
}

/** One page and one row more, newest first; the row more is also what the page's last one differs from. */
export async function listReadings(database: Database, query: ReadingListQuery): Promise<ReadingRow[]> {
  const from = query.from === undefined ? sql`true` : sql`r.at >= ${toIso(query.from)}::timestamptz`
  const to = query.to === undefined ? sql`true` : sql`r.at < ${toIso(query.to)}::timestamptz`
  const before = query.before === undefined ? sql`true` : sql`r.at < ${toIso(query.before)}::timestamptz`
  return rows(
    database,
    sql<ReadingRow>`
      select r.register_id, r.at, r.raw, r.scaler, r.unit, r.status, r.source, x.sha256 as evidence
      from metering.reading r left join metering.exchange x on x.day = r.exchange_day and x.id = r.exchange_id
      where r.register_id = ${query.register} and ${from} and ${to} and ${before}
      order by r.at desc limit ${query.limit + 1}`
  )
}

/** @throws {AppError} METER_NOT_FOUND: a register is part of a meter */
export async function checkRegister(database: Database, id: bigint | undefined): Promise<bigint> {
  const row = id === undefined ? undefined : await first(database, sql<{ id: bigint }>`select id from account.register where id = ${id}`)
  if (row === undefined) throw new AppError('METER_NOT_FOUND', 'no meter has such a register')
  return row.id
}

export interface CounterForm {
  readonly raw: bigint
  readonly scaler: number
  readonly unit: string
}

export interface Counter {
  readonly obis: string
  readonly digits: number
  readonly medium: string
  /** as the counter itself said last; null for one that was never heard */
  readonly scaler: number | null
  readonly unit: string | null
}

/** What is known of a register's counter. @throws {AppError} METER_NOT_FOUND */
export async function counterOf(database: Database, register: bigint): Promise<Counter> {
  const row = await first(
    database,
    sql<Counter>`
      select r.obis, r.digits, m.medium, heard.scaler, heard.unit
      from account.register r join account.meter m on m.id = r.meter_id
      left join lateral (
        select scaler, unit from metering.reading where register_id = r.id and source in ('remote', 'hand-held') order by at desc limit 1
      ) heard on true
      where r.id = ${register}`
  )
  if (row === undefined) throw new AppError('METER_NOT_FOUND', 'no meter has such a register')
  return row
}

/** How the register's counter is written: its reading of that instant, else its newest. Undefined for one that was never heard. */
export async function counterForm(database: Database, register: bigint, at: EpochMs): Promise<CounterForm | undefined> {
  return first(
    database,
    sql<CounterForm>`
      (select raw, scaler, unit, 0 as rank from metering.reading where register_id = ${register} and at = ${toIso(at)}::timestamptz)
      union all
      (select raw, scaler, unit, 1 from metering.reading where register_id = ${register} order by at desc limit 1)
      order by rank limit 1`
  )
}
