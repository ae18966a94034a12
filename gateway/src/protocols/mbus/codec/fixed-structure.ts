import { littleEndian, type RecordValue, readBcd } from './data-field.js'
import { fixedMediumName, identificationText } from './header.js'
import type { MbusRecord } from './record.js'

/** Two counters with one unit byte each: what meters sent before the variable structure (EN 1434-3). */
export const fixedStructureSize = 16

interface FixedUnit {
  readonly quantity: string
  readonly unit: string
  readonly scaler: number
}

/** Codes in runs, each ten times the one before, in the unit that the standard's table names. */
const ladders: readonly (FixedUnit & { readonly first: number; readonly count: number })[] = [
  { first: 0x02, count: 3, quantity: 'energy', unit: 'Wh', scaler: 0 },
  { first: 0x05, count: 6, quantity: 'energy', unit: 'kWh', scaler: 0 },
  { first: 0x0b, count: 3, quantity: 'energy', unit: 'J', scaler: 3 },
  { first: 0x0e, count: 6, quantity: 'energy', unit: 'MJ', scaler: 0 },
  { first: 0x14, count: 9, quantity: 'power', unit: 'W', scaler: 0 },
  { first: 0x1d, count: 9, quantity: 'power', unit: 'J/h', scaler: 3 },
  { first: 0x26, count: 6, quantity: 'volume', unit: 'L', scaler: -3 },
  { first: 0x2c, count: 3, quantity: 'volume', unit: 'm3', scaler: 0 },
  { first: 0x2f, count: 9, quantity: 'volume-flow', unit: 'm3/h', scaler: -6 },
  { first: 0x38, count: 1, quantity: 'temperature', unit: '°C', scaler: -3 },
  { first: 0x39, count: 1, quantity: 'heat-cost-allocation', unit: 'HCA', scaler: 0 }
]

/** The second counter holds the first one's value at a fixed date. */
const sameButHistoric = 0x3e
const clockUnits: readonly string[] = ['time-of-day', 'date']

export interface FixedStructure {
  readonly id: string
  readonly medium: string
  readonly access: number
  readonly status: number
  readonly records: readonly MbusRecord[]
}

/** @param bytes exactly `fixedStructureSize` of them */
export function readFixedStructure(bytes: Uint8Array, base: number): FixedStructure {
  const [access = 0, status = 0, first = 0, second = 0] = bytes.subarray(4)
  const counter = (start: number): RecordValue => readCounter(bytes.subarray(start, start + 4), (status & 1) !== 0)
  const stored = (status & 2) === 0 ? 0 : 1
  const firstUnit = fixedUnit(first & 0x3f)
  const historic = (second & 0x3f) === sameButHistoric
  const secondUnit = historic ? firstUnit : fixedUnit(second & 0x3f)
  return {
    id: identificationText(bytes.subarray(0, 4)),
    medium: fixedMediumName((first >> 6) | ((second >> 6) << 2)),
    access,
    // The two lowest bits of this status say how the counters are coded, not how the application feels.
    status: status & 0xfc,
    records: [
      counterRecord(firstUnit, counter(8), { storage: stored, offset: base + 8 }),
      counterRecord(secondUnit, counter(12), { storage: historic ? 1 : stored, offset: base + 12 })
    ]
  }
}

function readCounter(bytes: Uint8Array, binary: boolean): RecordValue {
  return binary ? { kind: 'decimal', raw: littleEndian(bytes), scaler: 0 } : readBcd(bytes)
}

function fixedUnit(code: number): FixedUnit {
  const ladder = ladders.find((each) => code >= each.first && code < each.first + each.count)
  if (ladder !== undefined) return { ...ladder, scaler: ladder.scaler + code - ladder.first }
  return { quantity: clockUnits[code] ?? 'dimensionless', unit: '', scaler: 0 }
}

function counterRecord(unit: FixedUnit, value: RecordValue, place: { readonly storage: number; readonly offset: number }): MbusRecord {
  return {
    function: 'instantaneous',
    storage: place.storage,
    tariff: 0,
    subunit: 0,
    quantity: unit.quantity,
    unit: unit.unit,
    qualifiers: [],
    value: value.kind === 'decimal' ? { ...value, scaler: value.scaler + unit.scaler } : value,
    offset: place.offset
  }
}
