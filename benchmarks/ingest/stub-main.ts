import { createLog, runProcess, systemClock } from '@endeks/domain/process'
import { Broker, Credentials, noKillPoint, noStatistics } from '@endeks/ingest/broker'
import { passwordHash } from '../support/gateway-connection.js'

/** The product's broker with nothing behind it: every message counts as stored when it arrives, unread. */
const log = createLog('stub')
await runProcess(log, async () => {
  const broker = new Broker({
    credentials: new Credentials(async () => passwordHash, systemClock),
    proofs: {
      passwordHashes: async (gateways) => new Map(gateways.map((gateway) => [gateway, passwordHash])),
      fingerprints: async (fingerprints) => new Set(fingerprints)
    },
    accept: async () => undefined,
    pressure: { high: false, onChange: () => () => undefined },
    clock: systemClock,
    log,
    // What the broker can do is asked, not what one gateway may.
    limits: { messagesPerSecond: 1_000_000, bytesPerSecond: 1_000_000_000 },
    statistics: noStatistics(),
    killPoint: noKillPoint
  })
  const port = await broker.listen('127.0.0.1', 0)
  return { stop: () => broker.close(), ready: { port } }
})
