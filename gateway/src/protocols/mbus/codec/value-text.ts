import { powerOfTen, type RecordValue } from './data-field.js'
import { formatDate } from './date.js'
import { hexText } from './failure.js'

/**
 * A record's value as text: an exact decimal with the places that the meter gave it, ISO 8601 for a date, hexadecimal for
 * bytes.
 *
 * @returns null where there is no value or the meter marks it as not valid; of a date without day or month the digits that it has
 */
export function valueText(value: RecordValue): string | null {
  if (value.kind === 'decimal') {
    if (value.scaler === 0) return value.raw.toString()
    return value.scaler > 0 ? (value.raw * powerOfTen(value.scaler)).toString() : withPlaces(value.raw.toString(), -value.scaler)
  }
  if (value.kind === 'text') return value.text
  if (value.kind === 'date') return formatDate(value.date)
  if (value.kind === 'invalid') return value.text ?? null
  return value.kind === 'bytes' ? hexText(value.bytes) : null
}

function withPlaces(integer: string, places: number): string {
  const sign = integer.startsWith('-') ? '-' : ''
  const digits = integer.slice(sign.length).padStart(places + 1, '0')
  return `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`
}
