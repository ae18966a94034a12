import { type Obis, obis } from '@endeks/domain/metering'
import type { EpochMs } from '@endeks/domain/time'
import type { DlmsData } from './data-types.js'
import { type CosemDateTime, dateTimeSize, fromInstant, readDateTime, writeDateTime } from './date-time.js'
import type { AttributeReference, SelectiveAccess } from './get.js'
import { logicalName, logicalNameBytes } from './logical-name.js'
import { ByteReader } from './reader.js'
import { ByteWriter } from './writer.js'

/** Selector 1 of Profile generic's buffer: rows whose clock stands in a range (Blue Book, class 7, range_descriptor). */
export const rangeSelector = 1

const clockObject = { class: 8, obis: obis('0-0:1.0.0*255'), attribute: 2 } as const
/** The clock of a meter, by which profiles are sorted. */
export const clockReference: AttributeReference = clockObject

export interface TimeRange {
  readonly from: CosemDateTime
  readonly to: CosemDateTime
}

/** All columns of the rows from `from` to `to`, both included, in the local time of the meter's zone. */
export function rangeByClock(options: { readonly from: EpochMs; readonly to: EpochMs; readonly zone: string }): SelectiveAccess {
  const { from, to, zone } = options
  const restricting: DlmsData = {
    type: 'structure',
    value: [
      { type: 'long-unsigned', value: clockObject.class },
      { type: 'octet-string', value: logicalNameBytes(clockObject.obis) },
      { type: 'integer', value: clockObject.attribute },
      { type: 'long-unsigned', value: 0 }
    ]
  }
  const value: DlmsData[] = [restricting, dateTimeOctets(fromInstant(from, zone)), dateTimeOctets(fromInstant(to, zone))]
  return { selector: rangeSelector, parameters: { type: 'structure', value: [...value, { type: 'array', value: [] }] } }
}

/** Selector 2: rows by their place in the buffer, the first is 1 (Blue Book, class 7, entry_descriptor). */
export const entrySelector = 2

export interface EntryRange {
  readonly from: number
  /** 0: up to the last one */
  readonly to: number
}

/** All columns of some rows. */
export function rangeByEntry({ from, to }: EntryRange): SelectiveAccess {
  const value: DlmsData[] = [
    { type: 'double-long-unsigned', value: from },
    { type: 'double-long-unsigned', value: to },
    // The first column, and up to the last one.
    { type: 'long-unsigned', value: 1 },
    { type: 'long-unsigned', value: 0 }
  ]
  return { selector: entrySelector, parameters: { type: 'structure', value } }
}

/** Reads a range by entry back, as a server does. Undefined for another selector, and for a choice of columns. */
export function readRangeByEntry({ selector, parameters }: SelectiveAccess): EntryRange | undefined {
  if (selector !== entrySelector || parameters.type !== 'structure' || parameters.value.length !== 4) return undefined
  const [from, to, firstColumn, lastColumn] = parameters.value
  if (from?.type !== 'double-long-unsigned' || to?.type !== 'double-long-unsigned') return undefined
  if (firstColumn?.type !== 'long-unsigned' || lastColumn?.type !== 'long-unsigned') return undefined
  return firstColumn.value <= 1 && lastColumn.value === 0 ? { from: from.value, to: to.value } : undefined
}

/** Reads a range by clock back, as a server does. Undefined for another selector or another restricting object. */
export function readRangeByClock(access: SelectiveAccess): TimeRange | undefined {
  const { selector, parameters } = access
  if (selector !== rangeSelector || parameters.type !== 'structure') return undefined
  const [restricting, from, to] = parameters.value
  if (restricting?.type !== 'structure' || restricting.value[1]?.type !== 'octet-string') return undefined
  const name: Obis | undefined = restricting.value[1].value.length === 6 ? logicalName(restricting.value[1].value) : undefined
  const first = from === undefined ? undefined : dateTimeOf(from)
  const last = to === undefined ? undefined : dateTimeOf(to)
  return name === clockObject.obis && first !== undefined && last !== undefined ? { from: first, to: last } : undefined
}

/** A date-time as most meters send it: twelve bytes in an octet-string. */
export function dateTimeOctets(value: CosemDateTime): DlmsData {
  return { type: 'octet-string', value: writeDateTime(new ByteWriter(), value).finish() }
}

/** A date-time, tagged as one or as twelve bytes in an octet-string. */
export function dateTimeOf(data: DlmsData): CosemDateTime | undefined {
  if (data.type === 'date-time') return data.value
  if (data.type !== 'octet-string' || data.value.length !== dateTimeSize) return undefined
  return readDateTime(new ByteReader(data.value))
}
