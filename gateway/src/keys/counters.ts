import { join } from 'node:path'
import { AppError } from '@endeks/domain/errors'
import { ClassicLevel } from 'classic-level'
import type { CounterStore } from '../protocols/protocol.js'

/** Where they are in the directory of the keys. */
export function countersPath(directory: string): string {
  return join(directory, 'counters')
}

type Level = ClassicLevel<string, string>

/**
 * Counters on disk, each write synced before it counts as done. One process at a time may have the directory open.
 *
 * Kept twice, and the higher one counts: of a log with a damaged byte LevelDB gives the values before it, without a word, and a
 * counter that ran back is a cipher that is open.
 */
export class DiskCounters implements CounterStore {
  readonly #levels: readonly Level[]

  private constructor(levels: readonly Level[]) {
    this.#levels = levels
  }

  /** @throws {AppError} KEYS_BUSY when another process has the directory, such as the gateway itself; KEYS_UNREADABLE when it is damaged */
  static async open(directory: string): Promise<DiskCounters> {
    const twin = `${directory}-twin`
    const first = await openLevel(directory, twin)
    try {
      return new DiskCounters([first, await openLevel(twin, directory)])
    } catch (thrown) {
      await first.close()
      throw thrown
    }
  }

  /** @throws {AppError} KEYS_UNREADABLE */
  async read(counter: string): Promise<number | undefined> {
    const texts = await Promise.all(this.#levels.map((level) => level.get(counter)))
    const values = texts.filter((text) => text !== undefined).map(Number)
    if (!values.every((value) => Number.isSafeInteger(value) && value >= 0))
      throw new AppError('KEYS_UNREADABLE', `the counter "${counter}" holds no number`, { counter })
    return values.length === 0 ? undefined : Math.max(...values)
  }

  async write(counter: string, value: number): Promise<void> {
    await Promise.all(this.#levels.map((level) => level.put(counter, String(value), { sync: true })))
  }

  async close(): Promise<void> {
    await Promise.all(this.#levels.map((level) => level.close()))
  }
}

async function openLevel(directory: string, other: string): Promise<Level> {
  const level: Level = new ClassicLevel<string, string>(directory)
  try {
    await level.open()
    return level
  } catch (thrown) {
    if (isLocked(thrown))
      throw new AppError('KEYS_BUSY', `the counters in ${directory} can't be opened: stop the gateway that has them`, { directory }, thrown)
    const message = `the counters in ${directory} are damaged: remove that directory, and that one alone, for ${other} has them too`
    throw new AppError('KEYS_UNREADABLE', message, { directory }, thrown)
  }
}

/** classic-level says why as the cause of what it throws. */
function isLocked(thrown: unknown): boolean {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED'
}
