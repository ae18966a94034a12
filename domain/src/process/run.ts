import { asError } from '../errors/boundary.js'
import { AppError, isAppError } from '../errors/catalogue.js'
import type { Log } from './log.js'

/** Something that runs until it is stopped. `stop` finishes what is under way. */
export interface RunningProcess {
  stop(): Promise<void>
  /** what a supervisor wants to know once it runs, such as the port it got */
  readonly ready?: Readonly<Record<string, unknown>>
}

/** How long a stop may take before the process leaves anyway. */
const stopWithinMs = 10_000

/**
 * The frame of every service: starts it, stops it on SIGINT or SIGTERM or when the supervisor's channel closes, and ends with
 * exit code 2 for a configuration that can't be used and 1 for anything else.
 */
export async function runProcess(log: Log, start: () => Promise<RunningProcess>): Promise<void> {
  let running: RunningProcess
  try {
    running = await start()
  } catch (thrown) {
    const error = asError(thrown)
    log.error('start failed', { code: isAppError(error) ? error.code : 'INTERNAL', message: error.message })
    process.exit(isAppError(error, 'CONFIG_INVALID') ? 2 : 1)
  }
  let stopping = false
  const stop = (reason: string): void => {
    if (stopping) return
    stopping = true
    log.info('stopping', { reason })
    const overdue = setTimeout(() => {
      log.error('stop took too long', { code: new AppError('TIMEOUT', reason).code })
      process.exit(1)
    }, stopWithinMs)
    overdue.unref()
    running.stop().then(
      () => process.exit(0),
      (thrown: unknown) => {
        log.error('stop failed', { message: asError(thrown).message })
        process.exit(1)
      }
    )
  }
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('disconnect', () => stop('the supervisor is gone'))
  process.on('uncaughtException', (thrown) => {
    log.error('bug', { message: thrown.message, stack: thrown.stack })
    process.exit(1)
  })
  process.send?.({ ready: true, ...running.ready })
}
