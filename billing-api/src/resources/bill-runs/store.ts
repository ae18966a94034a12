import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'
import { sql } from 'kysely'
import { type Database, first, rows } from '../../store/query.js'

export type RunState = 'freezing' | 'calculating' | 'checking' | 'checked' | 'issuing' | 'issued' | 'failed' | 'abandoned'

export interface RunRow {
  readonly id: bigint
  readonly period: string
  readonly state: RunState
  readonly subjects: number
  readonly bills: number
  readonly excluded: number
  readonly net_micro: bigint
  readonly tax_micro: bigint
  readonly gross_micro: bigint
  readonly created_at: EpochMs
  readonly issued_at: EpochMs | null
  readonly requested_by: string
}

const columns = sql`run.id, run.period, run.state, run.subjects, run.bills, run.net_micro, run.tax_micro, run.gross_micro, run.created_at,
  run.issued_at, run.requested_by,
  (select count(*)::integer from rating.run_exclusion e where e.run_id = run.id) as excluded`

/** The newest hundred: eight years of months. */
export async function listRuns(database: Database): Promise<RunRow[]> {
  return rows(database, sql<RunRow>`select ${columns} from rating.run order by run.id desc limit 100`)
}

export interface RunDetailRow extends RunRow {
  readonly cutoff_at: EpochMs
  readonly issue_date: string
  readonly due_date: string
  readonly series: string
  readonly number_base: bigint | null
  readonly digest: Buffer | null
  readonly failure_code: string | null
  readonly failure_message: string | null
  /** bills of the shards that are done, subjects of all, and how long the done ones took in all */
  readonly done: number
  readonly total: number
  readonly seconds: number | null
  readonly previous_gross: bigint | null
}

/** @throws {AppError} RUN_NOT_FOUND */
export async function getRun(database: Database, id: bigint | undefined): Promise<RunDetailRow> {
  const row =
    id === undefined
      ? undefined
      : await first(
          database,
          sql<RunDetailRow>`
            select ${columns}, run.cutoff_at, run.issue_date, run.due_date, run.series, run.number_base, run.digest, run.failure_code,
              run.failure_message, shards.done, shards.total, shards.seconds,
              (select previous.gross_micro from rating.run previous
                where previous.state = 'issued' and previous.period < run.period order by previous.period desc, previous.id desc limit 1) as previous_gross
            from rating.run
            cross join lateral (
              select coalesce(sum(last_rank - first_rank + 1) filter (where state = 'done'), 0)::integer as done,
                coalesce(sum(last_rank - first_rank + 1), 0)::integer as total,
                extract(epoch from max(finished_at) - run.created_at)::float8 as seconds
              from rating.run_shard where run_id = run.id
            ) shards
            where run.id = ${id}`
        )
  if (row === undefined) throw new AppError('RUN_NOT_FOUND', 'there is no such bill run')
  return row
}

export interface CheckRow {
  readonly name: string
  readonly passed: boolean
  readonly expected: string
  readonly found: string
  readonly offenders: unknown
}

export async function checksOf(database: Database, id: bigint): Promise<CheckRow[]> {
  return rows(
    database,
    sql<CheckRow>`select name, passed, expected, found, offenders from rating.run_check where run_id = ${id} order by name`
  )
}

export interface ExclusionRow {
  readonly subscription: string
  readonly registry_no: bigint
  readonly name: string
  readonly reason: string
}

export async function exclusionsOf(database: Database, id: bigint): Promise<ExclusionRow[]> {
  return rows(
    database,
    sql<ExclusionRow>`
      select s.number as subscription, p.registry_no, person.name, e.reason
      from rating.run_exclusion e
      join account.subscription s on s.id = e.subscription_id
      join account.contract c on c.id = s.contract_id
      join account.participant p on p.id = c.participant_id
      join account.person on person.id = p.person_id
      where e.run_id = ${id} order by e.reason, s.number limit 1000`
  )
}
