import type { Log } from '@endeks/domain/process'
import type { CutReason, RefusalReason } from './reasons.js'
import { TokenBucket } from './token-bucket.js'

const perMinute = 10

interface Said {
  readonly lines: TokenBucket
  unsaid: number
}

/** The log of what strangers do. Of each reason a few lines a minute are written and the rest is only counted, so that nobody fills a disk from outside. */
export class Complaints {
  readonly #log: Log
  readonly #said = new Map<RefusalReason | CutReason, Said>()

  constructor(log: Log) {
    this.#log = log
  }

  warn(reason: RefusalReason | CutReason, message: string, details: Readonly<Record<string, unknown>>): void {
    const now = performance.now()
    const said = this.#said.get(reason) ?? { lines: new TokenBucket({ perSecond: perMinute / 60, burst: perMinute }, now), unsaid: 0 }
    this.#said.set(reason, said)
    if (!said.lines.tryPay(1, now)) {
      said.unsaid += 1
      return
    }
    this.#log.warn(message, { reason, ...details, ...(said.unsaid === 0 ? {} : { unsaid: said.unsaid }) })
    said.unsaid = 0
  }
}
