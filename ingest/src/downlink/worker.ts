import { Bell, listen } from '@endeks/database/commands'
import type { Pool } from '@endeks/database/pool'
import { gatewayId } from '@endeks/domain/identifiers'
import type { Log } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import type { KillPoint } from '../kill-points.js'
import type { Statistics } from '../statistics.js'
import { claimDue, type DueDownlink, expireOverdue, gatewaysWithOpen, markSent } from '../store/downlinks.js'
import { commandMessage } from './command-message.js'
import type { Downlinks } from './downlinks.js'

export interface DownlinkLimits {
  /** how long a lost notification can go unnoticed, and how late an end by the deadline may be written */
  readonly pollMs: number
  /** before a command that its gateway did not take is sent to it again; doubling */
  readonly firstRetryMs: number
  readonly longestRetryMs: number
  /** after its deadline, for the answer to a command that was begun just before */
  readonly answerWithinMs: number
  /** gateways that are sent to at once: each may take its time to say that it has it */
  readonly gatewaysAtOnce: number
}

export const defaultDownlinkLimits: DownlinkLimits = {
  pollMs: 5_000,
  firstRetryMs: 10_000,
  longestRetryMs: 300_000,
  answerWithinMs: 120_000,
  gatewaysAtOnce: 64
}

/** Ended by one statement. */
const mostExpired = 500

export interface DownlinkWorkerDependencies {
  readonly pool: Pool
  readonly clock: Clock
  readonly log: Log
  readonly killPoint: KillPoint
  readonly statistics: Statistics
  readonly downlinks: Downlinks
  readonly limits?: Partial<DownlinkLimits>
}

/**
 * Sends what is queued to gateways that listen, and ends what is overdue. Nothing is kept here: a process that dies leaves rows
 * that the next one goes on with. A gateway that begins to listen is sent all it has not answered, since what it had may be
 * gone; each gateway is sent one command after the other, all of them side by side.
 */
export class DownlinkWorker {
  readonly #dependencies: DownlinkWorkerDependencies
  readonly #limits: DownlinkLimits
  readonly #stopping = new AbortController()
  readonly #bell = new Bell()
  /** gateways that have begun to listen and were not sent anything since */
  readonly #afresh = new Set<string>()
  readonly #busy = new Map<string, Promise<void>>()
  #working: Promise<unknown> = Promise.resolve()
  #endReachable: (() => void) | undefined

  constructor(dependencies: DownlinkWorkerDependencies) {
    this.#dependencies = dependencies
    this.#limits = { ...defaultDownlinkLimits, ...dependencies.limits }
  }

  start(): void {
    const { pool, log, downlinks } = this.#dependencies
    const { signal } = this.#stopping
    this.#endReachable = downlinks.onReachable((gateway) => {
      this.#afresh.add(gateway)
      this.#bell.ring()
    })
    const listening = listen({ pool, channel: 'endeks_downlink', heard: () => this.#bell.ring(), log, signal })
    this.#working = Promise.all([listening, this.#work()])
  }

  async stop(): Promise<void> {
    this.#endReachable?.()
    this.#stopping.abort()
    this.#bell.ring()
    await this.#working
    await Promise.all(this.#busy.values())
  }

  async #work(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#expire()
        await this.#sendDue()
      } catch (thrown) {
        this.#dependencies.log.error('commands could not be looked for and are looked for again', { error: thrown })
      }
      await this.#bell.sleep(this.#limits.pollMs)
    }
  }

  async #expire(): Promise<void> {
    const { pool, clock, statistics } = this.#dependencies
    const { answerWithinMs } = this.#limits
    for (let ended = mostExpired; ended === mostExpired && !this.#stopping.signal.aborted; ) {
      ended = await expireOverdue(pool, { now: clock.now(), answerWithinMs, limit: mostExpired })
      statistics.downlinksExpired += ended
    }
  }

  async #sendDue(): Promise<void> {
    const { pool, log, downlinks } = this.#dependencies
    const open = await gatewaysWithOpen(pool)
    const waiting = new Set(open)
    // Whoever has just come has nothing to be told unless there is something open.
    for (const gateway of [...this.#afresh]) if (!waiting.has(gateway)) this.#afresh.delete(gateway)
    for (const gateway of open) {
      if (this.#busy.size >= this.#limits.gatewaysAtOnce) return
      if (this.#busy.has(gateway) || !downlinks.isReachable(gatewayId(gateway))) continue
      const sending = this.#sendTo(gateway, this.#afresh.delete(gateway))
        .catch((thrown: unknown) => {
          log.error('a command could not be sent and is sent again', { gateway, error: thrown })
          return 'nothing' as const
        })
        .then((what) => {
          this.#busy.delete(gateway)
          // What came meanwhile, for this gateway or one that had to wait, is looked for at once.
          if (what === 'something' || this.#afresh.has(gateway)) this.#bell.ring()
        })
      this.#busy.set(gateway, sending)
    }
  }

  /** Sends what is due, until nothing is or the gateway does not take it. */
  async #sendTo(gateway: string, afresh: boolean): Promise<'something' | 'nothing'> {
    const { pool, clock } = this.#dependencies
    const { firstRetryMs, longestRetryMs } = this.#limits
    let afterId = 0n
    while (!this.#stopping.signal.aborted) {
      const due = await claimDue(pool, { gateway, now: clock.now(), afterId, afresh, firstRetryMs, longestRetryMs })
      if (due === undefined) break
      afterId = due.id
      const taken = await this.#send(gateway, due)
      // Where nobody can tell whether it arrived, the next one goes all the same.
      if (!taken && !this.#dependencies.downlinks.isReachable(gatewayId(gateway))) return 'nothing'
    }
    return afterId > 0n ? 'something' : 'nothing'
  }

  async #send(gateway: string, due: DueDownlink): Promise<boolean> {
    const { pool, clock, killPoint, statistics, downlinks, log } = this.#dependencies
    killPoint('downlink:claimed')
    const taken = await downlinks.send(gatewayId(gateway), JSON.stringify(commandMessage(due, clock.now())))
    killPoint('downlink:taken')
    log.info('command sent', { gateway, id: due.id, key: due.key, kind: due.kind, bus: due.bus, address: due.address, taken })
    statistics.downlinksSent += 1
    if (taken) await markSent(pool, due.id, clock.now())
    return taken
  }
}
