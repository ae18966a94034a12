import { divideRounded } from '@endeks/domain/money'
import type { Bill, Charge, PreparedTariff, Slice } from '../tariff/index.js'

/** A line as the document prints it and the ledger keeps it. */
export interface DocumentLine {
  readonly lineNo: number
  readonly chargeOrdinal: number
  readonly component: string
  readonly name: { readonly tr: string; readonly en: string }
  readonly quantityMilli: bigint | null
  /** the unit price where the line has just one */
  readonly rateNano: bigint | null
  readonly netMicro: bigint
  readonly kdvRateNano: bigint
  readonly kdvMicro: bigint
}

export interface Posting {
  readonly account: string
  /** debit positive, credit negative */
  readonly amountMicro: bigint
}

/** Which accounts an invoice touches; data of the house's chart of accounts. */
export interface InvoiceAccounts {
  readonly receivable: string
  readonly revenue: string
  readonly kdv: string
}

/** Every charge is a line; the order is the tariff's. */
export function composeLines(bill: Bill, tariff: PreparedTariff): DocumentLine[] {
  const names = new Map(tariff.document.components.map((component) => [component.code, component.name]))
  return bill.charges.map((charge, index) => ({
    lineNo: index + 1,
    chargeOrdinal: index + 1,
    component: charge.component,
    name: names.get(charge.component) ?? { tr: charge.component, en: charge.component },
    quantityMilli: charge.quantity,
    rateNano: singleRate(charge),
    netMicro: charge.netMicro,
    kdvRateNano: charge.kdvRateNano,
    kdvMicro: charge.kdvMicro
  }))
}

function singleRate(charge: Charge): bigint | null {
  const [only, ...others] = charge.slices
  return only !== undefined && others.length === 0 && only.flatMicro === 0n ? only.rateNano : null
}

/** What an issued invoice books: the participant owes the gross, the net is earned, the KDV is owed to the state. */
export function composePostings(totals: Bill['totals'], accounts: InvoiceAccounts): Posting[] {
  const postings = [
    { account: accounts.receivable, amountMicro: totals.totalMicro },
    { account: accounts.revenue, amountMicro: -totals.netMicro },
    { account: accounts.kdv, amountMicro: -totals.taxMicro }
  ]
  return postings.filter((posting) => posting.amountMicro !== 0n)
}

/** Slices as a charge keeps them: decimal text of exact integers, the amount to a millionth. */
export function storedSlices(slices: readonly Slice[]): unknown[] {
  return slices.map((slice) => ({
    tier: slice.tier,
    from: slice.from.toString(),
    to: slice.to === null ? null : slice.to.toString(),
    basis: slice.basis,
    quantity: slice.quantity.toString(),
    rateNano: slice.rateNano.toString(),
    flatMicro: slice.flatMicro.toString(),
    amountMicro: divideRounded(slice.amount.numerator, slice.amount.denominator).toString()
  }))
}

export function storedShare(share: Charge['share']): unknown {
  if (share === null) return null
  return {
    ratio: `${share.ratio.numerator}/${share.ratio.denominator}`,
    of: share.of,
    baseMicro: divideRounded(share.base.numerator, share.base.denominator).toString()
  }
}
