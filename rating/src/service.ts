import { serveCommands } from '@endeks/database/commands'
import { connect, createPool } from '@endeks/database/pool'
import { killPointAt, type Log, type RunningProcess } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import { createRatingPool } from './pool/pool.js'
import { advance, giveUp } from './run/advance.js'
import { runCommands } from './run/commands.js'
import { startRunner } from './run/runner.js'
import { countRuns } from './store/progress.js'

export interface RatingOptions {
  readonly databaseUrl: string
  readonly clock: Clock
  readonly log: Log
  /** worker threads; each holds one database connection */
  readonly workers: number
  /** subscriptions a shard */
  readonly shardSize: number
  readonly killAt?: string
}

export interface RunningRating extends RunningProcess {
  /** @throws when the database does not answer */
  reachDatabase(): Promise<void>
  /** runs, and shards of those that calculate, by state. @throws when the database does not answer */
  countRuns(): ReturnType<typeof countRuns>
}

const role = 'endeks_rating'

/** Serves rating's commands and drives open bill runs until it is stopped; a run that was under way when it died goes on. */
export async function startRating({ databaseUrl, clock, log, workers, shardSize, killAt }: RatingOptions): Promise<RunningRating> {
  const pool = createPool({ url: databaseUrl, role, max: 4, applicationName: 'endeks rating', log })
  // A database that can't be reached is said at once, not at the first command.
  const first = await connect(pool)
  first.release()
  const rating = createRatingPool(workers, { databaseUrl, role, killAt })
  const dependencies = { pool, log, calculate: rating.calculate, shardSize, killPoint: killPointAt(killAt) }
  const runner = startRunner({
    pool,
    log,
    advance: async (run) => await advance(dependencies, run),
    giveUp: async (run, cause) => await giveUp(dependencies, run, cause)
  })
  const commands = serveCommands({ pool, owner: 'rating', handlers: runCommands(clock, runner.wake), clock, log })
  return {
    reachDatabase: async () => {
      await pool.query('select 1')
    },
    countRuns: () => countRuns(pool),
    stop: async () => {
      await commands.stop()
      await runner.stop()
      await rating.close()
      await pool.end()
    }
  }
}
