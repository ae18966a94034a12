import { createLog, runProcess, systemClock } from '@endeks/domain/process'
import { Broker, Credentials, noKillPoint, noStatistics } from '@endeks/ingest/broker'
import { passwordHash } from '../support/gateway-connection.js'

/** The product's broker with nothing behind it: every message counts as stored when it arrives, unread. */
const log = createLog('stub')
await runProcess(log, async () => {
  const broker = new Broker({
    credentials: new Credentials(async () => passwordHash, systemClock),
    accept: async () => undefined,
    log,
    statistics: noStatistics(),
    killPoint: noKillPoint
  })
  const port = await broker.listen('127.0.0.1', 0)
  return { stop: () => broker.close(), ready: { port } }
})
