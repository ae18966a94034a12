import type { QuantityUnit } from './quantity.js'

/** Units that a meter may count in, as sent on the wire, with what one of them is in thousandths of the base unit. */
export const meterUnits = {
  m3: { base: 'L', milli: 1_000_000n },
  L: { base: 'L', milli: 1_000n },
  Wh: { base: 'Wh', milli: 1_000n },
  kWh: { base: 'Wh', milli: 1_000_000n },
  J: { base: 'J', milli: 1_000n },
  MJ: { base: 'J', milli: 1_000_000_000n }
} as const satisfies Record<string, { readonly base: QuantityUnit; readonly milli: bigint }>

export type MeterUnit = keyof typeof meterUnits

export function isMeterUnit(text: string): text is MeterUnit {
  return Object.hasOwn(meterUnits, text)
}

/**
 * A counter's value (or difference) in thousandths of the base unit: raw x 10^scaler of its unit.
 *
 * @returns the exact amount, or undefined when it is finer than a thousandth of the base unit and would have to be rounded
 */
export function rawToMilli(raw: bigint, scaler: number, unit: MeterUnit): bigint | undefined {
  const milli = raw * meterUnits[unit].milli
  if (scaler >= 0) return milli * 10n ** BigInt(scaler)
  const divisor = 10n ** BigInt(-scaler)
  return milli % divisor === 0n ? milli / divisor : undefined
}
