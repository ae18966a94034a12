import { hasSqlState } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'

/**
 * What a failed batch means.
 *
 * - `known`: a row that was hoped to be new is there; do it the careful way
 * - `partition`: a month was dropped since it was last seen; make it again
 * - `contention`: a deadlock or a serialization failure; do the same again
 * - `time`: it took longer than a statement may; less may be done in time
 * - `message`: a row can't be stored for reasons of its own; find the message
 * - `database`: anything else is not the messages' fault, and they are not acknowledged
 */
export type BatchFailure = 'known' | 'partition' | 'contention' | 'time' | 'message' | 'database'

export function classify(thrown: unknown): BatchFailure {
  if (hasSqlState(thrown, '23505')) return 'known'
  // 23514 is a check violation, and what a row without a partition is answered with
  if (hasSqlState(thrown, '23514') && thrown instanceof Error && /no partition of relation/.test(thrown.message)) return 'partition'
  if (hasSqlState(thrown, '40001', '40P01')) return 'contention'
  if (hasSqlState(thrown, '57014')) return 'time'
  const state = thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : ''
  // classes of SQLSTATE: 22 data exception, 23 integrity constraint violation, 54 program limit exceeded
  return /^(22|23|54)[0-9A-Z]{3}$/.test(state) ? 'message' : 'database'
}

/** What the sender of an unstored message, and whoever reads the log, is told. */
export function notStored(error: Error): AppError {
  // 53100, disk full: all that helps is room, and then nothing else has to be done
  if (hasSqlState(error, '53100'))
    return new AppError('DATABASE_FULL', `not stored, give the database's disk room: ${error.message}`, {}, error)
  return new AppError('DATABASE_UNREACHABLE', `not stored: ${error.message}`, {}, error)
}
