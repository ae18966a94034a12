import { join } from 'node:path'
import { type EmbeddedServer, startEmbedded } from '@endeks/database/embedded'
import { ensureDatabase, migrate } from '@endeks/database/migrate'
import { createPool, type Pool } from '@endeks/database/pool'
import { createLog } from '@endeks/domain/process'

const name = 'chaos'
const quiet = createLog('chaos', () => undefined)

/** PostgreSQL as it is shipped, durable settings and all, which may lose its power. */
export class Database {
  readonly #directory: string
  #server: EmbeddedServer
  #pool: Pool

  private constructor(directory: string, server: EmbeddedServer) {
    this.#directory = directory
    this.#server = server
    this.#pool = poolOf(server)
  }

  static async start(directory: string): Promise<Database> {
    const server = await startEmbedded({ directory: join(directory, 'database'), log: quiet })
    await migrate(await ensureDatabase(server.adminUrl(), name))
    return new Database(directory, server)
  }

  get url(): string {
    return this.#server.adminUrl(name)
  }

  get pool(): Pool {
    return this.#pool
  }

  /** Power off and on again, at the same port. */
  async kill(): Promise<void> {
    const { pid, closed, port } = this.#server
    const pool = this.#pool
    process.kill(pid, 'SIGKILL')
    await closed
    await Promise.all([pool.end(), this.#server.stop()])
    this.#server = await startEmbedded({ directory: join(this.#directory, 'database'), port, log: quiet })
    this.#pool = poolOf(this.#server)
  }

  async stop(): Promise<void> {
    await this.#pool.end()
    await this.#server.stop()
  }
}

function poolOf(server: EmbeddedServer): Pool {
  return createPool({ url: server.adminUrl(name), max: 2, applicationName: 'chaos' })
}
