import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, asError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import { type Clock, type EpochMs, toIso } from '@endeks/domain/time'
import type pg from 'pg'
import { hasSqlState, inTransaction } from '../pool/transaction.js'
import type { Json } from '../schema/columns.js'
import { type CommandOwner, commandChannel } from './rows.js'
import { Bell, listen } from './wake.js'

export interface CommandContext {
  /** in the transaction that also ends the command: what is written here and the result commit together or not at all */
  readonly client: pg.PoolClient
  readonly requestedBy: string
  readonly commandId: bigint
}

/** Does one command. An AppError undoes what it wrote and becomes the command's failure. It must not end the transaction. */
export type CommandHandler = (payload: Json, context: CommandContext) => Promise<Json>

/**
 * For work that takes longer than a transaction may. `start` writes the job's row and returns what the requester is told (its
 * id), and the command is done with that; `run` follows after the commit, beside the queue. A process that dies in between
 * leaves the job's row: it is the owner's to find it when it starts.
 */
export interface LongRunningHandler {
  readonly longRunning: true
  readonly start: CommandHandler
  /** ends early when the signal is aborted; what it throws is logged, as the command is over */
  readonly run?: (result: Json, context: { readonly commandId: bigint; readonly signal: AbortSignal }) => Promise<void>
}

export interface ServeOptions {
  /** at least two connections; notifications take one more beside it */
  readonly pool: pg.Pool
  readonly owner: CommandOwner
  readonly handlers: Readonly<Record<string, CommandHandler | LongRunningHandler>>
  readonly clock: Clock
  readonly log?: Log
  readonly signal?: AbortSignal
  /** how long a lost notification can go unnoticed; 2000 by default */
  readonly pollMs?: number
  /** long-running ones at a time, beyond which another one fails with RUN_IN_PROGRESS; 4 by default */
  readonly longRunningLimit?: number
}

export interface CommandServer {
  /** finishes the command under way, tells long-running ones to stop, waits for them */
  stop(): Promise<void>
}

interface ClaimedRow {
  readonly id: bigint
  readonly kind: string
  readonly payload: Json
  readonly requested_by: string
  readonly deadline: EpochMs
}

type Outcome =
  | { readonly state: 'done'; readonly result: Json; readonly followUp: (() => Promise<void>) | undefined }
  | { readonly state: 'failed'; readonly code: string; readonly message: string }
  | { readonly state: 'expired' }

const longestBackOffMs = 5_000
/** serialization failure, deadlock, and a lock that was not to be had: the same command may well succeed next time */
const transient = ['40001', '40P01', '55P03'] as const

/**
 * Does the commands of one owner, oldest first, one at a time; several servers share the work, each command is done by one.
 * Starts at once and goes on until it is stopped; a database that is away is waited for.
 */
export function serveCommands(options: ServeOptions): CommandServer {
  const stopping = new AbortController()
  const bell = new Bell()
  const jobs = new Set<Promise<void>>()
  const stop = (): void => {
    stopping.abort()
    bell.ring()
  }
  options.signal?.addEventListener('abort', stop, { once: true })
  if (options.signal?.aborted === true) stop()
  const { pool, owner, log } = options
  const heard = (payload: string | undefined): void => {
    if (payload === undefined || payload === owner) bell.ring()
  }
  const listening = listen({ pool, channel: commandChannel, heard, log, signal: stopping.signal })
  const working = work(options, { bell, jobs, signal: stopping.signal })
  return {
    stop: async () => {
      stop()
      options.signal?.removeEventListener('abort', stop)
      await Promise.all([listening, working])
      await Promise.all(jobs)
    }
  }
}

interface Workplace {
  readonly bell: Bell
  readonly jobs: Set<Promise<void>>
  readonly signal: AbortSignal
}

async function work(options: ServeOptions, place: Workplace): Promise<void> {
  const pollMs = options.pollMs ?? 2_000
  let backOff = 100
  while (!place.signal.aborted) {
    try {
      const found = await doNext(options, place)
      backOff = 100
      if (!found) await place.bell.sleep(pollMs)
    } catch (thrown) {
      // Nothing of the command is kept and it is still queued: it is tried again until its deadline.
      options.log?.error('a command was interrupted and is tried again', { owner: options.owner, error: thrown, backOffMs: backOff })
      await sleep(backOff, undefined, { signal: place.signal }).catch(() => undefined)
      backOff = Math.min(backOff * 2, longestBackOffMs)
    }
  }
}

/** Claims and ends one command; false when none is queued. */
async function doNext(options: ServeOptions, place: Workplace): Promise<boolean> {
  const outcome = await inTransaction(options.pool, async (client) => {
    const row = await claim(client, options.owner)
    if (row === undefined) return undefined
    const outcome = row.deadline <= options.clock.now() ? ({ state: 'expired' } as const) : await attempt(client, row, options, place)
    await finish(client, row.id, outcome, options.clock)
    return outcome
  })
  if (outcome?.state === 'done' && outcome.followUp !== undefined) startJob(outcome.followUp, options, place)
  return outcome !== undefined
}

async function claim(client: pg.PoolClient, owner: CommandOwner): Promise<ClaimedRow | undefined> {
  const { rows } = await client.query<ClaimedRow>(
    `select id, kind, payload, requested_by, deadline from account.command
     where owner = $1 and state = 'queued' order by id limit 1 for update skip locked`,
    [owner]
  )
  return rows[0]
}

async function attempt(client: pg.PoolClient, row: ClaimedRow, options: ServeOptions, place: Workplace): Promise<Outcome> {
  await client.query('savepoint command')
  try {
    const outcome = await handle(client, row, options, place)
    // Constraints that wait for the commit would otherwise fail it, and the command be tried for ever.
    await client.query('set constraints all immediate')
    return outcome
  } catch (thrown) {
    if (hasSqlState(thrown, ...transient)) throw thrown
    const error = asError(thrown)
    // A connection that is gone fails here and leaves the command to be tried again.
    await client.query('rollback to savepoint command')
    if (error instanceof AppError) return { state: 'failed', code: error.code, message: error.message }
    options.log?.error('bug in a command', { owner: options.owner, kind: row.kind, id: row.id, error, stack: error.stack })
    return { state: 'failed', code: 'INTERNAL', message: `${row.kind} failed by a fault of the program; its log has command ${row.id}` }
  }
}

async function handle(client: pg.PoolClient, row: ClaimedRow, options: ServeOptions, place: Workplace): Promise<Outcome> {
  const handler = Object.hasOwn(options.handlers, row.kind) ? options.handlers[row.kind] : undefined
  if (handler === undefined) throw new AppError('COMMAND_UNKNOWN', `${options.owner} knows no command ${row.kind}`, { kind: row.kind })
  const context: CommandContext = { client, requestedBy: row.requested_by, commandId: row.id }
  if (typeof handler === 'function') return { state: 'done', result: await handler(row.payload, context), followUp: undefined }
  if (place.jobs.size >= (options.longRunningLimit ?? 4)) {
    throw new AppError('RUN_IN_PROGRESS', `${place.jobs.size} long tasks are under way; try again when one is over`)
  }
  const result = await handler.start(row.payload, context)
  const followUp = handler.run?.bind(handler, result, { commandId: row.id, signal: place.signal })
  return { state: 'done', result, followUp }
}

async function finish(client: pg.PoolClient, id: bigint, outcome: Outcome, clock: Clock): Promise<void> {
  await client.query(
    `update account.command set state = $2, result = $3, error_code = $4, error_message = $5, finished_at = $6 where id = $1`,
    [
      id,
      outcome.state,
      outcome.state === 'done' ? JSON.stringify(outcome.result) : null,
      outcome.state === 'failed' ? outcome.code : null,
      outcome.state === 'failed' ? outcome.message.slice(0, 2_000) : null,
      toIso(clock.now())
    ]
  )
}

function startJob(run: () => Promise<void>, options: ServeOptions, place: Workplace): void {
  const job: Promise<void> = run()
    .catch((thrown: unknown) => {
      const error = asError(thrown)
      options.log?.error('a long task failed', { owner: options.owner, error, stack: error.stack })
    })
    .finally(() => place.jobs.delete(job))
  place.jobs.add(job)
}
