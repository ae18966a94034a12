import { createHash, randomBytes } from 'node:crypto'
import { obis } from '@endeks/domain/metering'
import type { EpochMs } from '@endeks/domain/time'
import type { Readout } from '@endeks/gateway/delivery'

const profile = 'a'.repeat(64)
const startedAt = 1_772_000_000_000
/** What a water meter on M-Bus answers: identity, volume, flow, two dates and a month end. */
const answerBytes = 92

/** What one conversation with a meter brings: its answer as evidence, and the one register that is billed. */
export function readoutOf(meter: number, round: number): Readout {
  const at = (startedAt + round * 3_600_000 + (meter % 3_600) * 1_000) as EpochMs
  const request = Buffer.from('107b058016', 'hex')
  const response = randomBytes(answerBytes)
  return {
    exchange: {
      bus: `mbus-${meter % 100}`,
      address: String(Math.floor(meter / 100) + 1),
      protocol: 'mbus',
      identity: { id: String(60_000_000 + meter), manufacturer: 'END', version: 1, medium: 'cold-water' },
      profile,
      keyVersion: 0,
      zone: 'Europe/Istanbul',
      at,
      request: request.toString('base64'),
      response: response.toString('base64'),
      sha256: createHash('sha256').update(request).update(response).digest('hex')
    },
    readings: [{ obis: obis('8-0:1.0.0*255'), at, raw: BigInt(1_000_000 + round), scaler: -3, unit: 'm3', status: 0 }]
  }
}

export const announced = { hash: profile, content: '{"name":"generic-mbus-water"}' }
