import { AppError } from '@endeks/domain/errors'

/** Widths of bar, space, bar, space, bar, space of each symbol character, by its value. ISO/IEC 15417 table 1. */
const symbols = (
  '212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122 123221 ' +
  '223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 ' +
  '112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 ' +
  '311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 ' +
  '122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 ' +
  '214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 211214 211232'
).split(' ')
const stop = '2331112'

const startC = 105
const startB = 104
const toSetB = 100
/** Set B gives the digit 0 the value 16. */
const digitZeroInB = 16

/** Light modules on either side. ISO/IEC 15417 clause 4.2. */
const quietZone = 10
const digitsPattern = /^\d{1,40}$/

/**
 * The values of a Code 128 symbol of digits: pairs in set C, and an odd last digit in set B.
 *
 * @throws {AppError} DOCUMENT_RENDERING for anything but 1 to 40 digits: a scanner types in the layout of the keyboard, and only
 *   digits come out alike on all of them
 * @see ISO/IEC 15417
 */
export function code128Values(digits: string): number[] {
  if (!digitsPattern.test(digits)) {
    throw new AppError('DOCUMENT_RENDERING', `"${digits.slice(0, 50)}" is not 1 to 40 digits, so it is no barcode for the desk`, { digits })
  }
  const values = digits.length === 1 ? [startB] : [startC]
  for (let at = 0; at + 2 <= digits.length; at += 2) values.push(Number(digits.slice(at, at + 2)))
  if (digits.length % 2 === 1) {
    if (digits.length > 1) values.push(toSetB)
    values.push(digitZeroInB + Number(digits.slice(-1)))
  }
  const sum = values.reduce((total, value, index) => total + value * Math.max(1, index), 0)
  return [...values, sum % 103]
}

/** The symbol as an SVG image with its quiet zones, 40 modules high; stretch it upwards as you like. */
export function code128Svg(digits: string): string {
  const height = 40
  const widths = code128Values(digits).map((value) => symbols[value] ?? '')
  let x = quietZone
  let path = ''
  for (const [index, width] of [...(widths.join('') + stop)].entries()) {
    if (index % 2 === 0) path += `M${x} 0h${width}v${height}h-${width}z`
    x += Number(width)
  }
  const side = x + quietZone
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${height}" width="${side}" height="${height}"><path d="${path}"/></svg>`
}
