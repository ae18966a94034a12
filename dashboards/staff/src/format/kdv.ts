import { isDecimal } from './decimal.js'

/** A tax rate travels as the tariff has it, a fraction of one ("0.2"); people read it in percent. Exact: the point moves. */
export function kdvPercent(rate: string): string {
  if (!isDecimal(rate)) return rate
  const [whole = '0', fraction = ''] = rate.split('.')
  const digits = `${whole}${fraction.padEnd(2, '0')}`
  const cut = whole.length + 2
  const left = digits.slice(0, cut).replace(/^0+(?=\d)/, '')
  const right = digits.slice(cut)
  return right === '' ? left : `${left}.${right}`
}
