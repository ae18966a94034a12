import { AppError } from '../errors/catalogue.js'
import { formatScaled, parseScaled } from '../units/decimal.js'

/** ISO 4217, three letters. */
export type Currency = string & { readonly __brand: 'Currency' }

/** An amount in millionths of the currency. Documents and postings carry whole hundredths only. */
export interface Money {
  readonly currency: Currency
  readonly micro: bigint
}

export function money(currency: string, micro: bigint): Money {
  if (!/^[A-Z]{3}$/.test(currency)) throw new AppError('AMOUNT_INVALID', `"${currency}" is not a currency code of three letters`)
  return { currency: currency as Currency, micro }
}

/** "1234.5" to 1234500000n. @throws {AppError} AMOUNT_INVALID for anything but a decimal of at most six places */
export function parseMicro(text: string): bigint {
  return parseScaled(text, 6, 'AMOUNT_INVALID')
}

/** 1234500000n to "1234.50": at least two places, more only where the amount has them. */
export function formatMicro(micro: bigint): string {
  return formatScaled(micro, 6, 2)
}

/** A price or factor in billionths. @throws {AppError} AMOUNT_INVALID */
export function parseNano(text: string): bigint {
  return parseScaled(text, 9, 'AMOUNT_INVALID')
}

/** Unit prices show four places at least: 57.4880 can't be read as fifty-seven thousand. */
export function formatNano(nano: bigint): string {
  return formatScaled(nano, 9, 4)
}
