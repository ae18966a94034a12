import { formatMicro, parseMicro } from '@endeks/domain/money'
import { formatScaled, parseScaled } from '@endeks/domain/units'

/** Exact sums of decimal text: what is shown as a sum must add up by hand. */
export function sumMoney(amounts: readonly string[]): string {
  return formatMicro(amounts.reduce((sum, amount) => sum + parseMicro(amount), 0n))
}

export function subtractMoney(from: string, amount: string): string {
  return formatMicro(parseMicro(from) - parseMicro(amount))
}

export function compareMoney(left: string, right: string): number {
  const difference = parseMicro(left) - parseMicro(right)
  return difference === 0n ? 0 : difference > 0n ? 1 : -1
}

const places = 9

export function sumQuantities(amounts: readonly string[]): string {
  return formatScaled(
    amounts.reduce((sum, amount) => sum + parseScaled(amount, places, 'AMOUNT_INVALID'), 0n),
    places,
    3
  )
}

/** The mean of a chart's line, cut to thousandths: it is drawn and never billed. */
export function meanQuantity(amounts: readonly string[]): string {
  if (amounts.length === 0) return '0.000'
  const sum = amounts.reduce((total, amount) => total + parseScaled(amount, places, 'AMOUNT_INVALID'), 0n)
  const mean = sum / BigInt(amounts.length)
  return formatScaled(mean - (mean % 1_000_000n), places, 3)
}

/**
 * The change from one amount to another in percent, one decimal place, half away from zero; null where there is nothing to
 * compare with.
 */
export function changePercent(from: string, to: string): string | null {
  const before = parseMicro(from)
  if (before === 0n) return null
  const thousandfold = (parseMicro(to) - before) * 1_000n * 2n
  const magnitude = before < 0n ? -before : before
  const doubled = thousandfold / magnitude
  const tenths = (doubled + (doubled < 0n ? -1n : 1n)) / 2n
  return formatScaled(tenths, 1, 1)
}

/**
 * Money handed over, laid on debts in their order: the oldest is settled first, and the last one may be paid in part.
 *
 * @returns what goes to each debt that gets something; the amounts add up to the money, or to all debts if that is less
 */
export function layOn<Debt extends { readonly id: string; readonly open: string }>(
  money: string,
  debts: readonly Debt[]
): { readonly id: string; readonly amount: string }[] {
  let left = parseMicro(money)
  const laid: { id: string; amount: string }[] = []
  for (const debt of debts) {
    const open = parseMicro(debt.open)
    const part = left - open < 0n ? left : open
    if (part > 0n) laid.push({ id: debt.id, amount: formatMicro(part) })
    left -= part
  }
  return laid
}
