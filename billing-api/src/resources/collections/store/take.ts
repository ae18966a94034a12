import { AppError } from '@endeks/domain/errors'
import { sql } from 'kysely'
import { openOf } from '../../../store/debt.js'
import { asJson, type Database, execute, first, only, rows } from '../../../store/query.js'

export interface Payer {
  readonly id: bigint
  readonly receiver: unknown
}

/** The participant with what is printed of them: a receipt keeps it as it was when the money came. @throws {AppError} PARTICIPANT_NOT_FOUND */
export async function getPayer(database: Database, registryNo: bigint): Promise<Payer> {
  const row = await first(
    database,
    sql<Payer>`
      select p.id, jsonb_build_object('name', person.name, 'taxNumber', person.tax_number, 'taxOffice', person.tax_office,
        'address', person.address, 'registryNo', p.registry_no::text, 'properties', '[]'::jsonb) as receiver
      from account.participant p join account.person on person.id = p.person_id where p.registry_no = ${registryNo}`
  )
  if (row === undefined) throw new AppError('PARTICIPANT_NOT_FOUND', `there is no participant ${registryNo}`)
  return row
}

export interface OpenInvoice {
  readonly id: bigint
  readonly label: string
  readonly participant_id: bigint
  readonly subscription_id: bigint | null
  readonly open: bigint
}

export async function openInvoices(database: Database, ids: readonly bigint[]): Promise<OpenInvoice[]> {
  return rows(
    database,
    sql<OpenInvoice>`
      select d.id, d.label, d.participant_id, d.subscription_id, ${openOf} as open from ledger.document d
      where d.kind = 'invoice' and d.id in (select (jsonb_array_elements_text(${asJson(ids)}::jsonb))::bigint)`
  )
}

/** Two desks that take money from one participant take turns, so that each sees what the other has left open. */
export async function lockPayer(database: Database, participantId: bigint): Promise<void> {
  await execute(database, sql`select pg_advisory_xact_lock(hashtextextended(${`collection ${participantId}`}, 0))`)
}

export interface NewReceipt {
  readonly participantId: bigint
  readonly series: string
  readonly issueDate: string
  readonly currency: string
  readonly issuedBy: string
  readonly receiver: unknown
  readonly micro: bigint
}

/** Draws the next number of the receipts' series and writes the document. */
export async function issueReceipt(database: Database, receipt: NewReceipt): Promise<{ readonly id: bigint; readonly label: string }> {
  const document = {
    participantId: receipt.participantId,
    netMicro: receipt.micro,
    taxMicro: 0n,
    issueDate: receipt.issueDate,
    kind: 'receipt',
    series: receipt.series,
    period: receipt.issueDate.slice(0, 7),
    currency: receipt.currency,
    issuedBy: receipt.issuedBy,
    receiver: receipt.receiver
  }
  return only(database, sql<{ id: bigint; label: string }>`select id, label from ledger.issue(${asJson(document)}::jsonb)`)
}

/** Which accounts a collection touches. */
export async function collectionAccounts(database: Database): Promise<{ readonly cash: string; readonly receivable: string }> {
  const found = await rows(
    database,
    sql<{ part: string; account: string }>`select part, account from ledger.account_map where event = 'collection'`
  )
  const account = (part: string): string => {
    const row = found.find((each) => each.part === part)
    if (row === undefined) throw new AppError('INTERNAL', `the chart of accounts says nothing of a collection's ${part}`)
    return row.account
  }
  return { cash: account('cash'), receivable: account('receivable') }
}

export interface Paid {
  readonly invoice: OpenInvoice
  readonly micro: bigint
}

/** Cash is debited by the receipt, the receivable credited invoice by invoice: debt is kept per document. */
export async function postCollection(
  database: Database,
  collection: {
    readonly id: bigint
    readonly participantId: bigint
    readonly date: string
    readonly micro: bigint
    readonly paid: readonly Paid[]
  }
): Promise<void> {
  const { id, participantId, date, micro, paid } = collection
  const { cash, receivable } = await collectionAccounts(database)
  const postings = [
    { account: cash, amountMicro: micro, documentId: id, participantId, subscriptionId: null },
    ...paid.map((each) => ({
      account: receivable,
      amountMicro: -each.micro,
      documentId: each.invoice.id,
      participantId,
      subscriptionId: each.invoice.subscription_id
    }))
  ]
  const settlements = paid.map((each) => ({ invoiceId: each.invoice.id, amountMicro: each.micro }))
  await execute(database, sql`select ledger.post(${id}, 'collection', ${date}::date, ${date.slice(0, 7)}, ${asJson(postings)}::jsonb)`)
  await execute(database, sql`select ledger.settle(${id}, ${asJson(settlements)}::jsonb)`)
}
