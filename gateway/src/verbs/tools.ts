import { AppError } from '@endeks/domain/errors'
import type { Clock } from '@endeks/domain/time'

/** What a verb has of the process around it. */
export interface VerbTools {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** a line of the answer */
  readonly print: (line: string) => void
  /** a line for whoever watches */
  readonly note: (line: string) => void
  /** fires when somebody has had enough */
  readonly signal: AbortSignal
}

/** 0: done or found; 1: nothing found, or it failed. Wrong use is thrown as CONFIG_INVALID. */
export type ExitCode = 0 | 1

export function wrongUse(message: string): AppError {
  return new AppError('CONFIG_INVALID', `${message}; "gateway --help" shows every verb`)
}
