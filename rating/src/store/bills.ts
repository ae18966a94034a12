import type { PoolClient } from '@endeks/database/pool'
import { toIso } from '@endeks/domain/time'
import { composeLines, composePostings, type InvoiceAccounts, storedShare, storedSlices } from '../invoice/compose.js'
import type { BilledSubject } from '../run/bill-subject.js'
import { type CopyValue, copyRows } from './copy.js'
import type { RunTerms } from './shard.js'

export interface BillsToWrite {
  readonly runId: bigint
  readonly terms: RunTerms
  readonly accounts: InvoiceAccounts
  readonly billed: readonly BilledSubject[]
}

const columns = {
  bill: [
    'id',
    'run_id',
    'subscription_id',
    'participant_id',
    'from_at',
    'to_at',
    'document_id',
    'consumption_milli',
    'net_micro',
    'tax_micro',
    'days',
    'unit'
  ],
  bill_input: ['bill_id', 'hash', 'content'],
  accrual: [
    'id',
    'bill_id',
    'subscription_id',
    'rate_schedule_id',
    'from_at',
    'to_at',
    'consumption_milli',
    'net_micro',
    'tariff_hash',
    'accrual_date',
    'unit'
  ],
  charge: [
    'accrual_id',
    'ordinal',
    'net_micro',
    'kdv_micro',
    'kdv_rate_nano',
    'quantity_milli',
    'component',
    'kdv_class',
    'unit',
    'slices',
    'share'
  ],
  document: [
    'id',
    'number',
    'participant_id',
    'subscription_id',
    'net_micro',
    'tax_micro',
    'gross_micro',
    'run_id',
    'period_from',
    'period_to',
    'issued_at',
    'year',
    'issue_date',
    'due_date',
    'kind',
    'series',
    'label',
    'period',
    'currency',
    'issued_by',
    'receiver'
  ],
  document_line: [
    'document_id',
    'line_no',
    'net_micro',
    'kdv_micro',
    'kdv_rate_nano',
    'quantity_milli',
    'rate_nano',
    'accrual_id',
    'charge_ordinal',
    'component',
    'name',
    'unit'
  ],
  entry: ['id', 'document_id', 'entry_date', 'event', 'period'],
  posting: ['entry_id', 'line_no', 'amount_micro', 'document_id', 'participant_id', 'subscription_id', 'account']
} as const

type Table = keyof typeof columns

/**
 * Writes a shard's bills, documents and postings into the run's own tables. Bill, accrual, document and entry of one subject
 * share the identifier base + rank, and the number is base + rank as well, so that shards need not talk to each other.
 */
export async function writeBills(client: PoolClient, { runId, terms, accounts, billed }: BillsToWrite): Promise<void> {
  const rows: Record<Table, CopyValue[][]> = {
    bill: [],
    bill_input: [],
    accrual: [],
    charge: [],
    document: [],
    document_line: [],
    entry: [],
    posting: []
  }
  const issuedAt = toIso(terms.started_at)
  for (const one of billed) {
    const id = terms.id_base + BigInt(one.subject.rank)
    addBill(rows, { one, id, runId })
    addDocument(rows, { one, id, runId, terms, issuedAt })
    addLines(rows, one, id)
    addPostings(rows, { one, id, terms, accounts })
  }
  for (const table of Object.keys(columns) as Table[]) {
    await copyRows(client, `rating_run.${table}_${runId}`, columns[table], rows[table])
  }
}

function addBill(rows: Record<Table, CopyValue[][]>, { one, id, runId }: { one: BilledSubject; id: bigint; runId: bigint }): void {
  const { subject, input, bill } = one
  const from = toIso(subject.from_at)
  const to = toIso(subject.to_at)
  const { netMicro, taxMicro } = bill.totals
  rows.bill.push([
    id,
    runId,
    subject.subscription_id,
    subject.participant_id,
    from,
    to,
    id,
    input.consumption,
    netMicro,
    taxMicro,
    bill.days,
    input.unit
  ])
  rows.bill_input.push([id, one.hash, one.content])
  const tariffHash = Buffer.from(input.tariff.hash, 'hex')
  rows.accrual.push([
    id,
    id,
    subject.subscription_id,
    subject.rate_schedule_id,
    from,
    to,
    input.consumption,
    netMicro,
    tariffHash,
    input.accrualDate,
    input.unit
  ])
  for (const [index, charge] of bill.charges.entries()) {
    const unit = charge.quantity === null ? null : input.unit
    const share = storedShare(charge.share)
    rows.charge.push([
      id,
      index + 1,
      charge.netMicro,
      charge.kdvMicro,
      charge.kdvRateNano,
      charge.quantity,
      charge.component,
      charge.kdvClass,
      unit,
      JSON.stringify(storedSlices(charge.slices)),
      share === null ? null : JSON.stringify(share)
    ])
  }
}

interface DocumentRow {
  readonly one: BilledSubject
  readonly id: bigint
  readonly runId: bigint
  readonly terms: RunTerms
  readonly issuedAt: string
}

function addDocument(rows: Record<Table, CopyValue[][]>, { one, id, runId, terms, issuedAt }: DocumentRow): void {
  const { subject, bill } = one
  const { netMicro, taxMicro, totalMicro } = bill.totals
  const number = terms.number_base + BigInt(subject.rank) - 1n
  const year = terms.issue_date.slice(0, 4)
  const label = `${terms.series}${year}${number.toString().padStart(9, '0')}`
  rows.document.push([
    id,
    number,
    subject.participant_id,
    subject.subscription_id,
    netMicro,
    taxMicro,
    totalMicro,
    runId,
    toIso(subject.from_at),
    toIso(subject.to_at),
    issuedAt,
    year,
    terms.issue_date,
    terms.due_date,
    'invoice',
    terms.series,
    label,
    terms.period,
    terms.currency,
    terms.requested_by,
    JSON.stringify(subject.receiver)
  ])
}

function addLines(rows: Record<Table, CopyValue[][]>, one: BilledSubject, id: bigint): void {
  for (const line of composeLines(one.bill, one.tariff)) {
    const unit = line.quantityMilli === null ? null : one.input.unit
    rows.document_line.push([
      id,
      line.lineNo,
      line.netMicro,
      line.kdvMicro,
      line.kdvRateNano,
      line.quantityMilli,
      line.rateNano,
      id,
      line.chargeOrdinal,
      line.component,
      JSON.stringify(line.name),
      unit
    ])
  }
}

interface PostingRows {
  readonly one: BilledSubject
  readonly id: bigint
  readonly terms: RunTerms
  readonly accounts: InvoiceAccounts
}

function addPostings(rows: Record<Table, CopyValue[][]>, { one, id, terms, accounts }: PostingRows): void {
  const { subject, bill } = one
  rows.entry.push([id, id, terms.issue_date, 'invoice', terms.issue_date.slice(0, 7)])
  for (const [index, posting] of composePostings(bill.totals, accounts).entries()) {
    rows.posting.push([id, index + 1, posting.amountMicro, id, subject.participant_id, subject.subscription_id, posting.account])
  }
}
