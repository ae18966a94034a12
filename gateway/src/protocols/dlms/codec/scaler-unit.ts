import type { MeterUnit } from '@endeks/domain/units'
import { type DlmsData, integerOf, rowOf } from './data-types.js'
import { DlmsFault } from './fault.js'

/** The units of Blue Book 4.3.2 (enum unit) that a billed register counts in. kWh and MJ are Wh and J with a larger scaler. */
export const countingUnits = [
  { code: 13, unit: 'm3', meaning: 'cubic metre' },
  { code: 14, unit: 'm3', meaning: 'cubic metre, corrected' },
  { code: 19, unit: 'L', meaning: 'litre' },
  { code: 25, unit: 'J', meaning: 'joule' },
  { code: 30, unit: 'Wh', meaning: 'watt-hour' }
] as const satisfies readonly { readonly code: number; readonly unit: MeterUnit; readonly meaning: string }[]

const unitsByCode: ReadonlyMap<number, MeterUnit> = new Map(countingUnits.map((row) => [row.code, row.unit]))

/** "m3", or "unit 33" of one that no register is billed in. */
export function unitName(code: number): string {
  return unitsByCode.get(code) ?? `unit ${code}`
}

export interface ScalerUnit {
  readonly scaler: number
  readonly unit: MeterUnit
}

/** A power of ten beyond these is no scaler of a meter: the wire to the host carries none. */
const furthestScaler = 12

/** Reads `scal_unit_type` ::= structure { scaler: integer, unit: enum }. */
export function scalerUnitOf(data: DlmsData): ScalerUnit {
  const [scaler, unit] = data.type === 'structure' ? data.value : []
  if (scaler?.type !== 'integer' || unit?.type !== 'enum') throw new DlmsFault('DLMS_VALUE', 'a scaler_unit is not a scaler and a unit')
  if (Math.abs(scaler.value) > furthestScaler) throw new DlmsFault('DLMS_UNIT', `10^${scaler.value} is no scaler of a counter`)
  const known = unitsByCode.get(unit.value)
  if (known === undefined) throw new DlmsFault('DLMS_UNIT', `unit ${unit.value} is not one that a register is billed in`)
  return { scaler: scaler.value, unit: known }
}

const sent: { readonly [Unit in MeterUnit]: { readonly code: number; readonly shift: number } } = {
  m3: { code: 13, shift: 0 },
  L: { code: 19, shift: 0 },
  J: { code: 25, shift: 0 },
  MJ: { code: 25, shift: 6 },
  Wh: { code: 30, shift: 0 },
  kWh: { code: 30, shift: 3 }
}

export function scalerUnitData(scaler: number, unit: MeterUnit): DlmsData {
  const { code, shift } = sent[unit]
  return {
    type: 'structure',
    value: [
      { type: 'integer', value: scaler + shift },
      { type: 'enum', value: code }
    ]
  }
}

/** A number below zero in two's complement of its type's size. */
function bitsOf(type: DlmsData['type'], value: bigint): bigint {
  const row = rowOf(type)
  return 'bytes' in row ? BigInt.asUintN(8 * row.bytes, value) : value
}

function checkValid(bits: bigint, invalid: readonly bigint[]): void {
  if (invalid.includes(bits)) throw new DlmsFault('DLMS_NO_VALUE', `0x${bits.toString(16)} is what the profile calls invalid`)
}

/** The wire to the host carries a counter in at most 18 digits, which no meter's counter has. */
const mostRaw = 10n ** 18n

/**
 * A counter's value. Floats are refused: what is billed is the integer that the dial shows.
 *
 * @param invalid bits that stand for "no value", whatever the size of the type
 * @throws {DlmsFault} DLMS_NO_VALUE for one of those, DLMS_VALUE for what is no counter
 */
export function counterOf(data: DlmsData, invalid: readonly bigint[] = []): bigint {
  const value = integerOf(data)
  if (value === undefined || data.type === 'enum') throw new DlmsFault('DLMS_VALUE', `a ${data.type} is not the value of a counter`)
  if (invalid.length > 0) checkValid(bitsOf(data.type, value), invalid)
  if (value >= mostRaw || value <= -mostRaw) throw new DlmsFault('DLMS_VALUE', `${value} has more than 18 digits`)
  return value
}
