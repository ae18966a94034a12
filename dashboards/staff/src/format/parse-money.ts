import { formatMicro, parseMicro } from '@endeks/domain/money'

export type TypedMoney =
  | { readonly kind: 'empty' }
  | { readonly kind: 'invalid' }
  /** "1.234" is a thousand and more to one reader and a little over one to the other: the person decides */
  | { readonly kind: 'ambiguous'; readonly thousands: string; readonly fraction: string }
  | { readonly kind: 'money'; readonly value: string }

const grouped = /^\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*(?:([.,])(\d{1,2}))?$/
const plain = /^\d+(?:[.,](\d{1,2}))?$/

/**
 * What a person typed as money: 1.234,56 and 1234.56 and 1234,5 and 1,234.56. Whole hundredths only.
 *
 * @returns the amount as decimal text with two places, or what is wrong with the text
 */
export function parseMoney(typed: string): TypedMoney {
  const text = typed.replace(/[\s\u00a0₺]/g, '').replace(/TL$/i, '')
  if (text === '') return { kind: 'empty' }
  if (text.length > 24) return { kind: 'invalid' }
  const plainMatch = plain.exec(text)
  if (plainMatch !== null) {
    const [whole = '0'] = text.split(/[.,]/)
    return money(`${whole}.${plainMatch[1] ?? '0'}`)
  }
  const groups = grouped.exec(text)
  if (groups === null) return { kind: 'invalid' }
  const [, separator = '', decimalPoint, fraction] = groups
  // the same sign cannot both group and divide
  if (decimalPoint === separator) return { kind: 'invalid' }
  const whole = (decimalPoint === undefined ? text : text.slice(0, text.lastIndexOf(decimalPoint))).split(separator).join('')
  const several = text.split(separator).length > 2
  if (decimalPoint === undefined && !several) {
    const [left = '0', right = ''] = text.split(separator)
    return { kind: 'ambiguous', thousands: canonical(`${whole}.00`), fraction: canonical(`${left}.${right.slice(0, 2)}`) }
  }
  return money(`${whole}.${fraction ?? '0'}`)
}

function money(text: string): TypedMoney {
  return { kind: 'money', value: canonical(text) }
}

function canonical(text: string): string {
  return formatMicro(parseMicro(text))
}
