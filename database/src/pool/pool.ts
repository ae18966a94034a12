import { AppError, asError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import { type EpochMs, toIso } from '@endeks/domain/time'
import { Kysely, PostgresDialect, type RawBuilder, sql } from 'kysely'
import pg from 'pg'
import { typeParsers } from './types.js'

export type Pool = pg.Pool
export type PoolClient = pg.PoolClient

export interface PoolOptions {
  readonly url: string
  /** every connection runs as this role from its first statement on */
  readonly role?: string
  readonly max: number
  /** what pg_stat_activity shows */
  readonly applicationName: string
  /** cancels a statement that runs longer; no limit by default, as a bill run's statements take their time */
  readonly statementTimeoutMs?: number
  /** told of lost connections; without one they are process warnings */
  readonly log?: Log
}

const connectWithinMs = 10_000
const idleMs = 30_000
/** A transaction that waits for us this long has lost its owner; it would hold back the horizon of every reader. */
const idleInTransactionMs = 60_000

/**
 * A pool whose connections read values as `typeParsers` says.
 *
 * A connection that breaks while somebody holds it emits 'error' on the client, and one that nobody listens to ends the
 * process; so every client is listened to from its first moment. The statement under way rejects all the same.
 */
export function createPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: withOptions(options.url, options.role),
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: connectWithinMs,
    idleTimeoutMillis: idleMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    keepAlive: true,
    types: typeParsers,
    ...(options.statementTimeoutMs === undefined ? {} : { statement_timeout: options.statementTimeoutMs })
  })
  const report = reporter(options)
  pool.on('connect', (client) => client.on('error', report))
  // The pool repeats what its idle clients have reported, and would end the process if nobody listened.
  pool.on('error', () => undefined)
  return pool
}

function reporter(options: PoolOptions): (error: Error) => void {
  return (error) => {
    if (options.log === undefined) process.emitWarning(`${options.applicationName}: a database connection was lost: ${error.message}`)
    else options.log.warn('a database connection was lost', { application: options.applicationName, error })
  }
}

/** Startup options go into the URL, as those of the URL win over those of the configuration. */
function withOptions(url: string, role: string | undefined): string {
  const parsed = new URL(url)
  const given = parsed.searchParams.get('options')
  const own = ['-c TimeZone=UTC', '-c DateStyle=ISO', ...(role === undefined ? [] : [`-c role=${plainName(role)}`])]
  parsed.searchParams.set('options', [...(given === null ? [] : [given]), ...own].join(' '))
  return parsed.toString()
}

/** @throws {AppError} VALIDATION for a role whose name would need quoting */
export function plainName(name: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(name)) return name
  throw new AppError('VALIDATION', `"${name.slice(0, 80)}" is not a plain name of a role`, { name: name.slice(0, 80) })
}

/** A connection beside the pool, with the pool's address, role and types, for LISTEN. The caller connects and ends it. */
export function dedicatedClient(pool: pg.Pool): pg.Client {
  return new pg.Client({ ...pool.options })
}

/** Queries with the tables' types. Its `destroy` ends the pool. */
export function createKysely<DB>(pool: pg.Pool): Kysely<DB> {
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) })
}

/**
 * An instant to compare with or to write into a timestamptz column. The driver sends a number as a number, which PostgreSQL
 * takes for a year; in plain SQL write `$1::timestamptz` and pass `toIso(instant)`.
 */
export function instant(at: EpochMs): RawBuilder<EpochMs> {
  return sql<EpochMs>`${toIso(at)}::timestamptz`
}

/**
 * A client of the pool.
 *
 * @throws {AppError} DATABASE_UNREACHABLE when none can be had
 */
export async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect()
  } catch (thrown) {
    throw new AppError('DATABASE_UNREACHABLE', `no connection to the database: ${asError(thrown).message}`, {}, thrown)
  }
}
