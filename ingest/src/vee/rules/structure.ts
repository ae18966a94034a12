import { statusBits } from '@endeks/domain/metering'
import { isMeterUnit, rawToMilli } from '@endeks/domain/units'
import type { ReadingRule } from './rule.js'

/** BILLING.md, rule 1: an index that the meter itself calls invalid, or that can't be expressed exactly, is no index. */
export const structure: ReadingRule = {
  name: 'structure',
  check: (reading) => {
    const told = { raw: reading.raw.toString(), scaler: reading.scaler, unit: reading.unit, status: reading.status }
    if ((reading.status & statusBits.valueInvalid) !== 0) return { ...told, why: 'the meter marked the value as invalid' }
    if (!isMeterUnit(reading.unit)) return { ...told, why: 'no unit a meter counts in' }
    if (rawToMilli(reading.raw, reading.scaler, reading.unit) === undefined) {
      return { ...told, why: 'finer than a thousandth of the base unit' }
    }
    return undefined
  }
}
