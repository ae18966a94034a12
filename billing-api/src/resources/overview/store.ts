import { type EpochMs, epochMs, toIso } from '@endeks/domain/time'
import { sql } from 'kysely'
import { openOf } from '../../store/debt.js'
import { type Database, first, only, rows } from '../../store/query.js'

const dayMs = 86_400_000

export interface CountsRow {
  readonly exceptions: number
  readonly holding: number
  readonly unassigned: number
  readonly installed: number
  readonly heard: number
  readonly collected: bigint
  readonly receipts: number
  readonly open: bigint
  readonly open_invoices: number
  readonly overdue: bigint
  readonly overdue_invoices: number
}

/** @param today the day that it is in the utility's zone */
export async function readCounts(database: Database, now: EpochMs, today: string): Promise<CountsRow> {
  const dayAgo = toIso(epochMs(now - dayMs))
  return only(
    database,
    sql<CountsRow>`
      select exceptions.*, strange.*, meters.*, taken.*, owed.*
      from
        (select count(*)::integer as exceptions, (count(*) filter (where severity = 'hold'))::integer as holding
          from metering.exception where state = 'open') exceptions,
        (select count(*)::integer as unassigned from metering.unassigned where adopted_at is null) strange,
        (select count(*)::integer as installed, (count(*) filter (where exists (
            select from account.register join metering.reading on reading.register_id = register.id
            where register.meter_id = i.meter_id and reading.at > ${dayAgo}::timestamptz)))::integer as heard
          from account.installation i where i.superseded_at is null and i.valid_to is null) meters,
        (select coalesce(sum(gross_micro), 0)::bigint as collected, count(*)::integer as receipts
          from ledger.document where kind = 'receipt' and issue_date = ${today}::date) taken,
        (select coalesce(sum(open), 0)::bigint as open, (count(*) filter (where open > 0))::integer as open_invoices,
            coalesce(sum(open) filter (where due_date < ${today}::date), 0)::bigint as overdue,
            (count(*) filter (where open > 0 and due_date < ${today}::date))::integer as overdue_invoices
          from (select ${openOf} as open, d.due_date from ledger.document d where d.kind = 'invoice') d) owed`
  )
}

export interface LastRunRow {
  readonly id: bigint
  readonly period: string
  readonly state: string
  readonly bills: number
  readonly excluded: number
  readonly gross_micro: bigint
}

export async function lastRun(database: Database): Promise<LastRunRow | undefined> {
  return first(
    database,
    sql<LastRunRow>`select run.id, run.period, run.state, run.bills, run.gross_micro,
        (select count(*)::integer from rating.run_exclusion e where e.run_id = run.id) as excluded
      from rating.run order by run.id desc limit 1`
  )
}

export interface MonthRow {
  readonly month: string
  readonly accrued: bigint
  readonly collected: bigint
  readonly invoices: number
}

/** What was accrued for each month and collected in it, from `first` on. */
export async function monthlySums(database: Database, first: string): Promise<MonthRow[]> {
  return rows(
    database,
    sql<MonthRow>`
      select period as month, coalesce(sum(gross_micro) filter (where kind = 'invoice'), 0)::bigint as accrued,
        coalesce(sum(gross_micro) filter (where kind = 'receipt'), 0)::bigint as collected,
        (count(*) filter (where kind = 'invoice'))::integer as invoices
      from ledger.document where period >= ${first} group by 1 order by 1`
  )
}
