import type { EpochMs } from '../time/instant.js'
import type { MeterUnit } from '../units/meter-unit.js'
import type { Obis } from './obis.js'

/**
 * A register's index at an instant, as the meter sent it. The value is raw x 10^scaler of the unit; nothing converts it
 * before a charge does. Same value means raw, scaler, unit and status.
 */
export interface MeterReading {
  readonly obis: Obis
  readonly at: EpochMs
  readonly raw: bigint
  readonly scaler: number
  readonly unit: MeterUnit
  /** a set of `statusBits` */
  readonly status: number
}

/** Conditions that meters of every protocol report, in one set: bits are never given another meaning. */
export const statusBits = {
  batteryLow: 1,
  permanentError: 2,
  temporaryError: 4,
  tamper: 8,
  leak: 16,
  reverseFlow: 32,
  clockInvalid: 64,
  valueInvalid: 128
} as const

/** Where a reading came from. */
export const readingSources = ['remote', 'hand-held', 'declared', 'manual'] as const
export type ReadingSource = (typeof readingSources)[number]
