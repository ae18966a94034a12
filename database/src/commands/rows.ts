import { AppError, catalogue, type ErrorCode } from '@endeks/domain/errors'
import { type Clock, type EpochMs, epochMs, toIso } from '@endeks/domain/time'
import type pg from 'pg'
import type { Json } from '../schema/columns.js'

export const commandOwners = ['ingest', 'rating'] as const
export type CommandOwner = (typeof commandOwners)[number]
export type CommandState = 'queued' | 'done' | 'failed' | 'expired'

/** What became of a command. Only `queued` is not final. */
export interface Command {
  readonly id: bigint
  readonly owner: CommandOwner
  readonly kind: string
  readonly state: CommandState
  readonly requestedBy: string
  readonly requestedAt: EpochMs
  readonly deadline: EpochMs
  readonly result: Json
  /** the catalogue's code of a failed one */
  readonly errorCode: ErrorCode | null
  readonly errorMessage: string | null
  readonly finishedAt: EpochMs | null
}

export interface NewCommand {
  readonly owner: CommandOwner
  readonly kind: string
  readonly payload: Json
  readonly requestedBy: string
  /** after this long nobody starts it any more and it ends as `expired` */
  readonly deadlineMs: number
}

/** The channel of the notification that a trigger sends for each new row; its payload is the owner. */
export const commandChannel = 'endeks_command'

const payloadLimit = 1_000_000
const deadlineLimitMs = 7 * 86_400_000

/**
 * Writes a command and wakes its owner, which sees both when the surrounding transaction commits.
 *
 * @throws {AppError} VALIDATION for a deadline beyond a week, PAYLOAD_TOO_LARGE beyond a million characters
 */
export async function enqueue(database: pg.Pool | pg.ClientBase, command: NewCommand, clock: Clock): Promise<bigint> {
  if (!(command.deadlineMs > 0 && command.deadlineMs <= deadlineLimitMs)) {
    throw new AppError('VALIDATION', `a command's deadline lies up to a week ahead, not ${command.deadlineMs} ms`)
  }
  const payload = JSON.stringify(command.payload)
  if (payload.length > payloadLimit) throw new AppError('PAYLOAD_TOO_LARGE', `the command's payload has ${payload.length} characters`)
  const now = clock.now()
  // The table's trigger notifies the owner.
  const query = `insert into account.command (owner, kind, payload, requested_by, requested_at, deadline, state)
    values ($1, $2, $3, $4, $5, $6, 'queued') returning id`
  const values = [
    command.owner,
    command.kind,
    payload,
    command.requestedBy,
    toIso(now),
    toIso(epochMs(Math.round(now + command.deadlineMs)))
  ]
  const { rows } = await database.query<{ id: bigint }>(query, values)
  const row = rows[0]
  if (row === undefined) throw new AppError('INTERNAL', 'the command was not written')
  return row.id
}

interface CommandRow {
  readonly id: bigint
  readonly owner: CommandOwner
  readonly kind: string
  readonly state: CommandState
  readonly requested_by: string
  readonly requested_at: EpochMs
  readonly deadline: EpochMs
  readonly result: Json
  readonly error_code: string | null
  readonly error_message: string | null
  readonly finished_at: EpochMs | null
}

/**
 * A command as it stands; one whose deadline is over and that nobody has in hand ends here as `expired`, so that its state is
 * never unknown even where its owner doesn't run.
 *
 * @returns undefined when there is none of this id
 */
export async function readCommand(database: pg.Pool | pg.ClientBase, id: bigint, clock: Clock): Promise<Command | undefined> {
  const select = `select id, owner, kind, state, requested_by, requested_at, deadline, result, error_code, error_message, finished_at
    from account.command where id = $1`
  const first = (await database.query<CommandRow>(select, [id])).rows[0]
  if (first === undefined || first.state !== 'queued' || first.deadline > clock.now()) return first && fromRow(first)
  await database.query(
    `update account.command set state = 'expired', finished_at = $2
     where id = (select id from account.command where id = $1 and state = 'queued' for update skip locked)`,
    [id, toIso(clock.now())]
  )
  const second = (await database.query<CommandRow>(select, [id])).rows[0]
  return second && fromRow(second)
}

function fromRow(row: CommandRow): Command {
  return {
    id: row.id,
    owner: row.owner,
    kind: row.kind,
    state: row.state,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    deadline: row.deadline,
    result: row.result,
    errorCode: row.error_code === null ? null : knownCode(row.error_code),
    errorMessage: row.error_message,
    finishedAt: row.finished_at
  }
}

/** A newer owner may answer with a code that this program doesn't know yet. */
function knownCode(code: string): ErrorCode {
  return Object.keys(catalogue).includes(code) ? (code as ErrorCode) : 'COMMAND_FAILED'
}
