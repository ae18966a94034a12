import { AppError } from '@endeks/domain/errors'
import { isMeterUnit, type MeterUnit, meterUnits } from '@endeks/domain/units'
import type { Counter, CounterForm } from './store.js'

type Dimension = 'volume' | 'energy'

const dimensions: Readonly<Record<MeterUnit, Dimension>> = {
  m3: 'volume',
  L: 'volume',
  Wh: 'energy',
  kWh: 'energy',
  J: 'energy',
  MJ: 'energy'
}
const inWords: Readonly<Record<Dimension, string>> = { volume: 'a volume: write it in m3', energy: 'energy: write it in kWh or MJ' }

/** Value group A of an OBIS code is the medium (IEC 62056-6-1, 5.1): cooling, heat, gas, cold and hot water. */
const coldOrHeat = new Set(['5', '6'])
const flowing = new Set(['7', '8', '9'])

/**
 * @param path where the request has the index
 * @throws {AppError} VALIDATION for a unit that this counter can not count in
 */
export function refuseUnit(unit: MeterUnit, counter: Counter, path: string): void {
  const counts = dimensionOf(counter)
  if (counts === undefined || counts === dimensions[unit]) return
  throw invalid(`${path}/unit`, `the register ${counter.obis} counts ${inWords[counts]}`)
}

/**
 * What the counter itself said last tells where its digits end; what people typed does not, as they leave red digits out.
 *
 * @throws {AppError} VALIDATION for an index that the counter has not digits enough to show
 */
export function refuseDigits(index: CounterForm, counter: Counter, path: string): void {
  const { scaler, unit, digits } = counter
  if (scaler === null || unit === null || !isMeterUnit(unit) || !isMeterUnit(index.unit)) return
  const [from, to] = [meterUnits[index.unit], meterUnits[unit]]
  if (from.base !== to.base) return
  const shift = index.scaler - scaler
  const value = index.raw * from.milli * 10n ** BigInt(Math.max(shift, 0))
  const end = 10n ** BigInt(digits) * to.milli * 10n ** BigInt(Math.max(-shift, 0))
  if (value >= end) throw invalid(`${path}/value`, `has more digits than the counter, which has ${digits}`)
}

/** As the counter said itself, else as its code says. A heat meter has volumes too: value group C is 1 for its energy and 2 for volume. */
function dimensionOf({ obis, unit, medium }: Counter): Dimension | undefined {
  if (unit !== null && isMeterUnit(unit)) return dimensions[unit]
  const [, group = '', , quantity = ''] = /^(\d+)-(\d+):(\d+)\./.exec(obis) ?? []
  if (flowing.has(group) || /^gas$|water$/.test(medium)) return 'volume'
  if (!coldOrHeat.has(group) && !/^(heat|cooling)/.test(medium)) return undefined
  return quantity === '1' ? 'energy' : quantity === '2' ? 'volume' : undefined
}

function invalid(path: string, message: string): AppError {
  return new AppError('VALIDATION', `${path}: ${message}`, { problems: [{ path, message }] })
}
