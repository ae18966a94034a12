import { AppError, asError } from '@endeks/domain/errors'
import type { Statistics } from '../statistics.js'
import type { BatchResult } from './batch.js'
import { type CommitDependencies, Committer } from './committer.js'
import { ForeignReading } from './foreign-reading.js'
import { Lane } from './lane.js'
import { Message } from './message.js'
import { type Incoming, prepare } from './prepare.js'
import { heldBytes, type Pressure, PressureGauge } from './pressure.js'

export interface AcceptLimits {
  /** transactions under way at a time: while two wait for the database, a third is made */
  readonly lanes: number
  readonly batchRows: number
  readonly batchBytes: number
  readonly batchMessages: number
  readonly payloadBytes: number
  /** memory of what is taken and not yet stored, beyond which sources stop reading until half of it is stored */
  readonly pendingBytes: number
  /** the same, beyond which a message is refused: the last guard against a source that reads on */
  readonly refuseBytes: number
  readonly deadLettersPerDay: number
  readonly attempts: number
}

export const defaultAcceptLimits: AcceptLimits = {
  lanes: 3,
  batchRows: 10_000,
  batchBytes: 8 * 1024 * 1024,
  batchMessages: 2_000,
  payloadBytes: 512 * 1024,
  pendingBytes: 16 * 1024 * 1024,
  refuseBytes: 96 * 1024 * 1024,
  deadLettersPerDay: 1_000,
  attempts: 4
}

export interface AcceptDependencies extends CommitDependencies {
  readonly statistics: Statistics
  /** told how long each batch took, from its first statement to its commit */
  readonly committed?: (seconds: number) => void
  /** called after each commit that stored readings */
  readonly stored: () => void
  readonly limits?: Partial<AcceptLimits>
}

/** The one way into the tables: every message takes it, whatever brought it. */
export class Acceptor {
  readonly #dependencies: AcceptDependencies
  readonly #limits: AcceptLimits
  readonly #lanes: readonly Lane[]
  readonly #gauge: PressureGauge
  readonly #foreign: ForeignReading

  constructor(dependencies: AcceptDependencies) {
    this.#dependencies = dependencies
    this.#limits = { ...defaultAcceptLimits, ...dependencies.limits }
    this.#foreign = new ForeignReading(dependencies)
    const { pendingBytes } = this.#limits
    this.#gauge = new PressureGauge({ highBytes: pendingBytes, lowBytes: pendingBytes / 2 })
    this.#gauge.onChange((high) => {
      if (high) dependencies.statistics.pressureRises += 1
    })
    const { batchRows: rows, batchBytes: bytes, batchMessages: messages } = this.#limits
    this.#lanes = Array.from({ length: this.#limits.lanes }, () => {
      const committer = new Committer(dependencies, this.#limits)
      return new Lane({ rows, bytes, messages }, (batch) => this.#commit(committer, batch))
    })
  }

  /** What sources stop and go on reading by. */
  get pressure(): Pressure {
    return this.#gauge
  }

  /**
   * Stores a message: readings, what is set aside, or a dead letter.
   *
   * @returns when it is committed
   * @throws {AppError} DATABASE_UNREACHABLE or TIMEOUT when it is not stored; sending it again is right, and harmless
   */
  async accept(incoming: Incoming): Promise<void> {
    this.#dependencies.statistics.messages += 1
    const before = this.#gauge.heldBytes
    if (before + incoming.payload.length > this.#limits.refuseBytes) {
      throw new AppError('TIMEOUT', `messages that hold ${before} bytes wait to be stored; send again later`)
    }
    const lane = this.#lanes[laneOf(incoming.gateway, this.#lanes.length)]
    if (lane === undefined) throw new AppError('INTERNAL', 'there is no lane')
    const bytes = incoming.payload.length
    const held = heldBytes(bytes)
    this.#gauge.take(held)
    try {
      const foreign = this.#foreign.concerns(incoming) ? await this.#foreign.contextOf(incoming) : undefined
      const message = new Message(bytes, () => prepare(incoming, this.#limits, foreign), { once: foreign !== undefined })
      const failure = await lane.store(message)
      if (failure !== undefined) throw failure
      if (foreign !== undefined) this.#foreign.stored(message.prepared())
    } finally {
      this.#gauge.release(held)
    }
  }

  /** Whether more waits than what is being stored: what can wait leaves processor and database to it. */
  get behind(): boolean {
    return this.#lanes.some((lane) => lane.behind)
  }

  /** memory of what is taken and not yet stored */
  get heldBytes(): number {
    return this.#gauge.heldBytes
  }

  /** When everything taken until now is stored or refused. */
  async idle(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.idle()))
  }

  /** When the batches under way are settled: whatever is stored later was resolved later. */
  async currentBatches(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.currentBatch()))
  }

  async #commit(committer: Committer, batch: readonly Message[]): Promise<ReadonlyMap<Message, AppError>> {
    const { statistics, log } = this.#dependencies
    try {
      const begun = performance.now()
      const { results, failures } = await committer.commit(batch)
      this.#dependencies.committed?.((performance.now() - begun) / 1_000)
      statistics.batches += 1
      if (failures.size > 0) statistics.batchesFailed += 1
      for (const result of results) this.#count(result)
      if (results.some((result) => result.stored > 0)) this.#dependencies.stored()
      return failures
    } catch (thrown) {
      const error = asError(thrown)
      statistics.batchesFailed += 1
      log.error('bug in acceptance', { error, stack: error.stack })
      const failure = new AppError('INTERNAL', 'not stored, by a fault of the program', {}, error)
      return new Map(batch.map((message) => [message, failure]))
    }
  }

  #count(result: BatchResult): void {
    const { statistics } = this.#dependencies
    statistics.readingsStored += result.stored
    statistics.readingsKnown += result.known
    statistics.readingsConflicting += result.conflicts
    statistics.readingsUnassigned += result.unassigned
    statistics.profiles += result.profiles
    statistics.lossesDeclared += result.losses
    statistics.downlinksAnswered += result.answers
    statistics.deadLetters += result.deadLetters
    statistics.deadLettersOverQuota += result.deadLettersOverQuota
    for (const code of result.refusals) statistics.refusals[code] = (statistics.refusals[code] ?? 0) + 1
  }
}

/** FNV-1a, which spreads names like gw-01, gw-02 well. */
function laneOf(gateway: string, lanes: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < gateway.length; index += 1) {
    hash = Math.imul(hash ^ gateway.charCodeAt(index), 0x01000193)
  }
  return (hash >>> 0) % lanes
}
