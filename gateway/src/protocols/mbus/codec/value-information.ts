/** How a data field is to be read where its DIF alone doesn't say so (EN 13757-3, annex A). */
export type Coding = 'number' | 'unsigned' | 'date' | 'unknown'

/** One row of a VIF table: `count` codes from `first`, each a power of ten more than the one before. */
export interface VifRow {
  readonly first: number
  /** 1 unless said */
  readonly count?: number
  readonly quantity: string
  readonly unit?: string
  /** power of ten of the first code */
  readonly scaler?: number
  /** of the raw value, where a power of ten does not say it */
  readonly times?: bigint
  /** units of time by code instead of powers of ten, named in `durations` or `longDurations` */
  readonly units?: readonly Duration[]
  readonly coding?: Coding
}

/** A unit of time, exactly in seconds; months and years have no length of their own and stay what they are. */
export interface Duration {
  readonly unit: string
  readonly times: bigint
}

const second: Duration = { unit: 's', times: 1n }
const minute: Duration = { unit: 's', times: 60n }
const hour: Duration = { unit: 's', times: 3600n }
const day: Duration = { unit: 's', times: 86_400n }
const month: Duration = { unit: 'month', times: 1n }
const year: Duration = { unit: 'year', times: 1n }
export const durations = [second, minute, hour, day] as const

/** Primary VIFs (EN 13757-3:2018, table 10), without the extension bit. */
export const primaryVifs: readonly VifRow[] = [
  { first: 0x00, count: 8, quantity: 'energy', unit: 'Wh', scaler: -3 },
  { first: 0x08, count: 8, quantity: 'energy', unit: 'J', scaler: 0 },
  { first: 0x10, count: 8, quantity: 'volume', unit: 'm3', scaler: -6 },
  { first: 0x18, count: 8, quantity: 'mass', unit: 'kg', scaler: -3 },
  { first: 0x20, quantity: 'on-time', units: durations },
  { first: 0x24, quantity: 'operating-time', units: durations },
  { first: 0x28, count: 8, quantity: 'power', unit: 'W', scaler: -3 },
  { first: 0x30, count: 8, quantity: 'power', unit: 'J/h', scaler: 0 },
  { first: 0x38, count: 8, quantity: 'volume-flow', unit: 'm3/h', scaler: -6 },
  { first: 0x40, count: 8, quantity: 'volume-flow', unit: 'm3/min', scaler: -7 },
  { first: 0x48, count: 8, quantity: 'volume-flow', unit: 'm3/s', scaler: -9 },
  { first: 0x50, count: 8, quantity: 'mass-flow', unit: 'kg/h', scaler: -3 },
  { first: 0x58, count: 4, quantity: 'flow-temperature', unit: '°C', scaler: -3 },
  { first: 0x5c, count: 4, quantity: 'return-temperature', unit: '°C', scaler: -3 },
  { first: 0x60, count: 4, quantity: 'temperature-difference', unit: 'K', scaler: -3 },
  { first: 0x64, count: 4, quantity: 'external-temperature', unit: '°C', scaler: -3 },
  { first: 0x68, count: 4, quantity: 'pressure', unit: 'bar', scaler: -3 },
  { first: 0x6c, count: 2, quantity: 'time-point', coding: 'date', scaler: 0 },
  { first: 0x6e, quantity: 'heat-cost-allocation', unit: 'HCA' },
  { first: 0x70, quantity: 'averaging-duration', units: durations },
  { first: 0x74, quantity: 'actuality-duration', units: durations },
  { first: 0x78, quantity: 'fabrication-number', coding: 'unsigned' },
  { first: 0x79, quantity: 'identification', coding: 'unsigned' },
  { first: 0x7a, quantity: 'bus-address', coding: 'unsigned' },
  // Without its extension bit this announces a table of which no code follows: nobody can say what the data are.
  { first: 0x7b, quantity: 'vif-7B', coding: 'unknown' },
  { first: 0x7d, quantity: 'vif-7D', coding: 'unknown' },
  { first: 0x7e, quantity: 'any' },
  { first: 0x7f, quantity: 'manufacturer-specific' }
]

/** Main VIFE codes, after FD (EN 13757-3:2018, table 12). */
export const extensionFdVifs: readonly VifRow[] = [
  { first: 0x00, count: 4, quantity: 'credit', unit: 'currency', scaler: -3 },
  { first: 0x04, count: 4, quantity: 'debit', unit: 'currency', scaler: -3 },
  { first: 0x08, quantity: 'access-number', coding: 'unsigned' },
  { first: 0x09, quantity: 'medium', coding: 'unsigned' },
  { first: 0x0a, quantity: 'manufacturer', coding: 'unsigned' },
  { first: 0x0b, quantity: 'parameter-set', coding: 'unsigned' },
  { first: 0x0c, quantity: 'model-version', coding: 'unsigned' },
  { first: 0x0d, quantity: 'hardware-version', coding: 'unsigned' },
  { first: 0x0e, quantity: 'firmware-version', coding: 'unsigned' },
  { first: 0x0f, quantity: 'software-version', coding: 'unsigned' },
  { first: 0x10, quantity: 'customer-location', coding: 'unsigned' },
  { first: 0x11, quantity: 'customer', coding: 'unsigned' },
  { first: 0x12, quantity: 'access-code-user', coding: 'unsigned' },
  { first: 0x13, quantity: 'access-code-operator', coding: 'unsigned' },
  { first: 0x14, quantity: 'access-code-system-operator', coding: 'unsigned' },
  { first: 0x15, quantity: 'access-code-developer', coding: 'unsigned' },
  { first: 0x16, quantity: 'password', coding: 'unsigned' },
  { first: 0x17, quantity: 'error-flags', coding: 'unsigned' },
  { first: 0x18, quantity: 'error-mask', coding: 'unsigned' },
  { first: 0x19, quantity: 'security-key', coding: 'unsigned' },
  { first: 0x1a, quantity: 'digital-output', coding: 'unsigned' },
  { first: 0x1b, quantity: 'digital-input', coding: 'unsigned' },
  { first: 0x1c, quantity: 'baud-rate', unit: 'Bd', coding: 'unsigned' },
  { first: 0x1d, quantity: 'response-delay', unit: 'bit-time', coding: 'unsigned' },
  { first: 0x1e, quantity: 'retries', coding: 'unsigned' },
  { first: 0x1f, quantity: 'remote-control', coding: 'unsigned' },
  { first: 0x20, quantity: 'first-storage-number', coding: 'unsigned' },
  { first: 0x21, quantity: 'last-storage-number', coding: 'unsigned' },
  { first: 0x22, quantity: 'storage-block-size', coding: 'unsigned' },
  { first: 0x23, quantity: 'tariff-and-subunit-descriptor', coding: 'unsigned' },
  { first: 0x24, quantity: 'storage-interval', units: [second, minute, hour, day, month, year] },
  { first: 0x2a, quantity: 'operator-specific' },
  { first: 0x2b, quantity: 'time-point-second', unit: 's', coding: 'unsigned' },
  { first: 0x2c, quantity: 'duration-since-readout', units: durations },
  { first: 0x30, quantity: 'tariff-start', coding: 'date' },
  { first: 0x31, quantity: 'tariff-duration', units: [minute, hour, day] },
  { first: 0x34, quantity: 'tariff-period', units: [second, minute, hour, day, month, year] },
  { first: 0x3a, quantity: 'dimensionless' },
  { first: 0x3b, quantity: 'wireless-container' },
  { first: 0x3c, quantity: 'transmission-period', units: durations },
  { first: 0x40, count: 16, quantity: 'voltage', unit: 'V', scaler: -9 },
  { first: 0x50, count: 16, quantity: 'current', unit: 'A', scaler: -12 },
  { first: 0x60, quantity: 'reset-counter', coding: 'unsigned' },
  { first: 0x61, quantity: 'cumulation-counter', coding: 'unsigned' },
  { first: 0x62, quantity: 'control-signal', coding: 'unsigned' },
  { first: 0x63, quantity: 'day-of-week', coding: 'unsigned' },
  { first: 0x64, quantity: 'week-number', coding: 'unsigned' },
  { first: 0x65, quantity: 'time-of-day-change', coding: 'date' },
  { first: 0x66, quantity: 'parameter-activation', coding: 'unsigned' },
  { first: 0x67, quantity: 'supplier-information', coding: 'unsigned' },
  { first: 0x68, quantity: 'duration-since-cumulation', units: [hour, day, month, year] },
  { first: 0x6c, quantity: 'battery-operating-time', units: [hour, day, month, year] },
  { first: 0x70, quantity: 'battery-change', coding: 'date' },
  { first: 0x71, quantity: 'signal-level', unit: 'dBm' },
  { first: 0x72, quantity: 'daylight-saving', coding: 'unsigned' },
  { first: 0x73, quantity: 'listening-window', coding: 'unsigned' },
  { first: 0x74, quantity: 'battery-remaining', units: [day] },
  { first: 0x75, quantity: 'stop-counter', coding: 'unsigned' },
  { first: 0x76, quantity: 'manufacturer-container' }
]

/** Second level of the main VIFE codes, after FD FD (EN 13757-3:2018, table 13). */
export const secondLevelFdVifs: readonly VifRow[] = [
  { first: 0x00, quantity: 'selected-application', coding: 'unsigned' },
  { first: 0x02, quantity: 'battery-remaining', units: [month, year] }
]

/** Rating factors of heat cost allocators count 2^-12, which is exactly 244140625 x 10^-12. */
const ratingFactor = { times: 244_140_625n, scaler: -12, coding: 'unsigned' } as const

/** Alternate extended VIF codes, after FB (EN 13757-3:2018, table 14; °F and gallons from the editions before). */
export const extensionFbVifs: readonly VifRow[] = [
  { first: 0x00, count: 2, quantity: 'energy', unit: 'Wh', scaler: 5 },
  { first: 0x02, count: 2, quantity: 'reactive-energy', unit: 'varh', scaler: 3 },
  { first: 0x04, count: 2, quantity: 'apparent-energy', unit: 'VAh', scaler: 3 },
  { first: 0x08, count: 2, quantity: 'energy', unit: 'J', scaler: 8 },
  { first: 0x0c, count: 4, quantity: 'energy', unit: 'cal', scaler: 5 },
  { first: 0x10, count: 2, quantity: 'volume', unit: 'm3', scaler: 2 },
  { first: 0x14, count: 4, quantity: 'reactive-power', unit: 'var', scaler: 0 },
  { first: 0x18, count: 2, quantity: 'mass', unit: 'kg', scaler: 5 },
  { first: 0x1a, count: 2, quantity: 'relative-humidity', unit: '%', scaler: -1 },
  { first: 0x20, quantity: 'volume', unit: 'ft3', scaler: 0 },
  { first: 0x21, quantity: 'volume', unit: 'ft3', scaler: -1 },
  { first: 0x22, count: 2, quantity: 'volume', unit: 'gal', scaler: -1 },
  { first: 0x24, quantity: 'volume-flow', unit: 'gal/min', scaler: -3 },
  { first: 0x25, quantity: 'volume-flow', unit: 'gal/min', scaler: 0 },
  { first: 0x26, quantity: 'volume-flow', unit: 'gal/h', scaler: 0 },
  { first: 0x28, count: 2, quantity: 'power', unit: 'W', scaler: 5 },
  { first: 0x2a, quantity: 'phase-angle-between-voltages', unit: '°', scaler: -1 },
  { first: 0x2b, quantity: 'phase-angle', unit: '°', scaler: -1 },
  { first: 0x2c, count: 4, quantity: 'frequency', unit: 'Hz', scaler: -3 },
  { first: 0x30, count: 2, quantity: 'power', unit: 'J/h', scaler: 8 },
  { first: 0x34, count: 4, quantity: 'apparent-power', unit: 'VA', scaler: 0 },
  { first: 0x58, count: 4, quantity: 'flow-temperature', unit: '°F', scaler: -3 },
  { first: 0x5c, count: 4, quantity: 'return-temperature', unit: '°F', scaler: -3 },
  { first: 0x60, count: 4, quantity: 'temperature-difference', unit: '°F', scaler: -3 },
  { first: 0x64, count: 4, quantity: 'external-temperature', unit: '°F', scaler: -3 },
  { first: 0x68, quantity: 'rating-factor', ...ratingFactor },
  { first: 0x69, quantity: 'thermal-output-rating-factor', coding: 'unsigned' },
  { first: 0x6a, quantity: 'thermal-coupling-rating-factor', ...ratingFactor },
  { first: 0x6b, quantity: 'thermal-coupling-rating-factor-room', ...ratingFactor },
  { first: 0x6c, quantity: 'thermal-coupling-rating-factor-heater', ...ratingFactor },
  { first: 0x6d, quantity: 'low-temperature-rating-factor', ...ratingFactor },
  { first: 0x6e, quantity: 'display-output-scaling-factor', ...ratingFactor },
  { first: 0x70, count: 4, quantity: 'temperature-limit', unit: '°F', scaler: -3 },
  { first: 0x74, count: 4, quantity: 'temperature-limit', unit: '°C', scaler: -3 },
  { first: 0x78, count: 8, quantity: 'cumulative-maximum-power', unit: 'W', scaler: -3 }
]

/** What a VIF says about the data that follow it. */
export interface VifMeaning {
  readonly quantity: string
  readonly unit: string
  readonly scaler: number
  readonly times: bigint
  readonly coding: Coding
}

/** The meaning of every code of a table; codes that no row covers are reserved by the standard. */
export function expandVifs(rows: readonly VifRow[]): readonly (VifMeaning | undefined)[] {
  const meanings = new Array<VifMeaning | undefined>(0x80).fill(undefined)
  for (const row of rows) {
    const size = row.units?.length ?? row.count ?? 1
    for (let index = 0; index < size; index++) {
      const duration = row.units?.[index]
      meanings[row.first + index] = {
        quantity: row.quantity,
        unit: duration?.unit ?? row.unit ?? '',
        scaler: duration === undefined && row.coding !== 'date' ? (row.scaler ?? 0) + index : 0,
        times: duration?.times ?? row.times ?? 1n,
        coding: row.coding ?? 'number'
      }
    }
  }
  return meanings
}

export const primaryMeanings = expandVifs(primaryVifs)
export const fdMeanings = expandVifs(extensionFdVifs)
export const fbMeanings = expandVifs(extensionFbVifs)
export const secondLevelMeanings = expandVifs(secondLevelFdVifs)

/**
 * The VIF bytes that say quantity, unit and power of ten, for an encoder.
 *
 * @returns undefined when no single VIF says so
 */
export function vifOf(quantity: string, unit: string, scaler: number): Uint8Array | undefined {
  const matches = (meaning: VifMeaning | undefined): boolean =>
    meaning !== undefined && meaning.quantity === quantity && meaning.unit === unit && meaning.scaler === scaler && meaning.times === 1n
  const primary = primaryMeanings.findIndex(matches)
  if (primary >= 0) return Uint8Array.of(primary)
  const fd = fdMeanings.findIndex(matches)
  if (fd >= 0) return Uint8Array.of(0xfd, fd)
  const fb = fbMeanings.findIndex(matches)
  return fb < 0 ? undefined : Uint8Array.of(0xfb, fb)
}
