import { AppError } from '@endeks/domain/errors'
import type { Collection } from '../resources/collections/schema.js'
import { amount, currencyName, minuteOf, scaled, shortMonth, type Words } from './format.js'
import type { DocumentUtility, Mark } from './invoice-document.js'

export interface ReceiptFacts {
  readonly utility: Omit<DocumentUtility, 'iban'>
  readonly collection: Collection
  readonly currency: string
  /** the period (YYYY-MM) of each invoice by its number */
  readonly periods?: ReadonlyMap<string, string>
  /** what was handed over, where the desk knows it; the change follows from it */
  readonly tendered?: string
  /** the name or number of the desk */
  readonly desk?: string
  readonly mark?: Mark
}

/** A receipt ready for its template: every number is already the text that is printed. */
export interface ReceiptDocument {
  readonly number: string
  readonly mark: Mark | null
  /** YYYY-MM-DD */
  readonly date: string
  readonly currency: string
  readonly utility: { readonly name: string; readonly taxNumber: string; readonly taxOffice: string; readonly address: string }
  readonly taken: string
  readonly cashier: string
  readonly desk: string | null
  readonly participant: { readonly registryNo: string; readonly name: string }
  readonly invoices: readonly {
    readonly number: string
    /** the last nine digits after an ellipsis: eighty millimetres hold no more */
    readonly short: string
    readonly period: Words | null
    readonly amount: string
    /** null when it is settled */
    readonly open: string | null
  }[]
  readonly total: string
  readonly method: Words
  readonly tendered: { readonly amount: string; readonly change: string } | null
  readonly debt: string
}

const methods: Readonly<Record<string, Words>> = {
  cash: { tr: 'Nakit', en: 'Cash' },
  card: { tr: 'Kart', en: 'Card' },
  transfer: { tr: 'Havale', en: 'Transfer' }
}

/** As many as one collection may settle. */
const invoiceLimit = 500

/**
 * What paper needs of a collection.
 *
 * @throws {AppError} DOCUMENT_RENDERING when a figure is no decimal, more than 500 invoices are listed, or less money was handed
 *   over than taken
 */
export function receiptDocument({ utility, collection, currency, periods, tendered, desk, mark }: ReceiptFacts): ReceiptDocument {
  const count = collection.invoices.length
  if (count > invoiceLimit) {
    throw new AppError('DOCUMENT_RENDERING', `${collection.label} settles ${count} invoices, a receipt takes ${invoiceLimit}`, { count })
  }
  return {
    number: collection.label,
    mark: mark ?? null,
    date: collection.date,
    currency: currencyName(currency),
    utility: { name: utility.name, taxNumber: utility.taxNumber, taxOffice: utility.taxOffice, address: utility.address },
    taken: minuteOf(collection.takenAt, utility.zone),
    cashier: collection.takenBy,
    desk: desk ?? null,
    participant: collection.participant,
    invoices: collection.invoices.map((invoice) => ({
      number: invoice.label,
      short: invoice.label.length > 9 ? `…${invoice.label.slice(-9)}` : invoice.label,
      period: periodOf(periods?.get(invoice.label)),
      amount: amount(invoice.amount),
      open: scaled(invoice.open) === 0n ? null : amount(invoice.open)
    })),
    total: amount(collection.amount),
    method: methods[collection.method] ?? { tr: collection.method, en: collection.method },
    tendered: tendered === undefined ? null : changeOf(tendered, collection),
    debt: amount(collection.debt)
  }
}

function periodOf(month: string | undefined): Words | null {
  if (month === undefined) return null
  const { tr, en } = shortMonth(month)
  const year = month.slice(2, 4)
  return { tr: `${tr} ${year}`, en: `${en} ${year}` }
}

function changeOf(tendered: string, collection: Collection): ReceiptDocument['tendered'] {
  const change = scaled(tendered) - scaled(collection.amount)
  if (change < 0n) {
    throw new AppError('DOCUMENT_RENDERING', `${tendered} was handed over for ${collection.amount}: that is too little`, {
      collection: collection.label
    })
  }
  const digits = change.toString().padStart(10, '0')
  return { amount: amount(tendered), change: amount(`${digits.slice(0, -9)}.${digits.slice(-9)}`) }
}
