import { join } from 'node:path'
import { AppError } from '@endeks/domain/errors'
import { ClassicLevel } from 'classic-level'
import type { CounterStore } from '../protocols/protocol.js'

/** Where they are in the directory of the keys. */
export function countersPath(directory: string): string {
  return join(directory, 'counters')
}

/** Counters on disk, each write synced before it counts as done. One process at a time may have the directory open. */
export class DiskCounters implements CounterStore {
  readonly #level: ClassicLevel<string, string>

  private constructor(level: ClassicLevel<string, string>) {
    this.#level = level
  }

  /** @throws {AppError} KEYS_BUSY when another process has the directory, such as the gateway itself */
  static async open(directory: string): Promise<DiskCounters> {
    const level = new ClassicLevel<string, string>(directory)
    try {
      await level.open()
    } catch (thrown) {
      throw new AppError('KEYS_BUSY', `the counters in ${directory} can't be opened: stop the gateway that has them`, { directory }, thrown)
    }
    return new DiskCounters(level)
  }

  async read(counter: string): Promise<number | undefined> {
    const text = await this.#level.get(counter)
    return text === undefined ? undefined : Number(text)
  }

  write(counter: string, value: number): Promise<void> {
    return this.#level.put(counter, String(value), { sync: true })
  }

  close(): Promise<void> {
    return this.#level.close()
  }
}
