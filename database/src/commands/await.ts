import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@endeks/domain/errors'
import type { Clock } from '@endeks/domain/time'
import type pg from 'pg'
import { type Command, readCommand } from './rows.js'

export interface AwaitOptions {
  readonly id: bigint
  readonly clock: Clock
  /** 2000 by default: longer, and the caller answers 202 and lets the client ask again */
  readonly withinMs?: number
  readonly signal?: AbortSignal
}

const firstStepMs = 10
const longestStepMs = 200

/**
 * Waits for a command's final state by looking again at growing intervals: a LISTEN would cost a connection for each that
 * waits.
 *
 * @returns the command, still `queued` when the time is over
 * @throws {AppError} INTERNAL when there is no such command; the signal's reason when it is aborted
 */
export async function awaitCommand(pool: pg.Pool, options: AwaitOptions): Promise<Command> {
  const withinMs = options.withinMs ?? 2_000
  let step = firstStepMs
  for (let waited = 0; ; waited += step, step = Math.min(step * 2, longestStepMs)) {
    options.signal?.throwIfAborted()
    const command = await readCommand(pool, options.id, options.clock)
    if (command === undefined) throw new AppError('INTERNAL', `there is no command ${options.id}`)
    if (command.state !== 'queued' || waited >= withinMs) return command
    await sleep(step, undefined, options.signal === undefined ? {} : { signal: options.signal })
  }
}

/**
 * The result of a command that is done.
 *
 * @throws {AppError} with the owner's code and text for a failed one, TIMEOUT for an expired one or one not finished yet
 */
export function resultOf(command: Command): Command['result'] {
  if (command.state === 'done') return command.result
  if (command.state === 'failed') {
    throw new AppError(command.errorCode ?? 'COMMAND_FAILED', command.errorMessage ?? `${command.kind} failed`, {
      command: command.id.toString()
    })
  }
  throw new AppError('TIMEOUT', `${command.kind} was not done ${command.state === 'expired' ? 'before its deadline' : 'yet'}`, {
    command: command.id.toString()
  })
}
