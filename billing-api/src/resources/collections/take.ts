import type { PoolClient } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { formatMicro, minorUnitMicro, parseMicro } from '@endeks/domain/money'
import type { Clock } from '@endeks/domain/time'
import { fitsColumn, surrogateId } from '../../identifiers.js'
import { recordAudit } from '../../store/audit.js'
import { refuse } from '../../store/standing.js'
import { today, utilityOf } from '../../store/utility.js'
import { toWire } from './present.js'
import type { Collection, NewCollection } from './schema.js'
import { getCollection, settledBy } from './store/list.js'
import { getPayer, issueReceipt, lockPayer, openInvoices, type Paid, postCollection } from './store/take.js'

/**
 * Money in: a receipt with the next number of its series, its postings and what it settles, all in the caller's transaction.
 *
 * @throws {AppError} AMOUNT_INVALID for what is not a positive amount in whole kuruş, INVOICE_NOT_FOUND for an invoice that
 * is none of the participant's, COLLECTION_TOO_MUCH for more than is open
 */
export async function takeCollection(
  client: PoolClient,
  asked: { readonly collection: NewCollection; readonly actor: string; readonly clock: Clock }
): Promise<Collection> {
  const { collection, actor, clock } = asked
  const amounts = readAmounts(collection)
  const payer = await getPayer(client, BigInt(collection.participant))
  await lockPayer(client, payer.id)
  const paid = await matchInvoices(client, payer.id, amounts)
  const micro = paid.reduce((sum, each) => sum + each.micro, 0n)
  if (!fitsColumn(micro)) throw new AppError('AMOUNT_INVALID', 'the amounts add up to more than a receipt can carry')
  const { zone, currency, receiptSeries } = await utilityOf(client)
  const date = today(clock, zone)
  const receipt = await issueReceipt(client, {
    participantId: payer.id,
    series: receiptSeries,
    issueDate: date,
    currency,
    issuedBy: actor,
    receiver: payer.receiver,
    micro
  })
  await postCollection(client, { id: receipt.id, participantId: payer.id, date, micro, paid })
  await recordAudit(client, {
    actor,
    action: 'collection.taken',
    subjectType: 'collection',
    subject: receipt.label,
    details: { amount: formatMicro(micro), participant: collection.participant, method: collection.method }
  })
  const row = await getCollection(client, receipt.id.toString())
  return toWire(row, await settledBy(client, [receipt.id]))
}

interface Amount {
  readonly id: string
  readonly micro: bigint
}

function readAmounts(collection: NewCollection): Amount[] {
  const seen = new Set<string>()
  const repeated = collection.invoices.flatMap(({ id }, index) => {
    const key = BigInt(id).toString()
    const again = seen.has(key)
    seen.add(key)
    return again ? [{ path: `/invoices/${index}/id`, message: 'is paid in another line already' }] : []
  })
  refuse('VALIDATION', repeated)
  const amounts = collection.invoices.map(({ id, amount }) => ({ id, micro: parseMicro(amount) }))
  const wrong = amounts.flatMap(({ micro }, index) => {
    const path = `/invoices/${index}/amount`
    if (micro <= 0n) return [{ path, message: 'must be more than zero' }]
    if (micro % minorUnitMicro !== 0n) return [{ path, message: 'must be whole kuruş: cash has nothing smaller' }]
    return fitsColumn(micro) ? [] : [{ path, message: 'is more than a receipt can carry' }]
  })
  refuse('AMOUNT_INVALID', wrong)
  return amounts
}

async function matchInvoices(client: PoolClient, participantId: bigint, amounts: readonly Amount[]): Promise<Paid[]> {
  const ids = amounts.flatMap(({ id }) => surrogateId(id) ?? [])
  const found = new Map((await openInvoices(client, ids)).map((invoice) => [invoice.id, invoice]))
  const paid: Paid[] = []
  const unknown: { path: string; message: string }[] = []
  const tooMuch: { path: string; message: string }[] = []
  for (const [index, { id, micro }] of amounts.entries()) {
    const invoice = found.get(BigInt(id))
    if (invoice === undefined || invoice.participant_id !== participantId) {
      unknown.push({ path: `/invoices/${index}/id`, message: `there is no invoice ${id} of this participant` })
    } else if (micro > invoice.open) {
      const message = `the invoice ${invoice.label} has ${formatMicro(invoice.open)} left to pay, not ${formatMicro(micro)}`
      tooMuch.push({ path: `/invoices/${index}/amount`, message })
    } else {
      paid.push({ invoice, micro })
    }
  }
  refuse('INVOICE_NOT_FOUND', unknown)
  refuse('COLLECTION_TOO_MUCH', tooMuch)
  return paid
}
