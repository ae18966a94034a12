import { obis } from '@endeks/domain/metering'
import { type EpochMs, epochMs, toLocal, wholeDays } from '@endeks/domain/time'
import { dlms } from '@endeks/gateway/codec'
import { type CosemMethod, type CosemObject, cosemObject } from '../cosem-object.js'
import type { MeterDevice } from '../device.js'
import { array, integer, name, structure, success, typeUnmatched } from '../values.js'
import { clockClass, clockTime, normalOffset } from './clock.js'
import { counterData, counterType, registerClass, totalName } from './registers.js'
import { type Selection, selectionOf, selectors } from './selection.js'

export const loadProfileName = obis('1-0:99.2.0*255')
const profileClass = 7
/** Rows that the meter's memory holds: the oldest makes room for the newest. */
export const profileEntries = 500
const capturePeriodS = 86_400
const sortedFirstInFirstOut = 1
const dayMs = 86_400_000

/** What stands in the rows of a meter that lies about dates. */
const noDay = { month: 2, day: 31 } as const

/** A column of the profile: how it is defined, and what stands in it at an instant. */
export interface Column {
  readonly definition: dlms.DlmsData
  readonly type: 'octet-string' | 'double-long-unsigned' | 'long64-unsigned'
  /** @param normal the zone's offset in winter: looked up once for all rows */
  readonly cell: (at: EpochMs, normal: number) => dlms.DlmsData
}

/** Class 7: the total at each local midnight, and whenever a client had it captured. */
export function loadProfileObject(device: MeterDevice): CosemObject {
  const columns = columnsOf(device)
  return cosemObject({
    class: profileClass,
    version: 1,
    obis: loadProfileName,
    seenBy: 'read',
    attributes: {
      2: { selectors: Object.values(selectors), read: (access) => bufferOf(device, columns, access) },
      3: { read: () => array(columns.map((column) => column.definition)) },
      4: { read: () => integer('double-long-unsigned', capturePeriodS) },
      5: { read: () => integer('enum', sortedFirstInFirstOut) },
      // First in, first out sorts by no object. There are clients that ask for ranges of this one, whatever the sorting is.
      6: { read: () => columnDefinition(clockClass, dlms.clockReference.obis, 2) },
      7: { read: () => integer('double-long-unsigned', capturedAt(device).length) },
      8: { read: () => integer('double-long-unsigned', profileEntries) }
    },
    methods: { 1: method(() => device.clearProfile()), 2: method(() => device.capture()) }
  })
}

/** reset and capture: both take integer(0). */
function method(work: () => void): CosemMethod {
  return {
    by: 'manage',
    invoke(parameters) {
      if (parameters?.type !== 'integer') return typeUnmatched
      work()
      return success
    }
  }
}

function columnDefinition(objectClass: number, logicalName: Parameters<typeof name>[0], attribute: number): dlms.DlmsData {
  const definition = [integer('long-unsigned', objectClass), name(logicalName), integer('integer', attribute)]
  return structure(...definition, integer('long-unsigned', 0))
}

function columnsOf(device: MeterDevice): readonly Column[] {
  const { meter } = device
  return [
    {
      definition: columnDefinition(clockClass, dlms.clockReference.obis, 2),
      type: 'octet-string',
      cell(at, normal) {
        const shown = clockTime(device.shown(at), meter.zone, normal)
        return dlms.dateTimeOctets(device.ailment.lies.has('date') ? { ...shown, ...noDay } : shown)
      }
    },
    {
      definition: columnDefinition(registerClass, totalName(meter), 2),
      type: counterType(meter),
      cell: (at) => counterData(device, at)
    }
  ]
}

/** @returns undefined for a selection that this profile does not know */
function bufferOf(device: MeterDevice, columns: readonly Column[], access?: dlms.SelectiveAccess): dlms.DlmsData | undefined {
  const selection = selectionOf(access, columns, device.meter.zone)
  if (selection === undefined) return undefined
  const normal = normalOffset(device.now(), device.meter.zone)
  const rows = rowsOf(device, selection).map((at) => structure(...selection.columns.map((column) => column.cell(at, normal))))
  if (device.options.compactArray !== true) return array(rows)
  const elements = selection.columns.map(({ type }) => ({ type }))
  return { type: 'compact-array', element: { type: 'structure', elements }, value: rows }
}

function rowsOf(device: MeterDevice, selection: Selection): readonly EpochMs[] {
  const { from, to, firstEntry, lastEntry } = selection
  const byEntry = firstEntry > 1 || lastEntry < Number.MAX_SAFE_INTEGER
  // Numbers count all rows, and a clock that was set shows others than it has: only a plain range may leave out days unseen.
  const all = byEntry || device.isAdjusted ? capturedAt(device) : capturedAt(device, selection)
  return all.slice(firstEntry - 1, lastEntry).filter((at) => device.shown(at) >= from && device.shown(at) <= to)
}

interface Bounds {
  readonly from: number
  readonly to: number
}

/**
 * The instants of the rows, oldest first: each local midnight since the meter was mounted or its profile was reset, as far
 * back as the memory reaches, and the captures of clients. Nothing else is stored: what the memory would hold follows from
 * the clock.
 */
function capturedAt(device: MeterDevice, bounds: Bounds = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY }): EpochMs[] {
  const { meter, captures, clearedAt } = device
  const now = device.instant()
  const from = Math.max(meter.startedAt, now - profileEntries * dayMs + 1, bounds.from)
  const to = Math.min(now, bounds.to)
  const midnights = midnightsOf(from, to, meter.zone).filter((at) => at > clearedAt)
  const captured = captures.filter((at) => at >= from && at <= to)
  if (captured.length === 0) return midnights
  return [...midnights, ...captured].sort((left, right) => left - right).slice(-profileEntries)
}

function midnightsOf(from: number, to: number, zone: string): EpochMs[] {
  if (to < from) return []
  const days = wholeDays({ from: epochMs(from), to: epochMs(to + 1) }, zone).map((day) => day.from)
  return days.filter((start, index) => index > 0 || isMidnight(start, zone))
}

function isMidnight(instant: EpochMs, zone: string): boolean {
  const { hour, minute, second } = toLocal(instant, zone)
  return hour === 0 && minute === 0 && second === 0 && instant % 1000 === 0
}
