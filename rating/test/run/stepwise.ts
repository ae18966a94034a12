import { inTransaction, type Pool } from '@endeks/database/pool'
import type { TestDatabase } from '@endeks/database/testing'
import { createLog } from '@endeks/domain/process'
import { advance } from '../../src/run/advance.js'
import { rateShard } from '../../src/run/rate-shard.js'
import { insertRun, type Run, type RunState, unfinishedRun } from '../../src/store/runs.js'

const killPoint = (): void => {}
/** A run of January, taken to the point before its checks; `step` takes it on. */
export async function calculated(
  database: TestDatabase
): Promise<{ pool: Pool; run: Run; step: (state: RunState) => Promise<Run | undefined> }> {
  const pool = database.createPool('endeks_rating')
  const calculate = async (runId: bigint): Promise<void> => {
    while (await rateShard({ pool, killPoint }, runId)) {}
  }
  const dependencies = { pool, log: createLog('rating', () => {}), calculate, shardSize: 2, killPoint }
  await inTransaction(
    pool,
    async (client) =>
      await insertRun(client, {
        period: '2026-01',
        from: '2025-12-31T21:00:00Z',
        to: '2026-01-31T21:00:00Z',
        issueDate: '2026-02-02',
        dueDate: '2026-02-12',
        series: 'END',
        requestedBy: 'clerk'
      })
  )
  const step = async (state: RunState): Promise<Run | undefined> => {
    for (let run = await unfinishedRun(pool); run !== undefined; run = await unfinishedRun(pool)) {
      if (run.state === state) return run
      await advance(dependencies, run)
    }
    return undefined
  }
  const run = await step('checking')
  if (run === undefined) throw new Error('the run does not come to its checks')
  return { pool, run, step }
}
