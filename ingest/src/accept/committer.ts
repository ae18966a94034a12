import { setTimeout as sleep } from 'node:timers/promises'
import { inTransaction, type Pool } from '@endeks/database/pool'
import { AppError, asError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import { type Clock, toIso } from '@endeks/domain/time'
import type { KillPoint } from '../kill-points.js'
import type { ExchangeIds } from '../store/exchanges.js'
import { type Partitions, withNextMonth } from '../store/partitions.js'
import { assemble, type BatchResult, storeBatch } from './batch.js'
import { classify, notStored } from './failure.js'
import { Message } from './message.js'
import { deadLetter } from './prepare.js'
import { RecentReadings } from './recent-readings.js'
import type { Resolver } from './resolver.js'

export interface CommitDependencies {
  readonly pool: Pool
  readonly clock: Clock
  readonly log: Log
  readonly resolver: Resolver
  readonly exchangeIds: ExchangeIds
  readonly partitions: Partitions
  readonly killPoint: KillPoint
}

export interface CommitLimits {
  readonly deadLettersPerDay: number
  /** how often the same batch is done again */
  readonly attempts: number
}

/** What became of each message of a batch: stored, or the failure that keeps it from being acknowledged. */
export interface Committed {
  readonly results: readonly BatchResult[]
  readonly failures: ReadonlyMap<Message, AppError>
}

/** Batches without a surprise, after which readings are hoped to be new again. */
const cleanBatches = 8
/** So many time-outs find the one message in a hundred that waits for something; more, and the database is at fault. */
const toleratedTimeOuts = 8
const firstPauseMs = 100

/** What is left to a batch and its parts together. */
interface Patience {
  timeOuts: number
}

/** Commits batches one after the other. A lane has one of its own, which remembers what it stored and whether repeats are about. */
export class Committer {
  readonly #dependencies: CommitDependencies
  readonly #limits: CommitLimits
  readonly #recent = new RecentReadings()
  #careful = 0

  constructor(dependencies: CommitDependencies, limits: CommitLimits) {
    this.#dependencies = dependencies
    this.#limits = limits
  }

  /**
   * Stores the messages in one transaction. If a row is to blame, halves are tried, down to the one message, which becomes a
   * dead letter: its neighbours are stored all the same. A batch that takes too long is halved too; a message that takes too
   * long by itself is not acknowledged, and so is all that is left after a few time-outs.
   */
  async commit(messages: readonly Message[]): Promise<Committed> {
    return this.#commit(messages, { timeOuts: toleratedTimeOuts })
  }

  async #commit(messages: readonly Message[], patience: Patience): Promise<Committed> {
    if (patience.timeOuts === 0) return this.#giveUp(messages, new AppError('TIMEOUT', 'the rest of the batch took too long'))
    let careful = this.#careful > 0
    for (let attempt = 1; ; attempt += 1) {
      try {
        const result = await this.#once(messages, careful)
        this.#careful = result.surprises > 0 ? cleanBatches : Math.max(0, this.#careful - 1)
        return { results: [result], failures: new Map() }
      } catch (thrown) {
        const failure = classify(thrown)
        if (failure === 'known' && !careful) {
          careful = true
          this.#careful = cleanBatches
          continue
        }
        if (failure === 'partition') this.#dependencies.partitions.forget()
        // With care, a reading is known only if somebody else stored it since it was looked up: another look will find it.
        if (failure === 'message') return this.#split(messages, asError(thrown), patience)
        if (failure === 'time') {
          patience.timeOuts -= 1
          return messages.length === 1 ? this.#giveUp(messages, asError(thrown)) : this.#halve(messages, patience)
        }
        if (attempt >= this.#limits.attempts) return this.#giveUp(messages, asError(thrown))
        await sleep(firstPauseMs * 2 ** (attempt - 1))
      }
    }
  }

  async #once(messages: readonly Message[], careful: boolean): Promise<BatchResult> {
    const { pool, clock, partitions, killPoint, resolver, exchangeIds } = this.#dependencies
    const client = await pool.connect()
    const how = { clock, resolver, exchangeIds, recent: this.#recent, careful }
    const rows = await assemble(client, messages, how).finally(() => client.release())
    const now = clock.now()
    await partitions.ensure([...rows.instants, ...withNextMonth(now)])
    const options = { deadLettersPerDay: this.#limits.deadLettersPerDay, killPoint, day: toIso(now).slice(0, 10) }
    const result = await inTransaction(pool, async (writer) => {
      const stored = await storeBatch(writer, rows, options)
      killPoint('accept:before-commit')
      return stored
    })
    killPoint('accept:after-commit')
    return result
  }

  async #split(messages: readonly Message[], error: Error, patience: Patience): Promise<Committed> {
    const [first] = messages
    if (first === undefined) return { results: [], failures: new Map() }
    return messages.length === 1 ? this.#bury(first, error, patience) : this.#halve(messages, patience)
  }

  async #halve(messages: readonly Message[], patience: Patience): Promise<Committed> {
    const middle = Math.ceil(messages.length / 2)
    const halves = [await this.#commit(messages.slice(0, middle), patience), await this.#commit(messages.slice(middle), patience)]
    return {
      results: halves.flatMap((half) => half.results),
      failures: new Map(halves.flatMap((half) => [...half.failures]))
    }
  }

  /** A dead letter that can't be stored either is not the message's fault any more. */
  async #bury(message: Message, error: Error, patience: Patience): Promise<Committed> {
    const prepared = message.prepared()
    if (prepared.deadLetter !== undefined && prepared.readings === undefined) return this.#giveUp([message], error)
    const { gateway, topic, bytes, payload } = prepared
    this.#dependencies.log.warn('a message could not be stored and is kept as a dead letter', { gateway, error })
    const letter = deadLetter(prepared, new AppError('MESSAGE_UNSTORABLE', `the database refuses it: ${error.message}`))
    const grave = new Message(bytes, () => ({ gateway, topic, bytes, payload, evidence: [], deadLetter: letter }))
    const buried = await this.#commit([grave], patience)
    // What is not stored is the message that was taken, not the one that stands for it.
    return { ...buried, failures: new Map([...buried.failures].map(([, failure]) => [message, failure])) }
  }

  #giveUp(messages: readonly Message[], error: Error): Committed {
    const failure = notStored(error)
    this.#dependencies.log.error('a batch could not be stored; nothing of it is acknowledged', {
      messages: messages.length,
      error: failure
    })
    return { results: [], failures: new Map(messages.map((message) => [message, failure])) }
  }
}
