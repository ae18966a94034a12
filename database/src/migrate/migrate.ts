import { AppError, asError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import type { EpochMs } from '@endeks/domain/time'
import pg from 'pg'
import { typeParsers } from '../pool/types.js'
import { type Migration, migrationsFolder, readMigrations } from './files.js'
import { installTimescale } from './timescale.js'

export interface MigrateOptions {
  /** the package's own by default */
  readonly folder?: string
  readonly log?: Log
}

export interface MigrationStatus {
  readonly number: number
  readonly name: string
  /** changed: the file is another than the one applied; missing: it was applied and its file is gone */
  readonly state: 'applied' | 'pending' | 'changed' | 'missing'
  readonly appliedAt: EpochMs | null
}

interface AppliedRow {
  readonly number: number
  readonly name: string
  readonly sha256: string
  readonly applied_at: EpochMs
}

/** Any constant will do that nobody else locks: the letters "endeks" as a number. */
const advisoryLock = 0x656e_6465_6b73
const lockWithinMs = 60_000
const connectWithinMs = 10_000

/**
 * Brings the database to the state of the migrations, each in a transaction of its own together with its check. Two that
 * migrate at once take turns; what is applied is left alone. A database that is begun here gets TimescaleDB where the server
 * has it.
 *
 * @param adminUrl as the role that shall own the schema
 * @returns the names of those applied now
 * @throws {AppError} MIGRATION_FAILED when an applied migration was changed or its file is gone, or when one fails, or its
 *   check: that one has then changed nothing. DATABASE_UNREACHABLE without a connection
 */
export async function migrate(adminUrl: string, options: MigrateOptions = {}): Promise<string[]> {
  const migrations = await readMigrations(options.folder ?? migrationsFolder)
  return withClient(adminUrl, async (client) => {
    await client.query(`set lock_timeout = ${lockWithinMs}`)
    await client.query('select pg_advisory_lock($1)', [advisoryLock])
    await client.query('reset lock_timeout')
    await client.query(
      `create table if not exists public.endeks_migration (
         number integer primary key check (number > 0),
         name text not null,
         sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
         applied_at timestamptz not null default now()
       )`
    )
    const states = compare(migrations, await appliedRows(client))
    const refused = states.filter((each) => each.state === 'changed' || each.state === 'missing')
    if (refused.length > 0) throw refusal(refused)
    const pending = migrations.filter((each) => states.some((state) => state.number === each.number && state.state === 'pending'))
    if (pending.length > 0 && pending.length === migrations.length) await installTimescale(client, options.log)
    for (const migration of pending) {
      await apply(client, migration)
      options.log?.info('migration applied', { name: migration.name })
    }
    return pending.map((each) => each.name)
  })
}

/** What is applied and what is not, in order, without changing anything. */
export async function status(adminUrl: string, options: MigrateOptions = {}): Promise<MigrationStatus[]> {
  const migrations = await readMigrations(options.folder ?? migrationsFolder)
  return withClient(adminUrl, async (client) => {
    const { rows } = await client.query<{ known: boolean }>(`select to_regclass('public.endeks_migration') is not null as known`)
    return compare(migrations, rows[0]?.known === true ? await appliedRows(client) : [])
  })
}

async function appliedRows(client: pg.Client): Promise<AppliedRow[]> {
  const { rows } = await client.query<AppliedRow>('select number, name, sha256, applied_at from public.endeks_migration order by number')
  return rows
}

function compare(migrations: readonly Migration[], applied: readonly AppliedRow[]): MigrationStatus[] {
  const byNumber = new Map(applied.map((row) => [row.number, row]))
  const states = migrations.map(({ number, name, sha256 }): MigrationStatus => {
    const row = byNumber.get(number)
    byNumber.delete(number)
    if (row === undefined) return { number, name, state: 'pending', appliedAt: null }
    const same = row.sha256 === sha256 && row.name === name
    return { number, name, state: same ? 'applied' : 'changed', appliedAt: row.applied_at }
  })
  const missing = [...byNumber.values()].map(
    (row): MigrationStatus => ({ number: row.number, name: row.name, state: 'missing', appliedAt: row.applied_at })
  )
  return [...states, ...missing]
}

function refusal(refused: readonly MigrationStatus[]): AppError {
  const texts = refused.map((each) =>
    each.state === 'changed'
      ? `${each.name} was changed after it was applied; take the change back and write a new migration`
      : `${each.name} was applied here and its file is gone; this program is older than the database`
  )
  return new AppError('MIGRATION_FAILED', texts.join('\n'), { migrations: refused.map((each) => each.name) })
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  const failed = (what: string, cause?: unknown): AppError =>
    new AppError('MIGRATION_FAILED', `${migration.name}: ${what}`, { migration: migration.name }, cause)
  await client.query('begin')
  try {
    const before = await currentTransaction(client)
    await client.query(migration.sql)
    if ((await currentTransaction(client)) !== before) throw failed('it ends the transaction it runs in; the part after that is not undone')
    await client.query('insert into public.endeks_migration (number, name, sha256) values ($1, $2, $3)', [
      migration.number,
      migration.name,
      migration.sha256
    ])
    const problems = await runCheck(client, migration.check)
    if (problems.length > 0) throw failed(`its check found:\n${problems.join('\n')}`)
    await client.query('commit')
  } catch (thrown) {
    // Where even that fails, the connection is gone, and the server has rolled back.
    await client.query('rollback').catch(() => undefined)
    throw thrown instanceof AppError ? thrown : failed(describe(thrown, migration.sql), thrown)
  }
}

async function currentTransaction(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ id: string }>('select pg_current_xact_id()::text as id')
  return rows[0]?.id
}

/**
 * Every row of every statement is a problem. A check may write, to see that the database refuses what it should, so all it
 * did is undone.
 */
async function runCheck(client: pg.Client, check: string): Promise<string[]> {
  await client.query('savepoint endeks_check')
  const answer: unknown = await client.query({ text: check, rowMode: 'array' })
  await client.query('rollback to savepoint endeks_check')
  const results = Array.isArray(answer) ? answer : [answer]
  return results.flatMap((result: pg.QueryArrayResult<unknown[]>) => result.rows.map((row) => row.map(String).join(' ')))
}

/** PostgreSQL's message, with the line of the file where it gives a position. */
function describe(thrown: unknown, sql: string): string {
  const error = asError(thrown)
  const position = 'position' in error ? Number(error.position) : Number.NaN
  const line = Number.isInteger(position) ? ` (line ${sql.slice(0, position).split('\n').length})` : ''
  const hint = 'detail' in error && typeof error.detail === 'string' ? `: ${error.detail}` : ''
  return `${error.message}${line}${hint}`
}

/** A client of its own, ended afterwards, with the values as everywhere in this product. */
export async function withClient<Value>(url: string, work: (client: pg.Client) => Promise<Value>): Promise<Value> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'endeks-database',
    connectionTimeoutMillis: connectWithinMs,
    types: typeParsers
  })
  // A connection that breaks rejects the statement under way; the event on top of it would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (thrown) {
    throw new AppError('DATABASE_UNREACHABLE', `no connection to the database: ${asError(thrown).message}`, {}, thrown)
  }
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
