import type { Pool } from '@endeks/database/pool'
import { asError, isAppError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import { type Run, unfinishedRun } from '../store/runs.js'

export interface Runner {
  /** Looks for work at once rather than at the next turn. */
  wake(): void
  stop(): Promise<void>
}

export interface RunnerDependencies {
  readonly pool: Pool
  readonly log: Log
  readonly advance: (run: Run) => Promise<void>
  readonly giveUp: (run: Run, cause: { readonly code: string; readonly message: string }) => Promise<void>
}

/** How long an open run can go unnoticed when nobody wakes the runner. */
const lookEveryMs = 1_000
const longestBackOffMs = 30_000
/** Failures in a row of one run after which its cause is not passing. */
const mostFailures = 6

/** Drives the open run, step by step; a step that fails is tried again with growing pauses, as its cause may be passing. */
export function startRunner({ pool, log, advance, giveUp }: RunnerDependencies): Runner {
  let stopped = false
  let failures = 0
  let alarm: (() => void) | undefined
  const pause = async (ms: number): Promise<void> => {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      alarm = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    alarm = undefined
  }
  const failed = async (run: Run | undefined, thrown: unknown): Promise<void> => {
    failures += 1
    const error = asError(thrown)
    const cause = { code: isAppError(error) ? error.code : 'INTERNAL', message: error.message }
    log.error('a step of a bill run failed and will be tried again', { ...cause, failures, run: run?.id })
    // A database that is away is no fault of the run, and can't be told that it is given up either.
    if (run === undefined || failures < mostFailures || isAppError(error, 'DATABASE_UNREACHABLE')) return
    await giveUp(run, cause)
    failures = 0
  }
  const turn = async (): Promise<number> => {
    let run: Run | undefined
    try {
      run = await unfinishedRun(pool)
      if (run === undefined) return lookEveryMs
      await advance(run)
      failures = 0
      return 0
    } catch (thrown) {
      await failed(run, thrown).catch((again: unknown) => log.error('giving a run up failed', { message: asError(again).message }))
      return Math.min(longestBackOffMs, lookEveryMs * 2 ** Math.min(failures, 5))
    }
  }
  const loop = async (): Promise<void> => {
    while (!stopped) {
      const ms = await turn()
      if (ms > 0 && !stopped) await pause(ms)
    }
  }
  const running = loop()
  return {
    wake: () => alarm?.(),
    stop: async () => {
      stopped = true
      alarm?.()
      await running
    }
  }
}
