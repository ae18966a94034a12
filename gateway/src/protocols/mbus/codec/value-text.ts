import { formatScaled } from '@endeks/domain/units'
import type { RecordValue } from './data-field.js'
import { formatDate } from './date.js'
import { hexText } from './failure.js'

/**
 * A record's value as text: an exact decimal with the places that the meter gave it, ISO 8601 for a date, hexadecimal for
 * bytes.
 *
 * @returns null where there is no value or the meter marks it as not valid
 */
export function valueText(value: RecordValue): string | null {
  if (value.kind === 'decimal') {
    if (value.scaler >= 0) return (value.raw * 10n ** BigInt(value.scaler)).toString()
    return formatScaled(value.raw, -value.scaler, -value.scaler)
  }
  if (value.kind === 'text') return value.text
  if (value.kind === 'date') return formatDate(value.date)
  return value.kind === 'bytes' ? hexText(value.bytes) : null
}
