import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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

  /** Power off and on again, at the same port. @param recoverForMs how long it has to recover at least */
  async kill({ recoverForMs = 0 }: { readonly recoverForMs?: number } = {}): Promise<void> {
    process.kill(this.#server.pid, 'SIGKILL')
    await this.#restart(recoverForMs)
  }

  /** Starts it again if it has ended by itself. */
  async revive(): Promise<void> {
    const ended = await Promise.race([this.#server.closed.then(() => true), sleep(2_000).then(() => false)])
    if (ended) await this.#restart(0)
  }

  async #restart(recoverForMs: number): Promise<void> {
    const { closed, port } = this.#server
    await closed
    await Promise.all([this.#pool.end(), this.#server.stop()])
    const starting = startEmbedded({ directory: join(this.#directory, 'database'), port, log: quiet })
    if (recoverForMs > 0) await holdRecovery(join(this.#directory, 'database'), recoverForMs)
    this.#server = await starting
    this.#pool = poolOf(this.#server)
  }

  async stop(): Promise<void> {
    await this.#pool.end()
    await this.#server.stop()
  }
}

/** Stops the process that recovers, and lets it go on after a while: until then everybody is told that the server starts up. */
async function holdRecovery(directory: string, forMs: number): Promise<void> {
  const until = performance.now() + forMs
  while (performance.now() < until) {
    const pid = recoveringIn(directory)
    if (pid !== undefined) {
      process.kill(pid, 'SIGSTOP')
      await sleep(until - performance.now())
      process.kill(pid, 'SIGCONT')
      return
    }
    await sleep(1)
  }
  throw new Error('PostgreSQL was never seen to recover')
}

function recoveringIn(directory: string): number | undefined {
  const pid = readdirSync('/proc').find((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      return (
        readFileSync(`/proc/${name}/cmdline`, 'utf8').startsWith('postgres: startup') &&
        readlinkSync(`/proc/${name}/cwd`).startsWith(directory)
      )
    } catch {
      return false
    }
  })
  return pid === undefined ? undefined : Number(pid)
}

function poolOf(server: EmbeddedServer): Pool {
  return createPool({ url: server.adminUrl(name), max: 2, applicationName: 'chaos' })
}
