import { join } from 'node:path'
import { AppError, asError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import type { KillPoint } from '../kill-points.js'
import { type Database, type Operation, openDatabase, troubleOf, wordsOf } from './database.js'
import { drawerEnd, drawers } from './message.js'
import { markDamaged } from './opening.js'
import { Reserve } from './reserve.js'

export interface StoreOptions {
  readonly directory: string
  readonly reserveBytes: number
  readonly log: Log
  readonly killPoint: KillPoint
  /** how long after the disk was found full it is looked at again; doubling to a minute */
  readonly checkAfterMs: number
  /** called with each database that is opened in the place of one that failed: whatever is known of its content is to be read again */
  readonly onOpened: (database: Database) => Promise<void>
  /** called once, when nothing more can be kept */
  readonly onFailure: (error: AppError) => void
}

/** A disk that was found full is looked at again after at most so long. */
const longestCheckMs = 60_000

/**
 * A LevelDB that outlives a full disk. After a write that failed LevelDB takes further ones and loses them without a word, for its log is
 * broken where the first one failed: it has to be opened again before anything is written. While the disk is full there is no appending;
 * the reserve is given up, so that what was delivered can be forgotten.
 */
export class Store {
  readonly #options: StoreOptions
  readonly #reserve: Reserve
  /** undefined: the disk is so full that it could not be opened again */
  #database: Database | undefined
  #failure: AppError | undefined
  #full: { readonly since: number; waitMs: number } | undefined
  #check: NodeJS.Timeout | undefined
  #closed = false
  readonly #waiting: { readonly resolve: () => void; readonly reject: (reason: Error) => void }[] = []
  /** one piece of work behind the other: numbers are counted in memory, and a database that is read must not be closed */
  #tail: Promise<unknown> = Promise.resolve()

  private constructor(options: StoreOptions, database: Database) {
    this.#options = options
    this.#database = database
    this.#reserve = reserveOf(options)
  }

  static async begin(options: StoreOptions, database: Database): Promise<Store> {
    const store = new Store(options, database)
    if (!(await store.#reserve.fill())) await store.#becomeFull('there is no room for the reserve')
    return store
  }

  /** Whether appending must wait until there is room on the disk. */
  get full(): boolean {
    return this.#full !== undefined
  }

  /** Resolves once the disk has room. @throws {AppError} SPOOL_DISK_FULL when the store is closed before */
  room(): Promise<void> {
    if (this.#closed) return Promise.reject(stoppedWhileFull())
    if (this.#full === undefined) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  serially<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#tail.then(work)
    // The caller sees the failure; the queue goes on.
    this.#tail = done.catch(() => {})
    return done
  }

  /**
   * Within `serially`: all of it or nothing.
   *
   * @returns false when the disk is full: none of it counts, though some may be there after all
   * @throws {AppError} when nothing more can be kept
   */
  async write(operations: Operation[], sync: boolean): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#database === undefined) return false
    try {
      await this.#database.batch(operations, { sync })
      return true
    } catch (thrown) {
      if (troubleOf(thrown) !== 'full') throw this.#fail(thrown)
      await this.#database.close()
      this.#database = undefined
      this.#options.killPoint('full.closed')
      await this.#becomeFull(wordsOf(thrown))
      await this.#reopen()
      return false
    }
  }

  /** Within `serially`. @throws {AppError} SPOOL_DISK_FULL while it cannot be opened; SPOOL_DAMAGED when the disk gives something else than was written */
  async read<Value>(work: (database: Database) => Promise<Value>): Promise<Value> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#database === undefined) throw new AppError('SPOOL_DISK_FULL', `no room to open the spool ${this.#options.directory} again`)
    try {
      return await work(this.#database)
    } catch (thrown) {
      throw this.#fail(thrown)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#check)
    for (const { reject } of this.#waiting.splice(0)) reject(stoppedWhileFull())
    await this.serially(async () => this.#database?.close())
  }

  async #becomeFull(reason: string): Promise<void> {
    const { directory, log, checkAfterMs } = this.#options
    if (this.#full === undefined) {
      const message = `the disk of the spool is full: no meter is read until there is room; remove what does not belong there, or give the spool a smaller maxBytes`
      log.error('disk full', { code: 'SPOOL_DISK_FULL', directory, reason, message })
      this.#full = { since: performance.now(), waitMs: checkAfterMs }
      this.#lookLater(checkAfterMs)
    }
    await this.#reserve.release()
  }

  async #reopen(): Promise<void> {
    try {
      const database = await openDatabase(this.#options.directory)
      await this.#options.onOpened(database)
      this.#database = database
    } catch (thrown) {
      if (troubleOf(thrown) !== 'full') throw this.#fail(thrown)
    }
  }

  #lookLater(waitMs: number): void {
    clearTimeout(this.#check)
    if (this.#closed) return
    this.#check = setTimeout(() => {
      this.serially(() => this.#look()).catch((thrown: unknown) => this.#fail(thrown))
    }, waitMs)
  }

  /** Whether there is room again: what was delivered is cleared away first, and the reserve must fit. */
  async #look(): Promise<void> {
    const full = this.#full
    if (full === undefined || this.#closed || this.#failure !== undefined) return
    if (this.#database === undefined) await this.#reopen()
    if (this.#database !== undefined) {
      await clearAway(this.#database)
      if (await this.#reserve.fill()) {
        this.#full = undefined
        this.#options.log.info('disk has room again', { fullForMs: Math.round(performance.now() - full.since) })
        for (const { resolve } of this.#waiting.splice(0)) resolve()
        return
      }
    }
    full.waitMs = Math.min(longestCheckMs, full.waitMs * 2)
    this.#options.log.error('disk still full', { code: 'SPOOL_DISK_FULL', fullForMs: Math.round(performance.now() - full.since) })
    this.#lookLater(full.waitMs)
  }

  #fail(thrown: unknown): AppError {
    if (this.#failure !== undefined) return this.#failure
    const { directory, onFailure } = this.#options
    if (troubleOf(thrown) === 'damaged') {
      markDamaged(directory, wordsOf(thrown))
      const message = `the spool ${directory} is damaged: ${wordsOf(thrown)}. Start the gateway again: it sets the damaged one aside and takes over what can be read of it`
      this.#failure = new AppError('SPOOL_DAMAGED', message, { directory }, thrown)
    } else {
      this.#failure = new AppError('SPOOL_FAILED', `the spool ${directory} failed: ${asError(thrown).message}`, { directory }, thrown)
    }
    onFailure(this.#failure)
    return this.#failure
  }
}

export function reserveOf({ directory, reserveBytes }: Pick<StoreOptions, 'directory' | 'reserveBytes'>): Reserve {
  return new Reserve(join(directory, 'reserve'), reserveBytes)
}

/** What was delivered takes its place on the disk until LevelDB writes the files anew in which it stands. */
async function clearAway(database: Database): Promise<void> {
  for (const drawer of drawers) {
    const start = `message!${drawer}!`
    const [oldest] = await database.keys({ gt: start, lt: drawerEnd(drawer), limit: 1 }).all()
    await database.compactRange(start, oldest ?? drawerEnd(drawer))
  }
}

function stoppedWhileFull(): AppError {
  return new AppError('SPOOL_DISK_FULL', 'the gateway was stopped before there was room on the disk')
}
