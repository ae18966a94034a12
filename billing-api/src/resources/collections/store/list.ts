import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'
import { type RawBuilder, sql } from 'kysely'
import { surrogateId } from '../../../identifiers.js'
import { openAfter } from '../../../store/debt.js'
import { asJson, type Database, rows } from '../../../store/query.js'

export interface CollectionRow {
  readonly id: bigint
  readonly label: string
  readonly registry_no: bigint
  readonly name: string
  readonly gross_micro: bigint
  readonly issue_date: string
  readonly issued_at: EpochMs
  readonly issued_by: string
  /** what was owed once it was taken */
  readonly debt: bigint
}

export interface CollectionFilter {
  readonly participant: bigint | undefined
  readonly date: string | undefined
  readonly after: { readonly date: string; readonly id: bigint } | undefined
  readonly limit: number
}

/** One page and one row more, newest first. */
export async function listCollections(database: Database, filter: CollectionFilter): Promise<CollectionRow[]> {
  const { participant, date, after } = filter
  const conditions = [
    sql`d.kind = 'receipt'`,
    ...(participant === undefined
      ? []
      : [sql`d.participant_id = (select p.id from account.participant p where p.registry_no = ${participant})`]),
    ...(date === undefined ? [] : [sql`d.issue_date = ${date}::date`]),
    ...(after === undefined ? [] : [sql`(d.issue_date, d.id) < (${after.date}::date, ${after.id}::bigint)`])
  ]
  return select(database, { where: sql.join(conditions, sql` and `), limit: filter.limit + 1 })
}

/**
 * @param reference a surrogate id or the receipt's number
 * @throws {AppError} COLLECTION_NOT_FOUND
 */
export async function getCollection(database: Database, reference: string): Promise<CollectionRow> {
  const id = /^\d+$/.test(reference) ? surrogateId(reference) : undefined
  const which = id === undefined ? sql`d.label = ${reference}` : sql`d.id = ${id}`
  const [row] = await select(database, { where: sql`d.kind = 'receipt' and ${which}`, limit: 1 })
  if (row === undefined) throw new AppError('COLLECTION_NOT_FOUND', `there is no collection ${reference}`)
  return row
}

/** An invoice of a run is there from the run's issue on: its own `issued_at` is when the run began. */
async function select(
  database: Database,
  query: { readonly where: RawBuilder<unknown>; readonly limit: number }
): Promise<CollectionRow[]> {
  return rows(
    database,
    sql<CollectionRow>`
      select r.id, r.label, p.registry_no, coalesce(r.receiver->>'name', person.name) as name, r.gross_micro, r.issue_date, r.issued_at,
        r.issued_by, owed.debt
      from (select d.* from ledger.document d where ${query.where} order by d.issue_date desc, d.id desc limit ${query.limit}) r
      join account.participant p on p.id = r.participant_id
      join account.person on person.id = p.person_id
      cross join lateral (
        select coalesce(sum(${openAfter(sql`r.id`)}), 0)::bigint as debt from ledger.document d
        left join rating.run on run.id = d.run_id
        where d.participant_id = r.participant_id and d.kind = 'invoice' and coalesce(run.issued_at, d.issued_at) <= r.issued_at
      ) owed
      order by r.issue_date desc, r.id desc`
  )
}

export interface SettledRow {
  readonly collection_id: bigint
  readonly id: bigint
  readonly label: string
  readonly amount_micro: bigint
  /** what it left open of the invoice */
  readonly open: bigint
}

/** What these collections have settled, oldest invoice first. */
export async function settledBy(database: Database, ids: readonly bigint[]): Promise<SettledRow[]> {
  return rows(
    database,
    sql<SettledRow>`
      select s.collection_id, d.id, d.label, s.amount_micro, ${openAfter(sql`s.collection_id`)} as open
      from ledger.settlement s join ledger.document d on d.id = s.invoice_id
      where s.collection_id in (select (jsonb_array_elements_text(${asJson(ids)}::jsonb))::bigint)
      order by d.issue_date, d.id`
  )
}
