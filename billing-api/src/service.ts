import { createPool, type Pool } from '@endeks/database/pool'
import { AppError, asError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import { buildApp } from './app.js'
import { KeyVault } from './key-vault.js'
import type { AnsweredRequest } from './plugins/observation.js'

export { ensureUser, type StaffAccount } from './staff.js'

interface CommonOptions {
  readonly host: string
  /** 0 takes a free one */
  readonly port: number
  /** what the operator calls the port, for the message when it is taken */
  readonly portSetting?: string
  readonly webRoot?: string
  /** whether browsers send the cookie over TLS only: true wherever the server is reached over a network */
  readonly secureCookies?: boolean
  /** sign-ins that one address may try for one login in a minute; 10 by default */
  readonly loginsPerMinute?: number
  /** seals the meters' keys; without it none is taken, and ciphered evidence is not explained */
  readonly keySecret?: string
  /** told of each answered request */
  readonly observe?: (request: AnsweredRequest) => void
  readonly clock: Clock
  readonly log: Log
}

interface OwnDatabase {
  /** as somebody who may become endeks_api */
  readonly databaseUrl: string
  readonly connections?: number
}

interface SharedDatabase {
  /** connections that are endeks_api already; theirs who made it to end */
  readonly pool: Pool
}

export type ApiServiceOptions = CommonOptions & (OwnDatabase | SharedDatabase)

export interface ApiService {
  readonly port: number
  /** @throws when the database does not answer */
  reachDatabase(): Promise<void>
  /** finishes the requests under way and ends the pool that it made */
  stop(): Promise<void>
}

const defaultConnections = 10
const statementTimeoutMs = 30_000

/**
 * Starts the HTTP API, its documentation and the console.
 *
 * @throws {AppError} PORT_TAKEN that names the port and its setting
 */
export async function startApi(options: ApiServiceOptions): Promise<ApiService> {
  const { clock, log, webRoot, keySecret } = options
  const own = 'pool' in options ? undefined : ownPool(options, log)
  const pool = 'pool' in options ? options.pool : own
  if (pool === undefined) throw new AppError('INTERNAL', 'there is neither a pool nor a database to make one for')
  try {
    const app = await buildApp(
      { pool, clock, log, ...(keySecret === undefined ? {} : { vault: new KeyVault(keySecret) }) },
      {
        loginsPerMinute: options.loginsPerMinute ?? 10,
        secureCookies: options.secureCookies ?? false,
        ...(webRoot === undefined ? {} : { webRoot }),
        ...(options.observe === undefined ? {} : { observe: options.observe })
      }
    )
    await listen(app, options)
    const address = app.server.address()
    const port = typeof address === 'object' && address !== null ? address.port : options.port
    log.info('the API listens', { host: options.host, port })
    return {
      port,
      reachDatabase: async () => {
        await pool.query('select 1')
      },
      stop: async () => {
        await app.close()
        await own?.end()
      }
    }
  } catch (thrown) {
    await own?.end()
    throw thrown
  }
}

function ownPool(database: OwnDatabase, log: Log): Pool {
  return createPool({
    url: database.databaseUrl,
    role: 'endeks_api',
    max: database.connections ?? defaultConnections,
    applicationName: 'endeks billing-api',
    statementTimeoutMs,
    log
  })
}

async function listen(app: Awaited<ReturnType<typeof buildApp>>, options: ApiServiceOptions): Promise<void> {
  const { host, port } = options
  try {
    await app.listen({ host, port })
  } catch (thrown) {
    await app.close()
    const error = asError(thrown)
    if (!('code' in error) || error.code !== 'EADDRINUSE') throw thrown
    const setting = options.portSetting ?? 'port'
    throw new AppError(
      'PORT_TAKEN',
      `port ${port} on ${host} is taken by another program; end that program, or set ${setting} to another port (0 takes a free one)`,
      { port, setting },
      thrown
    )
  }
}
