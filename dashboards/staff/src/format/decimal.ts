/** Text that Intl formats digit by digit, without passing through a binary fraction. */
export type DecimalText = `${number}`

export function isDecimal(text: string): text is DecimalText {
  return /^-?\d{1,30}(\.\d{1,30})?$/.test(text)
}

/** Moves the decimal point to the left: "20" by two places is "0.20". Exact, since it only moves a character. */
export function pointLeft(text: DecimalText, places: number): string {
  const negative = text.startsWith('-')
  const [whole = '0', fraction = ''] = (negative ? text.slice(1) : text).split('.')
  const padded = whole.padStart(places + 1, '0')
  const cut = padded.length - places
  return `${negative ? '-' : ''}${padded.slice(0, cut)}.${padded.slice(cut)}${fraction}`
}

export function isNegative(text: string): boolean {
  return text.startsWith('-') && /[1-9]/.test(text)
}

export function isZero(text: string): boolean {
  return !/[1-9]/.test(text)
}
