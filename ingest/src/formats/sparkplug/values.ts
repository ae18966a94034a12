import { statusBits } from '@endeks/domain/metering'
import type { ForeignValue } from '../book.js'
import { shortestLiteral } from '../exact-number.js'
import type { Metric, PropertyValue } from './payload.js'

/** Widths of the integers by their datatype (Sparkplug 3.0.0, chapter 6, data types); the signed ones are the two's complement of what is sent. */
const signed: Readonly<Record<number, number>> = { 1: 8, 2: 16, 3: 32, 4: 64 }
const unsigned: Readonly<Record<number, number>> = { 5: 8, 6: 16, 7: 32, 8: 64 }
const float = 9
const double = 10

/** Whether values of a datatype are numbers; a date is none. */
export function isNumeric(datatype: number): boolean {
  return datatype >= 1 && datatype <= double
}

/** A metric's value as its datatype, its own or that of its birth, says it is to be read. */
export function numberIn(metric: Metric, datatype: number): ForeignValue['value'] {
  const { integer } = metric
  if (integer !== undefined) {
    const [signedBits, unsignedBits] = [signed[datatype], unsigned[datatype]]
    if (signedBits !== undefined) return { literal: BigInt.asIntN(signedBits, integer).toString(), precision: 'decimal' }
    if (unsignedBits !== undefined && integer >> BigInt(unsignedBits) === 0n) return { literal: integer.toString(), precision: 'decimal' }
  }
  if (metric.double !== undefined && datatype === double) return binary(metric.double, 'double')
  if (metric.float !== undefined && datatype === float) return binary(metric.float, 'float')
  return { other: metric.other ?? `a value of another kind than its datatype ${datatype}` }
}

function binary(value: number, precision: 'double' | 'float'): ForeignValue['value'] {
  return Number.isFinite(value) ? { literal: shortestLiteral(value, precision), precision } : { other: String(value) }
}

/** The unit as it is usually told; Sparkplug itself has no word for it. */
export function unitTextOf(metric: Metric): string | undefined {
  const text = propertyOf(metric, 'engUnit')?.text
  return text === undefined || text === '' ? undefined : text
}

/** OPC's code for a value that is good. */
const good = 192n

/** The property "Quality" holds OPC's codes: a value that is not good is marked, not dropped. */
export function statusOf(metric: Metric): number {
  const quality = propertyOf(metric, 'Quality')?.integer
  return quality === undefined || quality === good ? 0 : statusBits.valueInvalid
}

function propertyOf({ properties }: Metric, name: string): PropertyValue | undefined {
  const index = properties.keys.indexOf(name)
  return index < 0 ? undefined : properties.values[index]
}
