import { type RawBuilder, sql } from 'kysely'

/** Printed amount of an invoice `d` minus what those settlements of it have paid that a condition on `settled` picks. */
function grossLess(settlements: RawBuilder<unknown>): RawBuilder<bigint> {
  return sql`(d.gross_micro - coalesce(
    (select sum(settled.amount_micro) from ledger.settlement settled where settled.invoice_id = d.id and ${settlements}), 0))::bigint`
}

/** What is open of an invoice `d` today. */
export const openOf: RawBuilder<bigint> = grossLess(sql`true`)

/**
 * What was open of an invoice `d` once a collection had settled its part. Collections of a participant take turns, so their ids
 * tell which came first; a receipt says the same whenever it is printed.
 *
 * @param collection the column that holds the collection's id
 */
export function openAfter(collection: RawBuilder<unknown>): RawBuilder<bigint> {
  return grossLess(sql`settled.collection_id <= ${collection}`)
}

/**
 * The debt of a participant `p` as columns `debt`, `overdue`, `oldest_due`: kept per document, so the open invoices are added up.
 *
 * @param day the day that it is in the utility's zone: a due date before it is overdue
 */
export function debtOf(day: string): RawBuilder<unknown> {
  return sql`lateral (
    select coalesce(sum(o.open), 0)::bigint as debt,
      coalesce(sum(o.open) filter (where o.due_date < ${day}::date), 0)::bigint as overdue,
      min(o.due_date) filter (where o.open > 0 and o.due_date < ${day}::date) as oldest_due,
      count(*)::integer as invoices
    from (select ${openOf} as open, d.due_date from ledger.document d where d.participant_id = p.id and d.kind = 'invoice') o
  ) owed`
}
