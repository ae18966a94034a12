import { AppError, type ErrorCode } from '../errors/catalogue.js'

/**
 * A decimal string as an integer scaled by 10^places. Exact: more places than `places` are refused, never rounded.
 *
 * @throws {AppError} `code` when the text is no plain decimal or has too many places
 */
export function parseScaled(text: string, places: number, code: ErrorCode): bigint {
  const match = /^(-?)(\d{1,24})(?:\.(\d+))?$/.exec(text)
  if (match === null) throw new AppError(code, `"${text.slice(0, 40)}" is not a decimal number`, { text: text.slice(0, 40) })
  const fraction = (match[3] ?? '').replace(/0+$/, '')
  if (fraction.length > places)
    throw new AppError(code, `"${text.slice(0, 40)}" has more than ${places} decimal places`, { text: text.slice(0, 40) })
  const magnitude = BigInt((match[2] ?? '0') + fraction.padEnd(places, '0'))
  return match[1] === '-' ? -magnitude : magnitude
}

/** The inverse: at least `least` decimal places, more only where they are not zero. */
export function formatScaled(value: bigint, places: number, least: number): string {
  const negative = value < 0n
  const digits = (negative ? -value : value).toString().padStart(places + 1, '0')
  const whole = digits.slice(0, digits.length - places)
  let fraction = places === 0 ? '' : digits.slice(digits.length - places)
  while (fraction.length > least && fraction.endsWith('0')) fraction = fraction.slice(0, -1)
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}
