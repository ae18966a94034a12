import { type Exact, exact } from '@endeks/domain/money'
import Type, { type Static } from 'typebox'
import { monthParts } from '../days.js'
import type { Terms } from './component.js'

/** What an amount of money is for: the bill, a day of it, thirty days, or a calendar month (a day is its share of its month). */
export const Per = Type.Enum(['bill', 'day', '30days', 'month'])
export type Per = Static<typeof Per>

/** An amount for the days of a bill, exact. */
export function amountPer(per: Per, micro: bigint, terms: Terms): Exact {
  switch (per) {
    case 'bill':
      return exact(micro, 1n)
    case 'day':
      return exact(micro * BigInt(terms.days), 1n)
    case '30days':
      return exact(micro * BigInt(terms.days), 30n)
    case 'month':
      return exact(micro * terms.months, monthParts)
  }
}
