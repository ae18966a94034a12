import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbedded } from '@endeks/database/embedded'
import { ensureDatabase, migrate } from '@endeks/database/migrate'
import { createPool, type Pool } from '@endeks/database/pool'
import { createLog } from '@endeks/domain/process'

/** A PostgreSQL as the product starts it, with the product's tables and a folder that it may read. */
export interface Cluster {
  readonly url: string
  readonly pid: number
  /** as the superuser */
  readonly pool: Pool
  /** for logs and for files that the server writes and reads */
  readonly directory: string
  /** the settings that the figures hang on, as the server says them */
  readonly settings: Readonly<Record<string, string>>
  stop(): Promise<void>
}

const told = ['server_version', 'shared_buffers', 'fsync', 'synchronous_commit', 'full_page_writes', 'max_wal_size', 'wal_level']

/** @param keep leaves the folder, with the logs, behind */
export async function startCluster(name: string, keep: boolean): Promise<Cluster> {
  const directory = mkdtempSync(join(tmpdir(), `endeks-${name}-`))
  // The server runs as another account when this one is root.
  chmodSync(directory, 0o755)
  const exchange = join(directory, 'files')
  mkdirSync(exchange)
  chmodSync(exchange, 0o777)
  const log = createLog('benchmark', () => undefined)
  const server = await startEmbedded({ directory: join(directory, 'server'), log, settings: { shared_buffers: '1GB' } })
  const remove = (): void => {
    if (!keep) rmSync(directory, { recursive: true, force: true })
  }
  try {
    const url = await ensureDatabase(server.adminUrl(), 'endeks')
    await migrate(url)
    const pool = createPool({ url, max: 4, applicationName: 'endeks-benchmark', log })
    return {
      ...{ url, pool, pid: server.pid, directory },
      settings: await settingsOf(pool),
      stop: async () => {
        await pool.end()
        await server.stop()
        remove()
      }
    }
  } catch (thrown) {
    await server.stop()
    remove()
    throw thrown
  }
}

async function settingsOf(pool: Pool): Promise<Record<string, string>> {
  const { rows } = await pool.query<{ name: string; value: string }>(
    'select name, current_setting(name) as value from unnest($1::text[]) as t (name)',
    [told]
  )
  const settings = Object.fromEntries(rows.map(({ name, value }) => [name, value]))
  if (settings['fsync'] !== 'on' || settings['synchronous_commit'] !== 'on') throw new Error('the server does not wait for its disk')
  return settings
}
