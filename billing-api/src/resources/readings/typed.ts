import { AppError } from '@endeks/domain/errors'
import { isMeterUnit, type MeterUnit, meterUnits, parseScaled } from '@endeks/domain/units'
import { fitsColumn } from '../../identifiers.js'
import type { CounterForm } from './store.js'

/** What a person reads off a counter. */
export interface TypedIndex {
  readonly value: string
  readonly unit: MeterUnit
}

/** Three places: what a dial in m3, kWh or MJ shows in red, and what a bill prints. */
const usualPlaces = 3
const mostPlaces = 9

/**
 * A typed index as the register's counter writes it, so that it compares with what came over the wire: only readings of one
 * unit have a difference, and only the same raw, scaler and unit are the same reading. Exact: where the counter's form could
 * not hold what was typed, it stays as typed.
 *
 * @param form how the register's counter is written, where that is known
 * @param path where the request has it
 * @throws {AppError} VALIDATION for a value that no counter shows
 */
export function typedIndex(typed: TypedIndex, form: CounterForm | undefined, path = '/index'): CounterForm {
  if (typed.value.startsWith('-')) throw invalid(path, 'is negative: a counter shows none')
  const fraction = (typed.value.split('.')[1] ?? '').replace(/0+$/, '')
  const places = Math.max(usualPlaces, fraction.length)
  const raw = parseScaled(typed.value, mostPlaces, 'VALIDATION') / 10n ** BigInt(mostPlaces - places)
  if (!fitsColumn(raw)) throw invalid(path, 'is more than any counter shows')
  const asTyped = { raw, scaler: -places, unit: typed.unit }
  return (form === undefined ? undefined : converted(asTyped, typed.unit, form)) ?? asTyped
}

function converted(typed: CounterForm, unit: MeterUnit, form: CounterForm): CounterForm | undefined {
  if (!isMeterUnit(form.unit)) return undefined
  const [from, to] = [meterUnits[unit], meterUnits[form.unit]]
  if (from.base !== to.base) return undefined
  // raw x 10^scaler x from = wanted x 10^form.scaler x to, in whole numbers only.
  const shift = typed.scaler - form.scaler
  const numerator = typed.raw * from.milli * 10n ** BigInt(Math.max(shift, 0))
  const denominator = to.milli * 10n ** BigInt(Math.max(-shift, 0))
  if (numerator % denominator !== 0n) return undefined
  const raw = numerator / denominator
  return fitsColumn(raw) ? { raw, scaler: form.scaler, unit: form.unit } : undefined
}

function invalid(path: string, message: string): AppError {
  return new AppError('VALIDATION', `the index ${message}`, { problems: [{ path: `${path}/value`, message }] })
}
