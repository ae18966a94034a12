import { AppError } from '@endeks/domain/errors'
import type { InvoiceDetail } from '../resources/invoices/schema.js'
import { code128Svg } from './code128.js'
import { amount, currencyName, day, dayOf, decimal, iban, percent, price, quantity, scaled, span, unitName, type Words } from './format.js'
import { type EDocument, karekod } from './karekod.js'
import { qrSvg } from './qr.js'
import { type ConsumptionMonth, type Usual, usual } from './usual.js'

/** Who sends the paper, as the site's own record has it. */
export interface DocumentUtility {
  readonly name: string
  readonly taxNumber: string
  readonly taxOffice: string
  readonly address: string
  readonly iban: string | null
  readonly zone: string
}

/** TASLAK, KOPYA and İPTAL across the page. */
export type Mark = 'draft' | 'copy' | 'cancelled'

export interface InvoiceFacts {
  readonly utility: DocumentUtility
  readonly invoice: InvoiceDetail
  /** what the participant owed besides this invoice; `lateFee` as of the same day, where it is known */
  readonly previousDebt: { readonly amount: string; readonly lateFee?: string; readonly asOf: string }
  /** months up to the invoice's period, oldest first; later ones are left out */
  readonly months: readonly ConsumptionMonth[]
  /** how many days of the period were measured and how many estimated, where it is known */
  readonly quality?: { readonly measuredDays: number; readonly estimatedDays: number }
  /** null until the e-document is made */
  readonly eDocument?: EDocument | null
  /** the receiver's order number or cost centre */
  readonly reference?: string
  /** where the participant pays online; printed as a QR code */
  readonly paymentLink?: string
  /** days of the window in which the utility takes an objection */
  readonly objectionDays?: number
  readonly mark?: Mark
}

/** An invoice ready for its template: every number is already the text that is printed. */
export interface InvoiceDocument {
  readonly number: string
  readonly mark: Mark | null
  /** YYYY-MM-DD: the date in the properties of the file, so that the same invoice is the same bytes */
  readonly date: string
  readonly currency: string
  readonly unit: string
  readonly utility: {
    readonly name: string
    readonly taxNumber: string
    readonly taxOffice: string
    readonly address: string
    readonly iban: string | null
  }
  readonly receiver: {
    readonly name: string
    readonly address: string
    readonly taxNumber: string | null
    readonly taxOffice: string | null
    readonly registryNo: string
    readonly properties: string
  }
  readonly subscription: string
  readonly reference: string | null
  readonly period: string
  readonly days: number
  readonly issued: string
  readonly ettn: string | null
  readonly due: string
  readonly gross: string
  readonly net: string
  readonly tax: string
  readonly meters: readonly MeterRow[]
  /** whether all meters name their numbers as a plain difference of two indexes */
  readonly plainDifferences: boolean
  readonly consumption: string
  readonly quality: { readonly measuredDays: number; readonly estimatedDays: number } | null
  readonly usual: Usual
  readonly lines: readonly DocumentLine[]
  /** decimals of the amounts of tiers, which are exact; a line is their sum, rounded once, to two */
  readonly tierPlaces: number
  /** the unit of every line that has a quantity, or null when they differ */
  readonly lineUnit: string | null
  readonly kdv: readonly { readonly rate: string; readonly base: string; readonly tax: string }[]
  readonly previousDebt: { readonly amount: string; readonly lateFee: string | null; readonly asOf: string } | null
  readonly collections: readonly { readonly number: string; readonly date: string; readonly amount: string }[]
  readonly open: string
  readonly objectionDays: number | null
  readonly karekod: string
  readonly desk: { readonly svg: string; readonly digits: string } | null
  readonly payment: string | null
  readonly run: { readonly id: string; readonly digest: string | null } | null
}

interface MeterRow {
  readonly serial: string
  readonly obis: string | null
  readonly opening: { readonly index: string; readonly date: string }
  readonly closing: { readonly index: string; readonly date: string }
  readonly amount: string
}

interface DocumentLine {
  readonly name: Words
  readonly quantity: string | null
  readonly price: string | null
  readonly net: string
  readonly kdvRate: string
  readonly tiers: readonly Tier[]
}

interface Tier {
  readonly from: string
  readonly to: string | null
  readonly quantity: string
  readonly price: string
  readonly amount: string
}

/** A bill of more rows than this is no bill: a template that never ends would stop every other request. */
const rowLimit = 2_000

/**
 * What paper needs of an invoice, from what the API knows of it. Decimal text is moved into Turkish form and never rounded; only
 * the averages (per day, per unit, percent of change) are quotients, rounded once, and nothing is computed from them.
 *
 * @throws {AppError} DOCUMENT_RENDERING when a figure is no decimal, a code does not fit, or there are more than 2,000 rows
 */
export function invoiceDocument(facts: InvoiceFacts): InvoiceDocument {
  const { invoice, utility } = facts
  const rows = invoice.meters.length + invoice.lines.reduce((sum, line) => sum + 1 + line.slices.length, 0) + invoice.collections.length
  if (rows > rowLimit) throw new AppError('DOCUMENT_RENDERING', `${invoice.label} has ${rows} rows, a document takes ${rowLimit}`, { rows })
  const tierPlaces = invoice.lines
    .flatMap(({ slices }) => (isTiered(slices) ? slices : []))
    .reduce((most, slice) => Math.max(most, placesOf(slice.amount)), 2)
  const units = new Set(invoice.lines.flatMap((line) => (line.quantity === null ? [] : [line.quantity.unit])))
  return {
    ...headOf(facts),
    meters: metersOf(invoice, utility.zone),
    plainDifferences: invoice.meters.every(isPlainDifference),
    consumption: quantity(invoice.consumption.value),
    quality: facts.quality ?? null,
    usual: usual({
      period: invoice.period,
      months: facts.months,
      consumption: invoice.consumption.value,
      days: invoice.days,
      gross: invoice.gross
    }),
    lines: invoice.lines.map((line) => lineOf(line, units.size > 1, tierPlaces)),
    tierPlaces,
    lineUnit: units.size === 1 ? unitName([...units].join('')) : null,
    kdv: invoice.kdv.map(({ rate, base, tax }) => ({ rate: percent(rate), base: amount(base), tax: amount(tax) })),
    previousDebt: previousDebtOf(facts),
    collections: invoice.collections.map((each) => ({ number: each.label, date: day(each.date), amount: amount(each.amount) })),
    open: amount(invoice.open),
    objectionDays: facts.objectionDays ?? null,
    karekod: qrSvg(karekod(invoice, utility.taxNumber, facts.eDocument ?? null)),
    desk: deskCode(invoice.label),
    payment: facts.paymentLink === undefined ? null : qrSvg(facts.paymentLink),
    run: invoice.run
  }
}

type Head = Pick<
  InvoiceDocument,
  | 'number'
  | 'mark'
  | 'date'
  | 'currency'
  | 'unit'
  | 'utility'
  | 'receiver'
  | 'subscription'
  | 'reference'
  | 'period'
  | 'days'
  | 'issued'
  | 'ettn'
  | 'due'
  | 'gross'
  | 'net'
  | 'tax'
>

function headOf({ invoice, utility, mark, reference, eDocument }: InvoiceFacts): Head {
  const { receiver } = invoice
  return {
    number: invoice.label,
    mark: mark ?? null,
    date: invoice.issueDate,
    currency: currencyName(invoice.currency),
    unit: unitName(invoice.consumption.unit),
    utility: {
      name: utility.name,
      taxNumber: utility.taxNumber,
      taxOffice: utility.taxOffice,
      address: utility.address,
      iban: utility.iban === null ? null : iban(utility.iban)
    },
    receiver: {
      name: receiver.name,
      address: receiver.address ?? '',
      taxNumber: receiver.taxNumber,
      taxOffice: receiver.taxOffice,
      registryNo: receiver.registryNo,
      properties: receiver.properties.join(', ')
    },
    subscription: invoice.subscription,
    reference: reference ?? null,
    period: span(invoice.from, invoice.to, utility.zone),
    days: invoice.days,
    issued: day(invoice.issueDate),
    ettn: eDocument?.ettn ?? null,
    due: day(invoice.dueDate),
    gross: amount(invoice.gross),
    net: amount(invoice.net),
    tax: amount(invoice.tax)
  }
}

/** A meter with several registers on the bill names which; with one, its OBIS code would only be noise. */
function metersOf(invoice: InvoiceDetail, zone: string): MeterRow[] {
  const counts = new Map<string, number>()
  for (const { serial } of invoice.meters) counts.set(serial, (counts.get(serial) ?? 0) + 1)
  return invoice.meters.map((meter) => {
    const shown = ({ index }: { readonly index: { readonly value: string; readonly unit: string } }): string =>
      index.unit === invoice.consumption.unit ? quantity(index.value) : `${decimal(index.value, 0)} ${unitName(index.unit)}`
    return {
      serial: meter.serial,
      obis: (counts.get(meter.serial) ?? 0) > 1 ? meter.obis : null,
      opening: { index: shown(meter.opening), date: dayOf(meter.opening.at, zone) },
      closing: { index: shown(meter.closing), date: dayOf(meter.closing.at, zone) },
      amount: quantity(meter.amount.value)
    }
  })
}

/** False for a multiplier, a rollover or another unit: there the two indexes alone do not explain the amount. */
function isPlainDifference({ opening, closing, amount: { value, unit } }: InvoiceDetail['meters'][number]): boolean {
  if (opening.index.unit !== unit || closing.index.unit !== unit) return false
  return scaled(closing.index.value) - scaled(opening.index.value) === scaled(value)
}

function lineOf(line: InvoiceDetail['lines'][number], withUnit: boolean, places: number): DocumentLine {
  return {
    name: line.name,
    quantity: line.quantity === null ? null : quantity(line.quantity.value) + (withUnit ? ` ${unitName(line.quantity.unit)}` : ''),
    price: line.rate === null ? null : price(line.rate),
    net: amount(line.net),
    kdvRate: percent(line.kdvRate),
    tiers: isTiered(line.slices)
      ? line.slices.map((slice) => ({
          from: decimal(slice.from, 0),
          to: slice.to === null ? null : decimal(slice.to, 0),
          quantity: quantity(slice.quantity),
          price: price(slice.rate),
          amount: decimal(slice.amount, places)
        }))
      : []
  }
}

/** One slice is the line itself; several are rows of their own. */
function isTiered(slices: readonly unknown[]): boolean {
  return slices.length > 1
}

function placesOf(text: string): number {
  return (text.split('.')[1] ?? '').replace(/0+$/, '').length
}

function previousDebtOf({ previousDebt }: InvoiceFacts): InvoiceDocument['previousDebt'] {
  if (scaled(previousDebt.amount) <= 0n) return null
  return {
    amount: amount(previousDebt.amount),
    lateFee: previousDebt.lateFee === undefined ? null : amount(previousDebt.lateFee),
    asOf: day(previousDebt.asOf)
  }
}

/** The thirteen digits of the number (year and ordinal): one more than a registry number may have, so the desk can tell them apart. */
function deskCode(label: string): InvoiceDocument['desk'] {
  const digits = /^[A-Z0-9]{3}(\d{13})$/.exec(label)?.[1]
  return digits === undefined ? null : { svg: code128Svg(digits), digits }
}
