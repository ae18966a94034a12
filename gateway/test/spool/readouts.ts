import { obis } from '@endeks/domain/metering'
import type { EpochMs } from '@endeks/domain/time'
import type { Readout } from '../../src/spool/pack.js'

/** A readout of `count` readings whose evidence has `bytes` bytes. */
export function readout(name: string, count: number, bytes = 60): Readout {
  return {
    exchange: {
      bus: 'mbus-1',
      address: name,
      protocol: 'mbus',
      identity: { id: name },
      profile: 'a'.repeat(64),
      keyVersion: 0,
      zone: 'Europe/Istanbul',
      at: 1_772_000_000_000,
      request: Buffer.alloc(bytes / 2, 1).toString('base64'),
      response: Buffer.alloc(bytes / 2, 2).toString('base64'),
      sha256: 'b'.repeat(64)
    },
    readings: Array.from({ length: count }, (_, index) => ({
      obis: obis('8-0:1.0.0*255'),
      at: (1_772_000_000_000 + index) as EpochMs,
      raw: BigInt(index),
      scaler: -3,
      unit: 'm3' as const,
      status: 0
    }))
  }
}
