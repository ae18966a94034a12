import type { Clock } from '@endeks/domain/time'
import { toLocal } from '@endeks/domain/time'
import { sql } from 'kysely'
import { type Database, first } from './query.js'

export interface Utility {
  readonly name: string
  readonly taxNumber: string
  readonly taxOffice: string
  readonly address: string
  readonly iban: string | null
  readonly zone: string
  readonly currency: string
  readonly invoiceSeries: string
  readonly receiptSeries: string
  readonly paymentDays: number
}

interface UtilityRow {
  readonly name: string
  readonly tax_number: string
  readonly tax_office: string
  readonly address: string
  readonly iban: string | null
  readonly zone: string
  readonly currency: string
  readonly invoice_series: string
  readonly receipt_series: string
  readonly payment_days: number
}

/** A database that no site was imported into yet: it can be looked at, and there is nothing to bill. XXX is ISO 4217's "no currency". */
const nobody: Utility = {
  name: '',
  taxNumber: '',
  taxOffice: '',
  address: '',
  iban: null,
  zone: 'UTC',
  currency: 'XXX',
  invoiceSeries: '',
  receiptSeries: '',
  paymentDays: 0
}

export async function findUtility(database: Database): Promise<Utility | undefined> {
  const row = await first(
    database,
    sql<UtilityRow>`select name, tax_number, tax_office, address, iban, zone, currency, invoice_series, receipt_series, payment_days
      from account.utility`
  )
  return row === undefined ? undefined : fromRow(row)
}

export async function utilityOf(database: Database): Promise<Utility> {
  return (await findUtility(database)) ?? nobody
}

function fromRow(row: UtilityRow): Utility {
  return {
    name: row.name,
    taxNumber: row.tax_number,
    taxOffice: row.tax_office,
    address: row.address,
    iban: row.iban,
    zone: row.zone,
    currency: row.currency,
    invoiceSeries: row.invoice_series,
    receiptSeries: row.receipt_series,
    paymentDays: row.payment_days
  }
}

/** The calendar day that it is in the utility's zone. */
export function today(clock: Clock, zone: string): string {
  const { year, month, day } = toLocal(clock.now(), zone)
  return `${year}-${twoDigits(month)}-${twoDigits(day)}`
}

function twoDigits(value: number): string {
  return value.toString().padStart(2, '0')
}
