import { formatMicro, parseMicro } from '@endeks/domain/money'
import type { FastifyReply } from 'fastify'
import type { ApiContext } from '../../context.js'
import { invoiceDocument } from '../../documents/invoice-document.js'
import { receiptDocument } from '../../documents/receipt-document.js'
import { createRenderer } from '../../documents/renderer.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { today, utilityOf } from '../../store/utility.js'
import { collectionDetail } from '../collections/routes.js'
import { CollectionParams } from '../collections/schema.js'
import { invoiceDetail } from '../invoices/routes.js'
import { type InvoiceDetail, InvoiceParams } from '../invoices/schema.js'
import { totalInvoices } from '../invoices/store/list.js'
import { consumptionOf } from '../participants/consumption.js'
import { InvoicePdfQuery, Pdf, ReceiptPdfQuery } from './schema.js'

const tags = ['documents']
/** The chart of an invoice shows its own month and the twelve before it. */
const chartMonths = 13
/** An invoice of any year can be printed; a chart that far back costs a query over that many months. */
const mostMonths = 120

export async function documentRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  const renderer = createRenderer()

  app.get(
    '/invoices/:id/pdf',
    {
      config: { access: 'invoices.read' },
      schema: {
        tags,
        summary: 'The invoice on paper',
        params: InvoiceParams,
        querystring: InvoicePdfQuery,
        response: { 200: Pdf, ...refusals }
      }
    },
    async (request, reply) => {
      const invoice = await invoiceDetail(context, request.params.id)
      const document = invoiceDocument(await invoiceFacts(context, invoice))
      return sendPdf(reply, invoice.label, await renderer.renderInvoice(document, request.query.language ?? 'tr'))
    }
  )

  app.get(
    '/collections/:id/pdf',
    {
      config: { access: 'collections.read' },
      schema: {
        tags,
        summary: 'The receipt on paper',
        params: CollectionParams,
        querystring: ReceiptPdfQuery,
        response: { 200: Pdf, ...refusals }
      }
    },
    async (request, reply) => {
      const collection = await collectionDetail(context, request.params.id)
      const utility = await utilityOf(context.pool)
      const document = receiptDocument({ utility, collection, currency: utility.currency })
      const { language = 'tr', format = '80mm' } = request.query
      return sendPdf(reply, collection.label, await renderer.renderReceipt(document, language, format))
    }
  )
}

/** What paper says beside the invoice itself: what else is owed today, and the months before. */
async function invoiceFacts(context: ApiContext, invoice: InvoiceDetail): Promise<Parameters<typeof invoiceDocument>[0]> {
  const utility = await utilityOf(context.pool)
  const asOf = today(context.clock, utility.zone)
  const registryNo = BigInt(invoice.participant.registryNo)
  const unpaid = await totalInvoices(context.pool, { ...anyInvoice, participant: registryNo, status: 'unpaid', today: asOf })
  const months = Math.min(mostMonths, chartMonths + monthsBetween(invoice.period, asOf.slice(0, 7)))
  const consumption = await consumptionOf(context, { registryNo, months, commodity: undefined })
  return {
    utility,
    invoice,
    previousDebt: { amount: formatMicro(unpaid.open - parseMicro(invoice.open)), asOf },
    months: consumption.months
  }
}

const anyInvoice = {
  period: undefined,
  year: undefined,
  number: undefined,
  issuedFrom: undefined,
  issuedTo: undefined,
  grossFrom: undefined,
  grossTo: undefined
} as const

function monthsBetween(first: string, last: string): number {
  const index = (month: string): number => Number(month.slice(0, 4)) * 12 + Number(month.slice(5, 7))
  return Math.max(0, index(last) - index(first))
}

function sendPdf(reply: FastifyReply, label: string, pdf: Buffer): Buffer {
  reply.header('content-type', 'application/pdf').header('content-disposition', `inline; filename="${label}.pdf"`)
  return pdf
}
