import { type RawBuilder, sql } from 'kysely'
import { literalLike } from '../../../identifiers.js'
import { openOf } from '../../../store/debt.js'
import { type Database, only, rows } from '../../../store/query.js'

export interface InvoiceRow {
  readonly id: bigint
  readonly label: string
  readonly registry_no: bigint
  readonly name: string
  readonly subscription: string | null
  readonly period: string
  readonly issue_date: string
  readonly due_date: string | null
  readonly gross_micro: bigint
  readonly open: bigint
}

export interface InvoiceFilter {
  readonly participant: bigint | undefined
  readonly period: string | undefined
  readonly year: number | undefined
  readonly status: 'open' | 'overdue' | 'settled' | 'unpaid' | undefined
  readonly number: string | undefined
  readonly issuedFrom: string | undefined
  readonly issuedTo: string | undefined
  readonly grossFrom: bigint | undefined
  readonly grossTo: bigint | undefined
  /** the day that it is in the utility's zone */
  readonly today: string
}

export interface InvoicePlace {
  readonly issueDate: string
  readonly id: bigint
}

/** One page and one row more: newest issue date first, and within it the highest number. */
export async function listInvoices(
  database: Database,
  query: { readonly filter: InvoiceFilter; readonly after: InvoicePlace | undefined; readonly limit: number }
): Promise<InvoiceRow[]> {
  const { after } = query
  const place = after === undefined ? sql`true` : sql`(d.issue_date, d.id) < (${after.issueDate}::date, ${after.id}::bigint)`
  return rows(
    database,
    sql<InvoiceRow>`
      select d.id, d.label, p.registry_no, coalesce(d.receiver->>'name', person.name) as name, s.number as subscription, d.period, d.issue_date,
        d.due_date, d.gross_micro, d.open
      from (
        select d.*, ${openOf} as open from ledger.document d
        where ${matches(query.filter)} and ${place}
        order by d.issue_date desc, d.id desc limit ${query.limit + 1}
      ) d
      join account.participant p on p.id = d.participant_id
      join account.person on person.id = p.person_id
      left join account.subscription s on s.id = d.subscription_id
      order by d.issue_date desc, d.id desc`
  )
}

export interface InvoiceTotals {
  readonly count: number
  readonly gross: bigint
  readonly open: bigint
}

/** Over everything that the filter lets through, not over a page. */
export async function totalInvoices(database: Database, filter: InvoiceFilter): Promise<InvoiceTotals> {
  return only(
    database,
    sql<InvoiceTotals>`
      select count(*)::integer as count, coalesce(sum(gross_micro), 0)::bigint as gross, coalesce(sum(open), 0)::bigint as open
      from (select d.gross_micro, ${openOf} as open from ledger.document d where ${matches(filter)}) d`
  )
}

function matches(filter: InvoiceFilter): RawBuilder<unknown> {
  const { participant, period, year, number, issuedFrom, issuedTo, grossFrom, grossTo } = filter
  const conditions = [
    sql`d.kind = 'invoice'`,
    ...(participant === undefined
      ? []
      : [sql`d.participant_id = (select p.id from account.participant p where p.registry_no = ${participant})`]),
    ...(period === undefined ? [] : [sql`d.period = ${period}`]),
    ...(year === undefined ? [] : [sql`left(d.period, 4) = ${year.toString()}`]),
    ...(number === undefined ? [] : [sql`d.label like ${`%${literalLike(number.toUpperCase())}%`}`]),
    ...(issuedFrom === undefined ? [] : [sql`d.issue_date >= ${issuedFrom}::date`]),
    ...(issuedTo === undefined ? [] : [sql`d.issue_date <= ${issuedTo}::date`]),
    ...(grossFrom === undefined ? [] : [sql`d.gross_micro >= ${grossFrom}`]),
    ...(grossTo === undefined ? [] : [sql`d.gross_micro <= ${grossTo}`]),
    ...statusConditions(filter)
  ]
  return sql.join(conditions, sql` and `)
}

function statusConditions({ status, today }: InvoiceFilter): RawBuilder<unknown>[] {
  if (status === undefined) return []
  if (status === 'settled') return [sql`${openOf} = 0`]
  const unpaid = sql`${openOf} > 0`
  if (status === 'unpaid') return [unpaid]
  return [unpaid, status === 'overdue' ? sql`d.due_date < ${today}::date` : sql`(d.due_date is null or d.due_date >= ${today}::date)`]
}
