import { setTimeout as sleep } from 'node:timers/promises'
import { createPool, hasSqlState, type Pool, type PoolClient } from '@endeks/database/pool'
import { AppError, asError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import type { KillPoint } from '../kill-points.js'
import type { Statistics } from '../statistics.js'
import {
  beforeAll,
  insertRefusals,
  lockTarget,
  type MirrorRow,
  readCursor,
  readHorizon,
  readRowsAfter,
  writeCursor
} from '../store/mirror.js'
import { deliver } from './deliver.js'
import { defaultReceiverLimits, Receiver, type ReceiverLimits, type ReceiverOptions, WriteFailure } from './receiver.js'

export interface MirrorLimits extends ReceiverLimits {
  /** readings written at once */
  readonly rows: number
  /** how often new readings are looked for when there were none */
  readonly pollMs: number
  /** so far behind the horizon: a transaction may begin a moment before others can see that it has */
  readonly settleMs: number
  readonly firstPauseMs: number
  readonly longestPauseMs: number
}

export const defaultMirrorLimits: MirrorLimits = {
  ...defaultReceiverLimits,
  rows: 2_000,
  pollMs: 1_000,
  settleMs: 2_000,
  firstPauseMs: 1_000,
  longestPauseMs: 60_000
}

export interface MirrorDependencies {
  readonly databaseUrl: string
  readonly receiver: ReceiverOptions
  readonly clock: Clock
  readonly log: Log
  readonly killPoint: KillPoint
  readonly statistics: Statistics
  readonly limits?: Partial<MirrorLimits>
}

/** The mirror's queries are small; one that is not has taken too much time at once, and takes less. */
const statementTimeoutMs = 5_000
const oneSecondUs = 1_000_000n
const firstSpanUs = 60n * oneSecondUs
const longestSpanUs = 30n * 86_400n * oneSecondUs
/** No reading was received before the product was: 2020. */
const beginningUs = 1_577_836_800n * oneSecondUs
/** What is mirrored again when the database's clock went back, whose rows bear receipts that were passed already. */
const clockWentBackUs = 300n * oneSecondUs

/**
 * Copies readings to a receiver, in the order of their receipt and behind the horizon, each at least once. It has its own connection
 * and its own pace; nobody waits for it. The cursor moves when the receiver has taken what is before it. Of several processes
 * one mirrors, and another takes over when that one ends.
 */
export class Mirror {
  readonly #dependencies: MirrorDependencies
  readonly #limits: MirrorLimits
  readonly #pool: Pool
  readonly #receiver: Receiver
  readonly #stopping = new AbortController()
  readonly #working: Promise<void>
  #position = beforeAll(beginningUs)
  #spanUs = firstSpanUs
  #rows: number
  #failures = 0
  #stopped: Promise<void> | undefined

  constructor(dependencies: MirrorDependencies) {
    this.#dependencies = dependencies
    this.#limits = { ...defaultMirrorLimits, ...dependencies.limits }
    this.#rows = this.#limits.rows
    this.#receiver = new Receiver(dependencies.receiver, this.#limits)
    this.#pool = createPool({
      ...{ url: dependencies.databaseUrl, role: 'endeks_ingest', max: 1, applicationName: 'endeks-ingest mirror', log: dependencies.log },
      statementTimeoutMs
    })
    this.#working = this.#run()
  }

  /** How long ago the last reading was received that the receiver is known to have, and all before it. */
  lagMs(): number {
    return Math.max(0, this.#dependencies.clock.now() - Number(this.#position.receivedUs / 1_000n))
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#stopping.abort()
    // A write under way fails at once, and is done again by the next process.
    this.#receiver.close()
    await this.#working
    this.#receiver.close()
    await this.#pool.end()
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#lead()
      } catch (thrown) {
        await this.#fail(thrown)
      }
    }
  }

  /** Mirrors for as long as the connection and the receiver hold out. */
  async #lead(): Promise<void> {
    const { target } = this.#receiver
    const client = await this.#pool.connect()
    try {
      if (!(await lockTarget(client, target))) {
        await this.#pause(this.#limits.longestPauseMs)
        return
      }
      this.#position = (await readCursor(client, target)) ?? beforeAll(beginningUs)
      while (!this.#stopping.signal.aborted) {
        if (!(await this.#step(client))) await this.#pause(this.#limits.pollMs)
      }
    } finally {
      // The connection holds the lock: it ends, and the lock with it.
      client.release(true)
    }
  }

  /** @returns whether there may be more to do at once */
  async #step(client: PoolClient): Promise<boolean> {
    const limitUs = (await readHorizon(client)) - BigInt(this.#limits.settleMs) * 1_000n
    if (limitUs + BigInt(this.#limits.settleMs) * 1_000n + oneSecondUs < this.#position.receivedUs) await this.#goBack(client, limitUs)
    if (limitUs <= this.#position.receivedUs) return false
    const end = this.#position.receivedUs + this.#spanUs
    const untilUs = end < limitUs ? end : limitUs
    // How many are read at once may change while they are brought.
    const limit = this.#rows
    const rows = await readRowsAfter(client, { after: this.#position, untilUs, limit })
    const last = rows.at(-1)
    if (last !== undefined) await this.#bring(client, rows)
    const full = last !== undefined && rows.length === limit
    if (full) this.#narrow(last.position.receivedUs - this.#position.receivedUs)
    else if (rows.length < limit / 2 && this.#spanUs < longestSpanUs) this.#spanUs *= 2n
    this.#position = full ? last.position : beforeAll(untilUs)
    return full || untilUs < limitUs
  }

  /** The next span is as long as what a batch just covered, twice; else each batch would sort all that is left. */
  #narrow(coveredUs: bigint): void {
    const next = coveredUs * 2n
    this.#spanUs = next < oneSecondUs ? oneSecondUs : next < this.#spanUs ? next : this.#spanUs
  }

  async #bring(client: PoolClient, rows: readonly MirrorRow[]): Promise<void> {
    const { killPoint, statistics, clock, log } = this.#dependencies
    const { target } = this.#receiver
    killPoint('mirror:before-write')
    const { refusals, tooMany } = await deliver(this.#receiver, rows, { nowMs: () => clock.now(), signal: this.#stopping.signal })
    killPoint('mirror:written')
    const last = rows.at(-1)
    if (last === undefined) return
    await insertRefusals(client, target, refusals)
    killPoint('mirror:before-cursor')
    await writeCursor(client, target, last.position)
    this.#failures = 0
    statistics.mirrorReadings += rows.length - refusals.length
    statistics.mirrorRefused += refusals.length
    const [first] = refusals
    if (first !== undefined) {
      const { registerId, atMs } = first.row
      log.warn('the mirror’s receiver refuses readings, which are left out', {
        ...{ code: first.code, message: first.message, count: refusals.length, register: registerId, at: atMs }
      })
    }
    if (tooMany !== undefined) this.#rows = Math.max(1, Math.min(this.#rows, Math.floor(tooMany / 2)))
  }

  /** The clock of the database runs behind what is mirrored: what is received from now on would be passed over. */
  async #goBack(client: PoolClient, limitUs: bigint): Promise<void> {
    this.#dependencies.log.warn('the clock of the database went back; the mirror goes back with it')
    this.#position = beforeAll(limitUs - clockWentBackUs)
    await writeCursor(client, this.#receiver.target, this.#position)
  }

  async #fail(thrown: unknown): Promise<void> {
    if (this.#stopping.signal.aborted) return
    const { log, statistics } = this.#dependencies
    // query_canceled: so much time holds more than can be read at once
    if (hasSqlState(thrown, '57014')) this.#spanUs = this.#spanUs / 16n > oneSecondUs ? this.#spanUs / 16n : oneSecondUs
    statistics.mirrorFailures += 1
    this.#failures += 1
    const error = new AppError('MIRROR_UNAVAILABLE', `nothing is mirrored for now: ${asError(thrown).message}`, {}, thrown)
    log.warn('the mirror waits and tries again', { failures: this.#failures, code: error.code, message: error.message })
    const doubled = this.#limits.firstPauseMs * 2 ** Math.min(this.#failures - 1, 20)
    const asked = thrown instanceof WriteFailure ? thrown.retryAfterMs : 0
    await this.#pause(Math.min(Math.max(doubled, asked), this.#limits.longestPauseMs))
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
  }
}
