import { AppError } from '@endeks/domain/errors'
import { canonicalJson } from '@endeks/gateway/codec'
import { sql } from 'kysely'
import { asJson, type Database, execute, only, rows } from '../../store/query.js'
import { differing, keyOf, missingOf, type Outcome, refuseRepeated } from '../../store/standing.js'
import { findUtility, type Utility } from '../../store/utility.js'

/** One import at a time: two of the same site would both find everything missing. */
export async function lockImports(database: Database): Promise<void> {
  await only(database, sql<object>`select pg_advisory_xact_lock(hashtextextended('billing-api.import', 0))`)
}

/** @throws {AppError} ALREADY_EXISTS when the utility stands differently, VALIDATION for a zone that is none */
export async function saveUtility(database: Database, wanted: Utility): Promise<Outcome> {
  checkZone(wanted.zone)
  const standing = await findUtility(database)
  const { missing, unchanged } = missingOf<Utility, Utility>(
    {
      list: 'utility',
      label: () => 'the utility',
      differences: (item, found) =>
        differing({
          name: [item.name, found.name],
          'tax number': [item.taxNumber, found.taxNumber],
          'tax office': [item.taxOffice, found.taxOffice],
          address: [item.address, found.address],
          IBAN: [item.iban, found.iban],
          zone: [item.zone, found.zone],
          currency: [item.currency, found.currency],
          'invoice series': [item.invoiceSeries, found.invoiceSeries],
          'receipt series': [item.receiptSeries, found.receiptSeries],
          'payment term': [item.paymentDays, found.paymentDays]
        })
    },
    [wanted],
    () => standing
  )
  for (const item of missing) {
    await execute(
      database,
      sql`insert into account.utility (name, tax_number, tax_office, address, iban, zone, currency, invoice_series, receipt_series, payment_days)
        values (${item.name}, ${item.taxNumber}, ${item.taxOffice}, ${item.address}, ${item.iban}, ${item.zone}, ${item.currency},
          ${item.invoiceSeries}, ${item.receiptSeries}, ${item.paymentDays})`
    )
  }
  return { created: missing.length, unchanged }
}

function checkZone(zone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown
    throw new AppError('VALIDATION', `"${zone}" is not a time zone such as Europe/Istanbul`, {
      problems: [{ path: '/utility/zone', message: 'is not a time zone such as Europe/Istanbul' }]
    })
  }
}

export interface Parameter {
  readonly name: string
  readonly validFrom: string
  readonly value: unknown
}

interface ParameterRow {
  readonly name: string
  readonly valid_from: string
  readonly value: unknown
}

/** @throws {AppError} ALREADY_EXISTS for one that stands with another value: a correction is another import's business */
export async function addParameters(database: Database, items: readonly Parameter[]): Promise<Outcome> {
  refuseRepeated('parameters', items, (item) => keyOf(item.name, item.validFrom))
  const found = await rows(database, sql<ParameterRow>`select name, valid_from, value from account.parameter where superseded_at is null`)
  const byKey = new Map(found.map((row) => [keyOf(row.name, row.valid_from), row]))
  const { missing, unchanged } = missingOf<Parameter, ParameterRow>(
    {
      list: 'parameters',
      label: (item) => `the parameter ${item.name} of ${item.validFrom}`,
      differences: (item, row) => differing({ value: [canonicalJson(item.value), canonicalJson(row.value)] })
    },
    items,
    (item) => byKey.get(keyOf(item.name, item.validFrom))
  )
  await execute(
    database,
    sql`insert into account.parameter (name, valid_from, value)
      select i.name, i."validFrom", i.value
      from jsonb_to_recordset(${asJson(missing)}::jsonb) as i (name text, "validFrom" date, value jsonb)`
  )
  return { created: missing.length, unchanged }
}
