import type { Pool } from '@endeks/database/pool'
import { asError, isAppError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import { type Run, unfinishedRun } from '../store/runs.js'

export interface Runner {
  /** Looks for work at once rather than at the next turn. */
  wake(): void
  stop(): Promise<void>
}

/** How long an open run can go unnoticed when nobody wakes the runner. */
const lookEveryMs = 1_000
const longestBackOffMs = 30_000

/** Drives the open run, step by step; a step that fails is tried again with growing pauses, as its cause may be passing. */
export function startRunner({ pool, log, advance }: { pool: Pool; log: Log; advance: (run: Run) => Promise<void> }): Runner {
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
  const turn = async (): Promise<number> => {
    try {
      const run = await unfinishedRun(pool)
      if (run === undefined) return lookEveryMs
      await advance(run)
      failures = 0
      return 0
    } catch (thrown) {
      failures += 1
      const error = asError(thrown)
      log.error('a step of a bill run failed and will be tried again', {
        code: isAppError(error) ? error.code : 'INTERNAL',
        message: error.message,
        failures
      })
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
