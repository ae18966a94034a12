import { AppError } from '@endeks/domain/errors'
import { divideRounded } from '@endeks/domain/money'
import { fromIso, toLocal } from '@endeks/domain/time'
import { parseScaled } from '@endeks/domain/units'

/** Words of a document: the Turkish ones carry it, the English ones stand small beneath them. */
export interface Words {
  readonly tr: string
  readonly en: string
}

/** U+2212, as wide as a plus sign; a hyphen beside a figure is read as a dash. */
const minus = '−'

/**
 * Decimal text as Turkish paper shows it: 1240.5 is 1.240,500 with `least` 3. Exact: it moves characters and never rounds, so
 * more than `least` places are shown where they are not zero. A document has its amounts once, in this form, in every language.
 *
 * @throws {AppError} DOCUMENT_RENDERING when the text is no plain decimal
 */
export function decimal(text: string, least: number): string {
  const match = /^(-?)(\d{1,30})(?:\.(\d{1,30}))?$/.exec(text)
  if (match === null) throw notDecimal(text)
  const whole = (match[2] ?? '0').replace(/^0+(?=\d)/, '')
  const fraction = (match[3] ?? '').replace(/0+$/, '').padEnd(least, '0')
  const sign = match[1] === '-' && /[1-9]/.test(text) ? minus : ''
  return `${sign}${whole.replace(/\B(?=(\d{3})+$)/g, '.')}${fraction === '' ? '' : `,${fraction}`}`
}

/** 1.234,56: money, whose currency the label or the head of the column names. */
export function amount(text: string): string {
  return decimal(text, 2)
}

/** 57,4880: four places at least, or a price reads as thousands in the other language. */
export function price(text: string): string {
  return decimal(text, 4)
}

/** 1.240,000: billed quantities and indexes. */
export function quantity(text: string): string {
  return decimal(text, 3)
}

/** %1 or %0,5 of a fraction such as 0.01. */
export function percent(fraction: string): string {
  return `%${decimal(scaledText(scaled(fraction) * 100n, 9), 0)}`
}

/** Billionths of a decimal text. */
export function scaled(text: string): bigint {
  return parseScaled(text, 9, 'DOCUMENT_RENDERING')
}

/** A quotient for people, rounded once, half up, at `places`: an average or a price that nothing is computed from. */
export function quotient(numerator: bigint, denominator: bigint, places: number): string {
  return decimal(scaledText(divideRounded(numerator * 10n ** BigInt(places), denominator), places), places)
}

/** "+%6" and "−%2": how much `now` is above or below `before`; undefined where there is nothing to compare with. */
export function change(now: string | null | undefined, before: string | null | undefined): string | undefined {
  if (now === null || now === undefined || before === null || before === undefined) return undefined
  const base = scaled(before)
  if (base <= 0n) return undefined
  const hundredths = divideRounded((scaled(now) - base) * 100n, base)
  const size = decimal((hundredths < 0n ? -hundredths : hundredths).toString(), 0)
  return `${hundredths < 0n ? minus : hundredths > 0n ? '+' : ''}%${size}`
}

/** Units as people write them. */
export function unitName(unit: string): string {
  return unit === 'm3' ? 'm³' : unit
}

/** The name of a currency in a sentence or a label; many code pages and some fonts have no sign for the lira. */
export function currencyName(code: string): string {
  return code === 'TRY' ? 'TL' : code
}

/** 05.03.2026 of "2026-03-05": a calendar day has no zone. */
export function day(date: string): string {
  return date.split('-').reverse().join('.')
}

/** 05.03.2026 of an instant in the utility's zone. */
export function dayOf(instant: string, zone: string): string {
  const local = toLocal(fromIso(instant), zone)
  return `${twoDigits(local.day)}.${twoDigits(local.month)}.${local.year}`
}

/** 05.03.2026 14:12 of an instant in the utility's zone. */
export function minuteOf(instant: string, zone: string): string {
  const local = toLocal(fromIso(instant), zone)
  return `${dayOf(instant, zone)} ${twoDigits(local.hour)}:${twoDigits(local.minute)}`
}

/** 01.10-01.11.2026: half-open, both ends as they were read. */
export function span(from: string, to: string, zone: string): string {
  const start = dayOf(from, zone)
  const end = dayOf(to, zone)
  return `${start.slice(6) === end.slice(6) ? start.slice(0, 5) : start}-${end}`
}

const shortMonths: readonly Words[] = [
  { tr: 'Oca', en: 'Jan' },
  { tr: 'Şub', en: 'Feb' },
  { tr: 'Mar', en: 'Mar' },
  { tr: 'Nis', en: 'Apr' },
  { tr: 'May', en: 'May' },
  { tr: 'Haz', en: 'Jun' },
  { tr: 'Tem', en: 'Jul' },
  { tr: 'Ağu', en: 'Aug' },
  { tr: 'Eyl', en: 'Sep' },
  { tr: 'Eki', en: 'Oct' },
  { tr: 'Kas', en: 'Nov' },
  { tr: 'Ara', en: 'Dec' }
]

/** Eki, Oct of "2026-10". */
export function shortMonth(month: string): Words {
  return shortMonths[Number(month.slice(5, 7)) - 1] ?? { tr: month, en: month }
}

/** Four characters at a time, as ISO 13616 prints an IBAN. */
export function iban(text: string): string {
  return text.replaceAll(' ', '').replace(/.{4}(?=.)/g, '$& ')
}

function scaledText(value: bigint, places: number): string {
  const negative = value < 0n
  const digits = (negative ? -value : value).toString().padStart(places + 1, '0')
  const cut = digits.length - places
  return `${negative ? '-' : ''}${digits.slice(0, cut)}${places === 0 ? '' : `.${digits.slice(cut)}`}`
}

function notDecimal(text: string): AppError {
  return new AppError('DOCUMENT_RENDERING', `"${text.slice(0, 40)}" is not a decimal number: nothing is printed in its place`, {
    text: text.slice(0, 40)
  })
}

function twoDigits(value: number): string {
  return value.toString().padStart(2, '0')
}
