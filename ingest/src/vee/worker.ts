import { setTimeout as sleep } from 'node:timers/promises'
import { inTransaction, type Pool } from '@endeks/database/pool'
import { asError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import type { KillPoint } from '../kill-points.js'
import { requeueOldest } from '../store/dirty.js'
import { MonthsMissing, type Partitions } from '../store/partitions.js'
import { DayCalendar } from './days.js'
import { type Revalidated, revalidate } from './revalidate.js'
import { type RuleSet, standardRules } from './rules/index.js'

export interface VeeLimits {
  readonly claims: number
  readonly readings: number
  /** how long a wake-up of another process can go unnoticed */
  readonly pollMs: number
  /** how long validation gives way to readings that wait, before it does one more claim all the same: so many times as long as the last claim took */
  readonly giveWayTimes: number
  /** but so long at least, and so long at most */
  readonly leastGiveWayMs: number
  readonly mostGiveWayMs: number
}

export const defaultVeeLimits: VeeLimits = {
  claims: 100,
  readings: 40_000,
  pollMs: 2_000,
  giveWayTimes: 19,
  leastGiveWayMs: 500,
  mostGiveWayMs: 10_000
}
/** how often it is looked whether readings still wait */
const lookEveryMs = 20

export interface VeeDependencies {
  readonly pool: Pool
  readonly partitions: Partitions
  readonly log: Log
  readonly killPoint: KillPoint
  readonly rules?: RuleSet
  /** whether readings wait to be stored: validation can wait, they can't */
  readonly busy?: () => boolean
  readonly limits?: Partial<VeeLimits>
}

export interface VeeStatistics {
  readonly claimed: number
  readonly segmentsInserted: number
  readonly segmentsSuperseded: number
  readonly failures: number
}

const longestBackOffMs = 5_000

/** Validates dirty spans, transaction by transaction, until it is stopped; sleeps while there are none. */
export class VeeWorker {
  readonly #dependencies: VeeDependencies
  readonly #limits: VeeLimits
  readonly #stopping = new AbortController()
  readonly #statistics = { claimed: 0, segmentsInserted: 0, segmentsSuperseded: 0, failures: 0 }
  #calendar = new DayCalendar('UTC')
  #claims: number
  #woken = false
  #wake: (() => void) | undefined
  #working: Promise<void> | undefined

  constructor(dependencies: VeeDependencies) {
    this.#dependencies = dependencies
    this.#limits = { ...defaultVeeLimits, ...dependencies.limits }
    this.#claims = this.#limits.claims
  }

  start(): void {
    this.#working ??= this.#work()
  }

  /** There may be something to do. */
  wake(): void {
    this.#woken = true
    this.#wake?.()
  }

  statistics(): VeeStatistics {
    return { ...this.#statistics }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.wake()
    await this.#working
  }

  /** Validates until nothing is dirty. */
  async drain(): Promise<void> {
    while ((await this.#once()) > 0);
  }

  async #work(): Promise<void> {
    let backOff = 100
    let waiting = false
    let tookMs = 0
    while (!this.#stopping.signal.aborted) {
      await this.#giveWay(tookMs)
      const begun = performance.now()
      try {
        const claimed = await this.#once()
        tookMs = performance.now() - begun
        backOff = 100
        this.#claims = this.#limits.claims
        if (claimed < 0 && !waiting) this.#dependencies.log.info('validation waits for the utility to be entered')
        waiting = claimed < 0
        if (claimed <= 0) await this.#sleep()
      } catch (thrown) {
        await this.#afterFailure(thrown, backOff)
        backOff = Math.min(backOff * 2, longestBackOffMs)
      }
    }
  }

  /** While readings wait, validation has a twentieth of one processor's time, however long its claims take. */
  async #giveWay(tookMs: number): Promise<void> {
    const { busy } = this.#dependencies
    const { giveWayTimes, leastGiveWayMs, mostGiveWayMs } = this.#limits
    const until = performance.now() + Math.min(mostGiveWayMs, Math.max(leastGiveWayMs, giveWayTimes * tookMs))
    while (busy?.() === true && performance.now() < until && !this.#stopping.signal.aborted) await sleep(lookEveryMs)
  }

  /** @returns how many spans were done, -1 when nothing can be done yet */
  async #once(): Promise<number> {
    const { pool, partitions, killPoint, rules } = this.#dependencies
    const calendarOf = (zone: string): DayCalendar => {
      if (this.#calendar.zone !== zone) this.#calendar = new DayCalendar(zone)
      return this.#calendar
    }
    const how = {
      ...{ partitions, killPoint, calendarOf },
      rules: rules ?? standardRules,
      claims: this.#claims,
      readings: this.#limits.readings
    }
    let done: Revalidated | undefined
    try {
      done = await inTransaction(pool, (client) => revalidate(client, how), { retries: 3 })
    } catch (thrown) {
      if (!(thrown instanceof MonthsMissing)) throw thrown
      await partitions.ensure(thrown.instants)
      done = await inTransaction(pool, (client) => revalidate(client, how), { retries: 3 })
    }
    if (done === undefined) return -1
    this.#statistics.claimed += done.claimed
    this.#statistics.segmentsInserted += done.inserted
    this.#statistics.segmentsSuperseded += done.superseded
    return done.claimed
  }

  /** A failure narrows the claim down to a single span; that one goes to the end of the queue, where it stops nobody. */
  async #afterFailure(thrown: unknown, backOffMs: number): Promise<void> {
    const { pool, partitions, log } = this.#dependencies
    const error = asError(thrown)
    this.#statistics.failures += 1
    log.error('validation failed and is tried again', { error, stack: error.stack, claims: this.#claims, backOffMs })
    partitions.forget()
    await sleep(backOffMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
    if (this.#claims > 1) this.#claims = Math.max(1, Math.floor(this.#claims / 10))
    else await inTransaction(pool, requeueOldest).catch((failed: unknown) => log.warn('a span could not be put back', { error: failed }))
  }

  async #sleep(): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#limits.pollMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#wake = undefined
    this.#woken = false
  }
}
