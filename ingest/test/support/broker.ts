import { createLog, type Log, systemClock } from '@endeks/domain/process'
import { hash } from '@node-rs/argon2'
import type { Test } from 'tap'
import { Broker, type BrokerDependencies } from '../../src/broker/broker.js'
import { Credentials } from '../../src/broker/credentials.js'
import { noKillPoint } from '../../src/kill-points.js'
import { noStatistics, type Statistics } from '../../src/statistics.js'
import { password } from './site.js'

export const silent: Log = createLog('test', () => undefined)
export const passwordHash = await hash(password, { memoryCost: 1024, timeCost: 1 })

export interface RunningBroker {
  readonly broker: Broker
  readonly port: number
  readonly statistics: Statistics
}

/** A broker without a database: every gateway but `nobody` has the password of the tests, every message is stored at once. */
export async function startBroker(t: Test, dependencies: Partial<BrokerDependencies> = {}): Promise<RunningBroker> {
  const statistics = noStatistics()
  const broker = new Broker({
    credentials: new Credentials(async (gateway) => (gateway === 'nobody' ? undefined : passwordHash), systemClock),
    proofs: {
      passwordHashes: async (gateways) => new Map(gateways.map((gateway) => [gateway, passwordHash])),
      fingerprints: async (fingerprints) => new Set(fingerprints)
    },
    accept: async () => undefined,
    pressure: { high: false, onChange: () => () => undefined },
    clock: systemClock,
    log: silent,
    statistics,
    killPoint: noKillPoint,
    ...dependencies
  })
  const port = await broker.listen('127.0.0.1', 0)
  t.teardown(() => broker.close())
  return { broker, port, statistics }
}
