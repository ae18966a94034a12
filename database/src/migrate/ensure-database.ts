import pg from 'pg'
import { hasSqlState } from '../pool/transaction.js'
import { withClient } from './migrate.js'

/**
 * Makes the database when it is missing; of two that do so at once, one finds it there.
 *
 * @param adminUrl any database of the server, as a role that may create databases
 * @returns the URL of that database for the same role
 */
export async function ensureDatabase(adminUrl: string, name: string): Promise<string> {
  await withClient(adminUrl, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
    if (rowCount === 1) return
    try {
      await client.query(`create database ${pg.escapeIdentifier(name)}`)
    } catch (thrown) {
      // duplicate_database, or the unique index that says the same a moment later
      if (!hasSqlState(thrown, '42P04', '23505')) throw thrown
    }
  })
  return withDatabase(adminUrl, name)
}

/** The same URL with another database. */
export function withDatabase(url: string, name: string): string {
  const parsed = new URL(url)
  parsed.pathname = `/${encodeURIComponent(name)}`
  return parsed.toString()
}
