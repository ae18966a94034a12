import type { Log } from '@endeks/domain/process'
import type pg from 'pg'
import { hasSqlState } from '../pool/transaction.js'

/**
 * Installs TimescaleDB into a database that has no tables yet, where the server has loaded it: the migrations then make hypertables
 * in the place of partitions. A database that was begun without it stays without, as tables that are partitioned can't become
 * hypertables.
 *
 * A server that has the extension's files only would end the connection at CREATE EXTENSION, so its loader is asked for first; any
 * role may see that setting.
 *
 * @returns whether the extension is there now
 */
export async function installTimescale(client: pg.Client, log?: Log): Promise<boolean> {
  const { rows } = await client.query<{ available: boolean }>(
    `select current_setting('timescaledb.max_background_workers', true) is not null
       and exists (select from pg_available_extensions where name = 'timescaledb') as available`
  )
  if (rows[0]?.available !== true) return false
  try {
    await client.query('create extension if not exists timescaledb')
    return true
  } catch (thrown) {
    // insufficient_privilege: the owner of the database may be one who is not to install it
    if (!hasSqlState(thrown, '42501')) throw thrown
    log?.warn('TimescaleDB is there, but this role may not install it: the tables become partitions', { error: thrown })
    return false
  }
}
