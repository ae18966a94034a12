import { setTimeout as sleep } from 'node:timers/promises'
import { awaitCommand, enqueue, resultOf } from '@endeks/database/commands'
import type { Pool } from '@endeks/database/pool'
import { type Clock, fromIso } from '@endeks/domain/time'

/** A day on which every month that the tests bill is over. */
export const clock: Clock = { now: () => fromIso('2026-11-24T08:00:00Z') }

/** Asks by the clock of whoever serves it: this one when that runs in the test, the machine's when it is a process. */
export async function command(
  pool: Pool,
  kind: string,
  payload: Record<string, string | number>,
  servedBy: Clock = clock
): Promise<Record<string, string>> {
  const id = await enqueue(pool, { owner: 'rating', kind, payload, requestedBy: 'clerk', deadlineMs: 600_000 }, servedBy)
  return resultOf(await awaitCommand(pool, { id, clock: servedBy, withinMs: 120_000 })) as Record<string, string>
}

/** Waits until the run has come to rest. */
export async function settledRun(
  admin: Pool,
  runId: string
): Promise<{ state: string; bills: number; digest: string; failure: string | null }> {
  for (let tries = 0; tries < 3_000; tries += 1) {
    const { rows } = await admin.query<{ state: string; bills: number; digest: string; failure: string | null }>(
      `SELECT state, bills, encode(digest, 'hex') AS digest, failure_message AS failure FROM rating.run WHERE id = $1`,
      [runId]
    )
    const run = rows[0]
    if (run !== undefined && !['freezing', 'calculating', 'checking', 'issuing'].includes(run.state)) return run
    await sleep(50)
  }
  throw new Error(`run ${runId} does not come to rest`)
}

/** Starts a run, waits for its checks and issues it. */
export async function billPeriod(admin: Pool, period: string): Promise<string> {
  const { runId = '' } = await command(admin, 'start-bill-run', { period })
  const run = await settledRun(admin, runId)
  if (run.state !== 'checked') throw new Error(`run of ${period} is ${run.state}: ${run.failure}`)
  await command(admin, 'issue-bill-run', { runId, bills: run.bills })
  await settledRun(admin, runId)
  return runId
}
