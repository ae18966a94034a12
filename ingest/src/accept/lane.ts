import type { AppError } from '@endeks/domain/errors'
import type { Prepared } from './prepare.js'

export interface BatchLimits {
  readonly rows: number
  readonly bytes: number
  readonly messages: number
}

interface Waiting {
  readonly message: Prepared
  readonly settle: (failure: AppError | undefined) => void
}

/**
 * One transaction at a time. Whatever arrives while one is under way makes up the next, so batches grow with the load by
 * themselves and an idle lane stores at once. A gateway's messages always take the same lane: two lanes that insert the same
 * keys in opposite order would wait for each other.
 */
export class Lane {
  readonly #commit: (messages: readonly Prepared[]) => Promise<ReadonlyMap<Prepared, AppError>>
  readonly #limits: BatchLimits
  #waiting: Waiting[] = []
  #working: Promise<void> | undefined
  #current: Promise<unknown> = Promise.resolve()

  constructor(limits: BatchLimits, commit: (messages: readonly Prepared[]) => Promise<ReadonlyMap<Prepared, AppError>>) {
    this.#limits = limits
    this.#commit = commit
  }

  /** @returns when the message is committed: undefined, or why it is not stored */
  async store(message: Prepared): Promise<AppError | undefined> {
    const settled = new Promise<AppError | undefined>((settle) => this.#waiting.push({ message, settle }))
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

  #nextBatch(): Waiting[] {
    let rows = 0
    let bytes = 0
    let count = 0
    for (const { message } of this.#waiting) {
      rows += message.readings?.readings.length ?? 0
      bytes += message.bytes
      if (count > 0 && (rows > this.#limits.rows || bytes > this.#limits.bytes || count >= this.#limits.messages)) break
      count += 1
    }
    return this.#waiting.splice(0, count)
  }
}
