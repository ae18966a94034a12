import type { Pool } from '@endeks/database/pool'
import { type EpochMs, epochMs, toIso } from '@endeks/domain/time'

/** Thrown by work that finds itself without a place to write to: it is rolled back, the months are made, and it is done again. */
export class MonthsMissing extends Error {
  readonly instants: readonly EpochMs[]

  constructor(instants: readonly EpochMs[]) {
    super(`no partitions for ${instants.map(monthOf).join(', ')}`)
    this.name = 'MonthsMissing'
    this.instants = instants
  }
}

/** The month of UTC that an instant's row lies in, as YYYY-MM. */
export function monthOf(at: EpochMs): string {
  return toIso(at).slice(0, 7)
}

/**
 * Which months are known to have partitions. Partitions are made in a transaction of their own, before the one that writes:
 * making one locks its table against everybody, and a writer that waited for itself would wait for ever.
 */
export class Partitions {
  readonly #pool: Pool
  readonly #known = new Set<string>()

  constructor(pool: Pool) {
    this.#pool = pool
  }

  /** The first instant of each month that is not known to exist. */
  missing(instants: Iterable<EpochMs>): EpochMs[] {
    const months = new Map<string, EpochMs>()
    for (const at of instants) {
      const month = monthOf(at)
      if (!this.#known.has(month)) months.set(month, at)
    }
    return [...months.values()]
  }

  /** Makes the months of these instants. Months are made one by one: a single far-off reading must not fill the years between. */
  async ensure(instants: Iterable<EpochMs>): Promise<void> {
    for (const at of this.missing(instants)) {
      const day = toIso(at).slice(0, 10)
      await this.#pool.query('select metering.ensure_partitions($1::date, $1::date)', [day])
      this.#known.add(monthOf(at))
    }
  }

  /** What was known may be wrong: retention drops partitions. */
  forget(): void {
    this.#known.clear()
  }
}

/** The month of an instant and the next, so that a day's and a month's end need no partition in the middle of the night. */
export function withNextMonth(at: EpochMs): EpochMs[] {
  return [at, epochMs(at + 31 * 86_400_000)]
}
