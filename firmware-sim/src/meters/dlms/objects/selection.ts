import { type EpochMs, epochMs } from '@endeks/domain/time'
import { dlms } from '@endeks/gateway/codec'
import type { Column } from './load-profile.js'

/** Selectors of Profile generic's buffer (Blue Book 4.3.6.2.2). */
export const selectors = { range: dlms.rangeSelector, entry: 2 } as const

/** Which rows and columns of a buffer a client asked for. */
export interface Selection {
  /** instants of the meter's clock, both included */
  readonly from: EpochMs
  readonly to: EpochMs
  /** numbers of rows, the oldest is 1, both included */
  readonly firstEntry: number
  readonly lastEntry: number
  readonly columns: readonly Column[]
}

/** Instants of which a date speaks: further away there is no year of four digits. */
const always = { from: epochMs(-62_135_596_800_000), to: epochMs(253_402_300_799_999) }

/** @returns undefined for a selection that the profile does not know */
export function selectionOf(access: dlms.SelectiveAccess | undefined, columns: readonly Column[], zone: string): Selection | undefined {
  const everything: Selection = { ...always, firstEntry: 1, lastEntry: Number.MAX_SAFE_INTEGER, columns }
  if (access === undefined) return everything
  if (access.parameters.type !== 'structure' || access.parameters.value.length !== 4) return undefined
  if (access.selector === selectors.range) return byRange(access, everything, zone)
  return access.selector === selectors.entry ? byEntry(access.parameters.value, everything) : undefined
}

/** range_descriptor: restricting object, from, to, and the columns that are wanted, none for all. */
function byRange(access: dlms.SelectiveAccess, everything: Selection, zone: string): Selection | undefined {
  const range = dlms.readRangeByClock(access)
  const wanted = access.parameters.type === 'structure' ? access.parameters.value[3] : undefined
  if (range === undefined || wanted?.type !== 'array') return undefined
  const from = dlms.toInstant(range.from, zone)
  const to = dlms.toInstant(range.to, zone)
  const columns = wanted.value.length === 0 ? everything.columns : namedColumns(wanted.value, everything.columns)
  return from === undefined || to === undefined || columns === undefined ? undefined : { ...everything, from, to, columns }
}

function namedColumns(wanted: readonly dlms.DlmsData[], columns: readonly Column[]): readonly Column[] | undefined {
  const names = wanted.map((each) => Buffer.from(dlms.encodeData(each)).toString('hex'))
  const chosen = columns.filter((column) => names.includes(Buffer.from(dlms.encodeData(column.definition)).toString('hex')))
  return chosen.length === new Set(names).size ? chosen : undefined
}

/** entry_descriptor: first and last row, first and last column; 0 for a last one means as far as there are any. */
function byEntry(parameters: readonly dlms.DlmsData[], everything: Selection): Selection | undefined {
  const numbers = parameters.map((each, index) => {
    const type = index < 2 ? 'double-long-unsigned' : 'long-unsigned'
    return each.type === type ? each.value : undefined
  })
  const [firstEntry, lastEntry, firstColumn, lastColumn] = numbers
  if (firstEntry === undefined || lastEntry === undefined || firstColumn === undefined || lastColumn === undefined) return undefined
  if (firstEntry === 0 || firstColumn === 0) return undefined
  return {
    ...everything,
    firstEntry,
    lastEntry: lastEntry === 0 ? everything.lastEntry : lastEntry,
    columns: everything.columns.slice(firstColumn - 1, lastColumn === 0 ? undefined : lastColumn)
  }
}
