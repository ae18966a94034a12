import { isDecimal, pointLeft } from './decimal.js'

export type Language = 'tr' | 'en'

export const locales = { tr: 'tr-TR', en: 'en-GB' } as const satisfies Record<Language, string>

/** Decimal text in, text for people out. Nothing on the way is a `number`: amounts stay exact past 2^53. */
export interface NumberFormats {
  /** ₺1.234,56: headlines */
  money(text: string): string
  /** 1.234,56: columns, whose head names the unit */
  amount(text: string): string
  /** 57,4880: four places at least, or a price reads as thousands in the other language */
  rate(text: string): string
  /** 1.240,000: billed quantities */
  quantity(text: string): string
  /** 1.240: charts and running totals */
  whole(text: string): string
  /** %9,2 in Turkish, 9.2% in English; the text is already in percent */
  percent(text: string): string
  /** every digit that is there, and at least `least` places */
  exact(text: string, least: number): string
  /** 12.431: people, meters, invoices */
  count(value: number): string
}

/** Units as people write them; Intl has no cubic metre. */
const unitNames: Readonly<Record<string, string>> = { m3: 'm³', L: 'L', kWh: 'kWh', Wh: 'Wh', MJ: 'MJ', J: 'J' }

export function unitName(unit: string): string {
  return unitNames[unit] ?? unit
}

/** A no-break space keeps the number and its unit on one line. */
export function withUnit(text: string, unit: string): string {
  return `${text}\u00a0${unitName(unit)}`
}

export function numberFormats(language: Language, currency: string): NumberFormats {
  const locale = locales[language]
  const decimal = (minimumFractionDigits: number, maximumFractionDigits: number) =>
    new Intl.NumberFormat(locale, { minimumFractionDigits, maximumFractionDigits })
  const money = new Intl.NumberFormat(locale, { style: 'currency', currency, currencyDisplay: 'narrowSymbol' })
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 4 })
  const amount = decimal(2, 2)
  const rate = decimal(4, 9)
  const quantity = decimal(3, 9)
  const whole = decimal(0, 0)
  const exact = new Map<number, Intl.NumberFormat>()
  // a text that is no decimal is shown as it came: a wrong figure would be worse than a strange one
  const through = (format: Intl.NumberFormat) => (text: string) => (isDecimal(text) ? format.format(text) : text)
  return {
    money: through(money),
    amount: through(amount),
    rate: through(rate),
    quantity: through(quantity),
    whole: through(whole),
    percent: (text) => {
      const fraction = isDecimal(text) ? pointLeft(text, 2) : text
      return isDecimal(fraction) ? percent.format(fraction) : text
    },
    exact: (text, least) => {
      let format = exact.get(least)
      if (format === undefined) {
        format = decimal(least, 20)
        exact.set(least, format)
      }
      return through(format)(text)
    },
    count: (value) => whole.format(value)
  }
}
