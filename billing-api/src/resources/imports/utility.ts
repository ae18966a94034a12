import { isTaxNumber } from '@endeks/domain/identifiers'
import type { Problem } from '../../store/standing.js'
import type { SiteImport } from './schema.js'

type Utility = SiteImport['utility']

/** Numbers of the utility whose check digits say that they were mistyped: they would stand on every bill. */
export function identifierProblems({ taxNumber, iban }: Utility): Problem[] {
  const problems: Problem[] = []
  if (!isTaxNumber(taxNumber)) {
    problems.push({ path: '/utility/taxNumber', message: 'the check digit of the tax number (VKN) is wrong: it was mistyped' })
  }
  if (iban !== undefined && !isIban(iban)) {
    problems.push({ path: '/utility/iban', message: 'the check digits of the IBAN are wrong: it was mistyped' })
  }
  return problems
}

/** Invoices and receipts are numbered apart: in one series each would leave gaps in the other's numbers. */
export function seriesProblems({ invoiceSeries, receiptSeries }: Utility): Problem[] {
  if (invoiceSeries !== receiptSeries) return []
  return [{ path: '/utility/receiptSeries', message: `is ${receiptSeries}, as the invoices' series is: each needs one of its own` }]
}

/** Tariffs are priced in the utility's currency, as nothing here converts. What is no tariff at all is told by the tariff engine. */
export function currencyProblems({ utility, tariffs }: SiteImport): Problem[] {
  return tariffs.flatMap((tariff, index) => {
    const currency = typeof tariff === 'object' && tariff !== null && 'currency' in tariff ? tariff.currency : undefined
    if (typeof currency !== 'string' || currency === utility.currency) return []
    return [{ path: `/tariffs/${index}/currency`, message: `is not ${utility.currency}, the utility's currency` }]
  })
}

/** ISO 13616: the country and the check digits go to the end, letters become 10 to 35, and the number leaves 1 when divided by 97. */
function isIban(text: string): boolean {
  const moved = text.slice(4) + text.slice(0, 4)
  const digits = moved.replaceAll(/[A-Z]/g, (letter) => Number.parseInt(letter, 36).toString())
  return BigInt(digits) % 97n === 1n
}
