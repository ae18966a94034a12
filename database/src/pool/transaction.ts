import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@endeks/domain/errors'
import type pg from 'pg'
import { connect } from './pool.js'

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  readonly readOnly?: boolean
  /** how often the whole work is done again after a serialization failure or a deadlock; 0 by default, as work may have effects outside */
  readonly retries?: number
}

const serializationFailure = '40001'
const deadlockDetected = '40P01'

/**
 * Runs work in one transaction: committed when it resolves, rolled back when it throws. The work must not end the transaction
 * itself.
 *
 * @throws what the work throws; {AppError} DATABASE_UNREACHABLE when there is no connection
 */
export async function inTransaction<Value>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<Value>,
  options: TransactionOptions = {}
): Promise<Value> {
  const retries = options.retries ?? 0
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await once(pool, work, options)
    } catch (thrown) {
      if (attempt >= retries || !hasSqlState(thrown, serializationFailure, deadlockDetected)) throw thrown
      await sleep(Math.random() * 20 * 2 ** Math.min(attempt, 6))
    }
  }
}

async function once<Value>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<Value>, options: TransactionOptions): Promise<Value> {
  const client = await connect(pool)
  let broken: Error | undefined
  try {
    await client.query(`begin isolation level ${options.isolation ?? 'read committed'}${options.readOnly === true ? ' read only' : ''}`)
    const value = await work(client)
    // Of a transaction that an error has aborted, and the work went on regardless, COMMIT makes a silent ROLLBACK.
    const { command } = await client.query('commit')
    if (command !== 'COMMIT') throw new AppError('INTERNAL', 'the transaction was aborted by an error that its work passed over')
    return value
  } catch (thrown) {
    // A connection that can't even roll back is thrown away: the server rolls back when it is gone.
    await client.query('rollback').catch((failed: Error) => {
      broken = failed
    })
    throw thrown
  } finally {
    client.release(broken)
  }
}

/** Whether PostgreSQL answered with one of these SQLSTATEs (appendix A of its documentation). */
export function hasSqlState(thrown: unknown, ...states: readonly string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' && states.includes(thrown.code)
}
