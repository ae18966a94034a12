import { mbus } from '@endeks/gateway/codec'

/** Of the public set of 53 recorded frames the one in the middle has so many bytes; these have eleven records as it does. */
export const medianBytes = 87

/** Answers of heat meters, each with its own values, from a fixed sequence. */
export function heatMeterFrames(count: number): Uint8Array[] {
  let state = 20_261_124
  const draw = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
  return Array.from({ length: count }, (_, index) => frame(index, draw))
}

function frame(index: number, draw: (below: number) => number): Uint8Array {
  const decimal = (size: 4 | 6, below: number) => ({ coding: 'bcd', size, raw: BigInt(draw(below)) }) as const
  const integer = (size: 2 | 4, below: number) => ({ coding: 'integer', size, raw: BigInt(draw(below)) }) as const
  const dateTime = (year: number) =>
    ({
      coding: 'date',
      date: { kind: 'date-time', year, month: 1 + draw(12), day: 1 + draw(28), hour: draw(24), minute: draw(60), second: 0, summer: false }
    }) as const
  const records: mbus.EncodableRecord[] = [
    { quantity: 'energy', unit: 'Wh', scaler: 3, value: decimal(4, 100_000_000) },
    { quantity: 'volume', unit: 'm3', scaler: -3, value: decimal(6, 1_000_000_000) },
    { quantity: 'power', unit: 'W', scaler: 0, value: integer(4, 100_000) },
    { quantity: 'volume-flow', unit: 'm3/h', scaler: -3, value: integer(4, 10_000) },
    { quantity: 'flow-temperature', unit: '°C', scaler: -2, value: integer(2, 9_000) },
    { quantity: 'return-temperature', unit: '°C', scaler: -2, value: integer(2, 6_000) },
    { quantity: 'temperature-difference', unit: 'K', scaler: -2, value: integer(2, 3_000) },
    { quantity: 'time-point', unit: '', scaler: 0, value: dateTime(2026) },
    { quantity: 'time-point', unit: '', scaler: 0, storage: 1, value: dateTime(2025) },
    { quantity: 'energy', unit: 'Wh', scaler: 3, storage: 2, value: decimal(4, 100_000_000) },
    { quantity: 'volume', unit: 'm3', scaler: -3, tariff: 1, value: decimal(6, 1_000_000) }
  ]
  const identity = { id: String(10_000_000 + index), manufacturer: 'ELS', version: 1, medium: 'heat' }
  return mbus.encodeResponse({ address: index % 250, identity, access: index & 0xff, status: 0, records })
}
