import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Log } from '@endeks/domain/process'
import pg from 'pg'
import { startEmbedded } from '../embedded/index.js'
import { ensureDatabase } from '../migrate/ensure-database.js'
import { migrate, withClient } from '../migrate/migrate.js'
import { readCatalogue } from './catalogue.js'
import { generateTables } from './generate.js'

/** In the sources, not beside the compiled program. */
export const tablesFile = fileURLToPath(new URL('../../../src/schema/tables.ts', import.meta.url))

/** The tables' types of a migrated database. */
export function typesOf(url: string): Promise<string> {
  return withClient(url, async (client) => generateTables(await readCatalogue(client)))
}

/**
 * Writes the types of the migrations' schema. They are applied to a database of its own that is dropped again, in the given
 * server or in one that lives for this call only.
 */
export async function writeTypes(databaseUrl: string | undefined, log: Log): Promise<void> {
  const text = databaseUrl === undefined ? await withTemporaryServer(log, typesOfMigrations) : await typesOfMigrations(databaseUrl)
  await writeFile(tablesFile, text)
}

async function typesOfMigrations(serverUrl: string): Promise<string> {
  const name = `endeks_types_${randomBytes(5).toString('hex')}`
  const url = await ensureDatabase(serverUrl, name)
  try {
    await migrate(url)
    return await typesOf(url)
  } finally {
    await withClient(serverUrl, (client) => client.query(`drop database ${pg.escapeIdentifier(name)} with (force)`))
  }
}

async function withTemporaryServer<Value>(log: Log, work: (url: string) => Promise<Value>): Promise<Value> {
  const folder = await mkdtemp(join(tmpdir(), 'endeks-types-'))
  try {
    // mkdtemp makes a folder of the maker's alone; the account that root's server runs as must get through it.
    await chmod(folder, 0o755)
    const server = await startEmbedded({ directory: join(folder, 'server'), log, expendable: true })
    try {
      return await work(server.adminUrl())
    } finally {
      await server.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
