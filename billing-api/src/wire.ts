import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'
import { toIso } from '@endeks/domain/time'
import { formatQuantity, formatScaled, isMeterUnit, isQuantityUnit, meterUnits, type QuantityUnit } from '@endeks/domain/units'

export interface Measured {
  readonly value: string
  readonly unit: string
}

/** An index as its meter shows it: raw x 10^scaler of the meter's own unit. */
export function indexOf(raw: bigint, scaler: number, unit: string): Measured {
  if (scaler >= 0) return { value: (raw * 10n ** BigInt(scaler)).toString(), unit }
  return { value: formatScaled(raw, -scaler, -scaler), unit }
}

/** The base unit of what a column calls its unit: L of L and of m3. */
export function baseUnit(unit: string): QuantityUnit {
  if (isQuantityUnit(unit)) return unit
  if (isMeterUnit(unit)) return meterUnits[unit].base
  throw new AppError('INTERNAL', `"${unit.slice(0, 20)}" is no unit of a quantity`)
}

/** Thousandths of a base unit in the unit people read. */
export function quantityOf(milli: bigint, unit: string): Measured {
  return formatQuantity({ unit: baseUnit(unit), milli })
}

export function isoOrNull(instant: EpochMs | null): string | null {
  return instant === null ? null : toIso(instant)
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** All digits but the last four hidden; what stands between them stays, so that a number keeps its shape. */
export function masked(text: string | null): string | null {
  if (text === null) return null
  let digits = text.replaceAll(/\D/g, '').length
  return text.replaceAll(/\d/g, (digit) => (digits-- > 4 ? '•' : digit))
}
