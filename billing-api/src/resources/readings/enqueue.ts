import { enqueue } from '@endeks/database/commands'
import type { Pool, PoolClient } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { type Clock, type EpochMs, fromIso, toIso } from '@endeks/domain/time'
import { refuseDigits, refuseUnit } from './counter.js'
import { counterForm, counterOf } from './store.js'
import { type TypedIndex, typedIndex } from './typed.js'

/** A clock of another machine may be a little ahead; what is further is a slip of the hand. */
const futureMs = 300_000

export interface ToType {
  readonly register: bigint
  readonly at: EpochMs
  readonly index: TypedIndex
  /** where the request has the index */
  readonly path: string
  readonly requestedBy: string
  readonly deadlineMs: number
}

/**
 * Asks ingest to book an index that a person read.
 *
 * @returns the command's number
 * @throws {AppError} VALIDATION for a value that no counter shows, or this one doesn't
 */
export async function enqueueTyped(database: Pool | PoolClient, typed: ToType, clock: Clock): Promise<bigint> {
  const { register, at, requestedBy, deadlineMs } = typed
  const counter = await counterOf(database, register)
  refuseUnit(typed.index.unit, counter, typed.path)
  const index = typedIndex(typed.index, await counterForm(database, register, at), typed.path)
  refuseDigits(index, counter, typed.path)
  const { raw, scaler, unit } = index
  const payload = { registerId: register.toString(), at: toIso(at), raw: raw.toString(), scaler, unit, source: 'manual', requestedBy }
  return enqueue(database, { owner: 'ingest', kind: 'typed-reading', payload, requestedBy, deadlineMs }, clock)
}

/** @throws {AppError} VALIDATION for an instant that nobody can have read a counter at yet */
export function refuseFuture(clock: Clock, instant: string, path: string): void {
  if (fromIso(instant) <= clock.now() + futureMs) return
  throw new AppError('VALIDATION', `${instant} lies in the future`, { problems: [{ path, message: 'lies in the future' }] })
}
