import { AppError } from '@endeks/domain/errors'
import { formatMicro, parseMicro } from '@endeks/domain/money'
import type { ApiContext } from '../../context.js'
import { fitsColumn } from '../../identifiers.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { dateKey, defaultLimit, numberKey, pageOf, readCursor } from '../../store/paging.js'
import { today, utilityOf } from '../../store/utility.js'
import { explainLine } from './explain/index.js'
import { toDetail, toRow } from './present.js'
import { Explanation, InvoiceDetail, InvoicePage, InvoiceParams, InvoiceQuery, LineParams } from './schema.js'
import { collectionsOf, getInvoice, linesOf } from './store/detail.js'
import { type InvoiceFilter, listInvoices, totalInvoices } from './store/list.js'

const tags = ['invoices']

export async function invoiceRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  app.get(
    '/invoices',
    {
      config: { access: 'invoices.read' },
      schema: { tags, summary: 'Find invoices, newest first', querystring: InvoiceQuery, response: { 200: InvoicePage, ...refusals } }
    },
    async (request) => pageOfInvoices(context, request.query)
  )

  app.get(
    '/invoices/:id',
    {
      config: { access: 'invoices.read' },
      schema: {
        tags,
        summary: 'One invoice, by id, number or barcode',
        params: InvoiceParams,
        response: { 200: InvoiceDetail, ...refusals }
      }
    },
    async (request) => invoiceDetail(context, request.params.id)
  )

  app.get(
    '/invoices/:id/lines/:line/explain',
    {
      config: { access: 'invoices.read' },
      schema: {
        tags,
        summary: 'One line down to the bytes its meters sent, every link proved now',
        params: LineParams,
        response: { 200: Explanation, ...refusals }
      }
    },
    async (request) => explainLine(context, request.params.id, request.params.line)
  )
}

/** One invoice as its page and its PDF show it. @throws {AppError} INVOICE_NOT_FOUND */
export async function invoiceDetail(context: ApiContext, reference: string): Promise<InvoiceDetail> {
  const { pool, clock } = context
  const { zone } = await utilityOf(pool)
  const invoice = await getInvoice(pool, reference)
  const [lines, collections] = await Promise.all([linesOf(pool, invoice.id), collectionsOf(pool, invoice.id)])
  return toDetail({ invoice, lines, collections, today: today(clock, zone) })
}

async function pageOfInvoices(context: ApiContext, query: InvoiceQuery): Promise<InvoicePage> {
  const { pool, clock } = context
  const { cursor, limit = defaultLimit } = query
  const [issueDate, id] = readCursor(cursor, [dateKey, numberKey]) ?? []
  const { zone } = await utilityOf(pool)
  const day = today(clock, zone)
  const filter = filterOf(query, day)
  const after = issueDate === undefined || id === undefined ? undefined : { issueDate, id: BigInt(id) }
  const [found, totals] = await Promise.all([listInvoices(pool, { filter, after, limit }), totalInvoices(pool, filter)])
  const { page, next } = pageOf(found, limit, (row) => [row.issue_date, row.id.toString()])
  return {
    items: page.map((row) => toRow(row, day)),
    next,
    totals: { count: totals.count, gross: formatMicro(totals.gross), open: formatMicro(totals.open) }
  }
}

function filterOf(query: InvoiceQuery, day: string): InvoiceFilter {
  return {
    participant: query.participant === undefined ? undefined : BigInt(query.participant),
    period: query.period,
    year: query.year,
    status: query.status,
    number: query.number,
    issuedFrom: query.issuedFrom,
    issuedTo: query.issuedTo,
    grossFrom: amountOf(query.grossFrom),
    grossTo: amountOf(query.grossTo),
    today: day
  }
}

function amountOf(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined
  const micro = parseMicro(text)
  if (!fitsColumn(micro)) throw new AppError('AMOUNT_INVALID', `${text} is more than any invoice comes to`)
  return micro
}
