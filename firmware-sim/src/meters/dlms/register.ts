import type { EpochMs } from '@endeks/domain/time'
import type { dlms } from '@endeks/gateway/codec'
import type { SimulatedMeter } from '../meter.js'

/** Digits that an unsigned number of 32 bits always holds. */
const digitsOf32Bits = 9

/** The counter at an instant, in the narrowest unsigned type that its digits can never leave. */
export function counterData(meter: SimulatedMeter, at: EpochMs): dlms.DlmsData {
  const value = meter.indexAt(at)
  if (meter.digits <= digitsOf32Bits) return { type: 'double-long-unsigned', value: Number(value) }
  return { type: 'long64-unsigned', value }
}
