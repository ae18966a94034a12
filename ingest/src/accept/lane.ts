import { AppError } from '@endeks/domain/errors'
import type { Message } from './message.js'

export interface BatchLimits {
  readonly rows: number
  readonly bytes: number
  readonly messages: number
}

/** What says, in a batch or behind it, that there is about as much to do as can be done: so many messages, or so many bytes. */
const manyMessages = 100
const manyBytes = 1024 * 1024
/** Sources that were stopped for what waits take their time to go on: for so long it is believed that there is more. */
const believeMs = 1_000

/** @returns why each message that is not stored is not */
type Commit = (messages: readonly Message[]) => Promise<ReadonlyMap<Message, AppError>>

interface Queued {
  readonly message: Message
  readonly settle: (failure: AppError | undefined) => void
}

/**
 * One transaction at a time. Whatever arrives while one is under way makes up the next, so batches grow with the load by
 * themselves and an idle lane stores at once. A gateway's messages always take the same lane: two lanes that insert the same
 * keys in opposite order would wait for each other.
 */
export class Lane {
  readonly #commit: Commit
  readonly #limits: BatchLimits
  #waiting: Queued[] = []
  #working: Promise<void> | undefined
  #current: Promise<unknown> = Promise.resolve()
  #waitingBytes = 0
  #behindUntil = 0

  constructor(limits: BatchLimits, commit: Commit) {
    this.#limits = limits
    this.#commit = commit
  }

  /** Whether about as much comes, or came a moment ago, as can be stored. */
  get behind(): boolean {
    return performance.now() < this.#behindUntil
  }

  /** @returns when the message is settled: undefined if it is stored, or why it is not */
  async store(message: Message): Promise<AppError | undefined> {
    const settled = new Promise<AppError | undefined>((settle) => this.#waiting.push({ message, settle }))
    this.#waitingBytes += message.bytes
    this.#working ??= this.#work()
    return settled
  }

  /** When everything that was taken until now is settled. */
  async idle(): Promise<void> {
    while (this.#working !== undefined) await this.#working
  }

  /** When the batch under way is settled; what waits behind it may still be on its way. */
  async currentBatch(): Promise<void> {
    await this.#current
  }

  async #work(): Promise<void> {
    // Messages that the same read of a socket brought, and those of other sockets that are ready, go into one batch.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = this.#nextBatch()
      const committing = this.#commit(batch.map((each) => each.message))
      this.#current = committing
      const failures = await committing
      for (const { message, settle } of batch) settle(failures.get(message))
    }
    this.#working = undefined
  }

  /** A batch ends with the message that fills it: how many rows a message has is known when it is read. */
  #nextBatch(): Queued[] {
    const batch: Queued[] = []
    let rows = 0
    let bytes = 0
    let count = 0
    for (const queued of this.#waiting) {
      bytes += queued.message.bytes
      if (count > 0 && (rows >= this.#limits.rows || bytes > this.#limits.bytes || count >= this.#limits.messages)) break
      count += 1
      const read = this.#rowsOf(queued)
      if (read === undefined) continue
      rows += read
      batch.push(queued)
    }
    for (const { message } of this.#waiting.splice(0, count)) this.#waitingBytes -= message.bytes
    const full = Math.max(count, this.#waiting.length) >= manyMessages || Math.max(bytes, this.#waitingBytes) >= manyBytes
    if (full) this.#behindUntil = performance.now() + believeMs
    return batch
  }

  /** Reading never fails; a fault of the program in it must not stop the lane. */
  #rowsOf({ message, settle }: Queued): number | undefined {
    try {
      return message.prepared().readings?.columns.at.length ?? 0
    } catch (thrown) {
      settle(new AppError('INTERNAL', 'not read, by a fault of the program', {}, thrown))
      return undefined
    }
  }
}
