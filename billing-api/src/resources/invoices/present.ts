import { formatMicro, formatNano } from '@endeks/domain/money'
import { epochMs, toIso } from '@endeks/domain/time'
import { formatScaled } from '@endeks/domain/units'
import { hex, indexOf, isoOrNull, type Measured, quantityOf } from '../../wire.js'
import { type FrozenIndex, readFrozen } from './frozen.js'
import type { InvoiceDetail, InvoiceLine, InvoiceRow } from './schema.js'
import type { InvoiceDetailRow, LineRow, SettlementRow } from './store/detail.js'
import type { InvoiceRow as Row } from './store/list.js'

export function toRow(row: Row, today: string): InvoiceRow {
  return {
    id: row.id.toString(),
    label: row.label,
    participant: { registryNo: row.registry_no.toString(), name: row.name },
    subscription: row.subscription ?? '',
    period: row.period,
    issueDate: row.issue_date,
    dueDate: row.due_date ?? row.issue_date,
    gross: formatMicro(row.gross_micro),
    open: formatMicro(row.open),
    status: statusOf(row, today)
  }
}

function statusOf(row: Row, today: string): InvoiceRow['status'] {
  if (row.open === 0n) return 'settled'
  return row.due_date !== null && row.due_date < today ? 'overdue' : 'open'
}

export interface InvoiceParts {
  readonly invoice: InvoiceDetailRow
  readonly lines: readonly LineRow[]
  readonly collections: readonly SettlementRow[]
  readonly today: string
}

export function toDetail({ invoice, lines, collections, today }: InvoiceParts): InvoiceDetail {
  const issuedAt = toIso(invoice.issued_at)
  return {
    ...toRow(invoice, today),
    currency: invoice.currency,
    issuedAt,
    issuedBy: invoice.issued_by,
    receiver: receiverOf(invoice),
    from: isoOrNull(invoice.from_at) ?? issuedAt,
    to: isoOrNull(invoice.to_at) ?? issuedAt,
    days: invoice.days ?? 0,
    consumption: quantityOf(invoice.consumption_milli ?? 0n, invoice.unit ?? 'L'),
    net: formatMicro(invoice.net_micro),
    tax: formatMicro(invoice.tax_micro),
    lines: lines.map((line) => toLine(line, invoice.unit ?? 'L')),
    kdv: kdvOf(lines),
    meters: metersOf(invoice),
    collections: collections.map((each) => ({
      id: each.id.toString(),
      label: each.label,
      date: each.issue_date,
      amount: formatMicro(each.amount_micro)
    })),
    run: invoice.run_id === null ? null : { id: invoice.run_id.toString(), digest: invoice.digest === null ? null : hex(invoice.digest) }
  }
}

/** The receiver as printed: a snapshot in the document, which other programs of ours wrote. */
function receiverOf(invoice: InvoiceDetailRow): InvoiceDetail['receiver'] {
  const receiver = recordOf(invoice.receiver)
  const properties = receiver['properties']
  return {
    name: textOf(receiver['name']) ?? invoice.name,
    taxNumber: textOf(receiver['taxNumber']),
    taxOffice: textOf(receiver['taxOffice']),
    address: textOf(receiver['address']),
    registryNo: textOf(receiver['registryNo']) ?? invoice.registry_no.toString(),
    properties: Array.isArray(properties) ? properties.filter((label) => typeof label === 'string') : []
  }
}

/** @param billUnit the bill's base unit, for slices of a line that names none */
export function toLine(line: LineRow, billUnit: string): InvoiceLine {
  const name = recordOf(line.name)
  return {
    line: line.line_no,
    component: line.component,
    name: { tr: textOf(name['tr']) ?? line.component, en: textOf(name['en']) ?? line.component },
    quantity: line.quantity_milli === null ? null : quantityOf(line.quantity_milli, line.unit ?? billUnit),
    rate: line.rate_nano === null ? null : formatNano(line.rate_nano),
    net: formatMicro(line.net_micro),
    kdvRate: formatScaled(line.kdv_rate_nano, 9, 2),
    kdv: formatMicro(line.kdv_micro),
    slices: slicesOf(line.slices).map((slice) => {
      const value = (milli: bigint): string => quantityOf(milli, line.unit ?? billUnit).value
      return {
        from: value(slice.from),
        to: slice.to === null ? null : value(slice.to),
        quantity: value(slice.quantity),
        rate: formatNano(slice.rateNano),
        amount: formatMicro(slice.amountMicro)
      }
    })
  }
}

export interface StoredSlice {
  readonly from: bigint
  readonly to: bigint | null
  readonly quantity: bigint
  readonly rateNano: bigint
  readonly flatMicro: bigint
  readonly amountMicro: bigint
}

/** Slices as a charge keeps them: decimal text of exact integers. */
export function slicesOf(slices: unknown): StoredSlice[] {
  if (!Array.isArray(slices)) return []
  return slices.map((each: unknown) => {
    const slice = recordOf(each)
    const whole = (key: string): bigint => BigInt(textOf(slice[key]) ?? '0')
    return {
      from: whole('from'),
      to: textOf(slice['to']) === null ? null : whole('to'),
      quantity: whole('quantity'),
      rateNano: whole('rateNano'),
      flatMicro: whole('flatMicro'),
      amountMicro: whole('amountMicro')
    }
  })
}

/** KDV by rate, as the foot of the document has it. */
function kdvOf(lines: readonly LineRow[]): InvoiceDetail['kdv'] {
  const byRate = new Map<bigint, { base: bigint; tax: bigint }>()
  for (const line of lines) {
    const sum = byRate.get(line.kdv_rate_nano) ?? { base: 0n, tax: 0n }
    byRate.set(line.kdv_rate_nano, { base: sum.base + line.net_micro, tax: sum.tax + line.kdv_micro })
  }
  return [...byRate]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([rate, { base, tax }]) => ({ rate: formatScaled(rate, 9, 2), base: formatMicro(base), tax: formatMicro(tax) }))
}

function metersOf(invoice: InvoiceDetailRow): InvoiceDetail['meters'] {
  if (invoice.content === null) return []
  const frozen = readFrozen(invoice.content)
  return frozen.supplies.flatMap((supply) =>
    supply.registers.map((register) => ({
      serial: register.meter.serial,
      obis: register.obis,
      opening: { at: toIso(epochMs(register.opening.at)), index: frozenIndex(register.opening) },
      closing: { at: toIso(epochMs(register.closing.at)), index: frozenIndex(register.closing) },
      amount: quantityOf(BigInt(register.amount), frozen.unit)
    }))
  )
}

export function frozenIndex(index: Pick<FrozenIndex, 'raw' | 'scaler' | 'unit'>): Measured {
  return indexOf(BigInt(index.raw), index.scaler, index.unit)
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
