import { hexText } from './failure.js'

/** Device types (EN 13757-7:2018; EN 13757-3 in the editions before), the medium of a meter. */
const media: Readonly<Record<number, string>> = {
  0: 'other',
  1: 'oil',
  2: 'electricity',
  3: 'gas',
  4: 'heat',
  5: 'steam',
  6: 'warm-water',
  7: 'water',
  8: 'heat-cost-allocator',
  9: 'compressed-air',
  10: 'cooling',
  11: 'cooling-inlet',
  12: 'heat-inlet',
  13: 'heat-cooling',
  14: 'bus-system',
  15: 'unknown',
  20: 'calorific-value',
  21: 'hot-water',
  22: 'cold-water',
  23: 'hot-cold-water',
  24: 'pressure',
  25: 'analog-digital-converter',
  26: 'smoke-detector',
  27: 'room-sensor',
  28: 'gas-detector',
  32: 'breaker',
  33: 'valve',
  37: 'customer-unit',
  40: 'waste-water',
  41: 'garbage',
  42: 'carbon-dioxide',
  49: 'communication-controller',
  50: 'unidirectional-repeater',
  51: 'bidirectional-repeater',
  54: 'radio-converter',
  55: 'radio-converter-meter-side'
}

/** The four-bit medium of the fixed data structure has three codes of its own (EN 1434-3). */
const fixedMedia: Readonly<Record<number, string>> = { 10: 'gas', 11: 'heat', 12: 'warm-water', 13: 'water', 14: 'heat-cost-allocator' }

export function mediumName(code: number): string {
  return media[code] ?? `reserved-${code}`
}

export function fixedMediumName(code: number): string {
  return fixedMedia[code] ?? mediumName(code)
}

const mediumCodes: ReadonlyMap<string, number> = new Map(Object.entries(media).map(([code, name]) => [name, Number(code)]))
/** Every device type that has a name. */
export const namedMedia: readonly number[] = [...mediumCodes.values()]

/** The device type code of a medium's name, or that of "unknown". */
export function mediumCode(name: string): number {
  const reserved = /^reserved-(\d{1,3})$/.exec(name)?.[1]
  return reserved === undefined ? (mediumCodes.get(name) ?? 15) : Number(reserved)
}

/** Three letters of five bits each, A = 1 (EN 13757-7:2018; EN 62056-21 registers them). */
export function manufacturerName(code: number): string {
  const letter = (shift: number): string => String.fromCharCode(64 + ((code >> shift) & 0x1f))
  return letter(10) + letter(5) + letter(0)
}

/** @throws {RangeError} unless the name is three letters A to Z */
export function manufacturerCode(name: string): number {
  if (!/^[A-Z]{3}$/.test(name)) throw new RangeError(`"${name}" is not a manufacturer of three letters`)
  const [first = 0, second = 0, third = 0] = Array.from(name, (letter) => letter.charCodeAt(0) - 64)
  return (first << 10) | (second << 5) | third
}

/** Eight digits as printed on the dial; a nibble above 9 stays a letter. */
export function identificationText(bytes: Uint8Array): string {
  return hexText(bytes.toReversed())
}

/** Bits 2 to 4 of the status byte; the two lowest are one number, the three highest the maker's (EN 13757-7:2018). */
export const statusFlags = { lowBattery: 4, permanentError: 8, temporaryError: 16 } as const
const applicationStates = ['', 'busy', 'application-error', 'abnormal'] as const

export function statusNames(status: number): string[] {
  const names: string[] = []
  const application = applicationStates[status & 3] ?? ''
  if (application !== '') names.push(application)
  if ((status & statusFlags.lowBattery) !== 0) names.push('low-battery')
  if ((status & statusFlags.permanentError) !== 0) names.push('permanent-error')
  if ((status & statusFlags.temporaryError) !== 0) names.push('temporary-error')
  for (const bit of [5, 6, 7]) if ((status & (1 << bit)) !== 0) names.push(`manufacturer-${bit}`)
  return names
}
