import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'
import { type RawBuilder, sql } from 'kysely'
import { surrogateId } from '../../../identifiers.js'
import { openOf } from '../../../store/debt.js'
import { type Database, first, rows } from '../../../store/query.js'
import type { InvoiceRow } from './list.js'

export interface InvoiceDetailRow extends InvoiceRow {
  readonly currency: string
  readonly issued_at: EpochMs
  readonly issued_by: string
  readonly receiver: unknown
  readonly net_micro: bigint
  readonly tax_micro: bigint
  readonly run_id: bigint | null
  readonly digest: Buffer | null
  readonly bill_id: bigint | null
  readonly from_at: EpochMs | null
  readonly to_at: EpochMs | null
  readonly days: number | null
  readonly consumption_milli: bigint | null
  readonly unit: string | null
  readonly content: string | null
  readonly content_hash: Buffer | null
}

/** What a desk's scanner reads off an invoice: the number without its series, which every invoice of the utility shares. */
const scanned = /^\d{13}$/

/**
 * @param reference a surrogate id, the number on the paper, or the thirteen digits of its barcode; an identifier has fifteen
 * @throws {AppError} INVOICE_NOT_FOUND
 */
export async function getInvoice(database: Database, reference: string): Promise<InvoiceDetailRow> {
  const id = /^\d+$/.test(reference) ? surrogateId(reference) : undefined
  const found = await findInvoice(database, id === undefined ? sql`d.label = ${reference}` : sql`d.id = ${id}`)
  if (found !== undefined) return found
  const byBarcode = scanned.test(reference)
    ? await findInvoice(database, sql`d.label = (select u.invoice_series || ${reference}::text from account.utility u)`)
    : undefined
  if (byBarcode === undefined) throw new AppError('INVOICE_NOT_FOUND', `there is no invoice ${reference}`)
  return byBarcode
}

async function findInvoice(database: Database, which: RawBuilder<unknown>): Promise<InvoiceDetailRow | undefined> {
  return first(
    database,
    sql<InvoiceDetailRow>`
      select d.id, d.label, p.registry_no, coalesce(d.receiver->>'name', person.name) as name, s.number as subscription, d.period, d.issue_date,
        d.due_date, d.gross_micro, ${openOf} as open, d.currency, d.issued_at, d.issued_by, d.receiver, d.net_micro, d.tax_micro, d.run_id,
        run.digest, bill.id as bill_id, coalesce(bill.from_at, d.period_from) as from_at, coalesce(bill.to_at, d.period_to) as to_at, bill.days,
        bill.consumption_milli, bill.unit, input.content, input.hash as content_hash
      from ledger.document d
      join account.participant p on p.id = d.participant_id
      join account.person on person.id = p.person_id
      left join account.subscription s on s.id = d.subscription_id
      left join rating.run on run.id = d.run_id
      left join rating.bill on bill.document_id = d.id
      left join rating.bill_input input on input.bill_id = bill.id
      where d.kind = 'invoice' and ${which} limit 1`
  )
}

export interface LineRow {
  readonly line_no: number
  readonly component: string
  readonly name: unknown
  readonly quantity_milli: bigint | null
  readonly unit: string | null
  readonly rate_nano: bigint | null
  readonly net_micro: bigint
  readonly kdv_rate_nano: bigint
  readonly kdv_micro: bigint
  readonly accrual_id: bigint
  readonly charge_ordinal: number
  readonly slices: unknown
  readonly share: unknown
}

export async function linesOf(database: Database, documentId: bigint): Promise<LineRow[]> {
  return rows(
    database,
    sql<LineRow>`
      select l.line_no, l.component, l.name, l.quantity_milli, l.unit, l.rate_nano, l.net_micro, l.kdv_rate_nano, l.kdv_micro, l.accrual_id,
        l.charge_ordinal, c.slices, c.share
      from ledger.document_line l
      left join rating.charge c on c.accrual_id = l.accrual_id and c.ordinal = l.charge_ordinal
      where l.document_id = ${documentId} order by l.line_no limit 1000`
  )
}

export interface SettlementRow {
  readonly id: bigint
  readonly label: string
  readonly issue_date: string
  readonly amount_micro: bigint
}

export async function collectionsOf(database: Database, documentId: bigint): Promise<SettlementRow[]> {
  return rows(
    database,
    sql<SettlementRow>`
      select r.id, r.label, r.issue_date, s.amount_micro
      from ledger.settlement s join ledger.document r on r.id = s.collection_id
      where s.invoice_id = ${documentId} order by r.issue_date, r.id limit 1000`
  )
}
