import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { AppError, isAppError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import { type Binaries, usableBinaries } from './binaries.js'
import {
  clusterVersion,
  createCluster,
  type Layout,
  prepareDirectory,
  refuseOtherVersion,
  removeRemains,
  superuser,
  superuserPassword
} from './cluster.js'
import { type DirectoryLock, lockDirectory } from './lock.js'
import { stopOrphan } from './postmaster.js'
import { isSystemError, readOrUndefined } from './processes.js'
import { type RunningServer, type ServerExit, startServer } from './server.js'
import { serverUser } from './server-user.js'

export interface EmbeddedOptions {
  /** the launcher's own directory, made when it is missing; it holds the cluster, the password, the log and the lock */
  readonly directory: string
  /** 0 or nothing: any free one */
  readonly port?: number
  /** what the operator calls the port, for the message when it is taken */
  readonly portSetting?: string
  readonly log: Log
  /** gives up a start under way */
  readonly signal?: AbortSignal
  /** more settings of postgresql.conf; those that the promise of durability and of loopback rests on are refused */
  readonly settings?: Readonly<Record<string, string>>
  /** a cluster for tests: made anew at every start and not kept safe against a crash of the machine */
  readonly expendable?: boolean
  /** where the programs are; those of the npm package by default */
  readonly binaries?: string
}

export interface EmbeddedServer {
  readonly port: number
  /** the server's process, for the curious and for tests */
  readonly pid: number
  /** as the superuser */
  adminUrl(database?: string): string
  url(user: string, password: string, database: string): string
  /** resolved when the server has ended, asked or not; never rejected */
  readonly closed: Promise<ServerExit>
  /** fast shutdown, then gives the directory free; may be called twice */
  stop(): Promise<void>
}

const fixed: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC'
}
const careless: Readonly<Record<string, string>> = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }
const portAttempts = 5

/**
 * Starts the PostgreSQL that npm installed. A server that outlived an earlier launcher (SIGKILL) is stopped first, a cluster
 * is made where there is none, and the server listens on loopback only.
 *
 * @throws {AppError} DATA_DIRECTORY_IN_USE, DATA_DIRECTORY_VERSION, PORT_TAKEN, DATABASE_START; VALIDATION for a setting
 *   that isn't the caller's to choose
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  for (const name of Object.keys(options.settings ?? {})) {
    if (name in fixed || name === 'port') throw new AppError('VALIDATION', `the launcher sets ${name} itself`, { name })
  }
  const user = await serverUser()
  const layout = await prepareDirectory(options.directory, user)
  const lock = await lockDirectory(layout.directory)
  try {
    const binaries = await usableBinaries(layout.directory, user, options.binaries)
    const password = await prepareCluster(layout, binaries, options, user)
    const { server, port } = await startOnPort(options, (chosen) =>
      startServer({
        layout,
        binaries,
        user,
        port: chosen,
        settings: { ...options.settings, ...fixed, ...(options.expendable === true ? careless : {}) },
        signal: options.signal
      })
    )
    options.log.info('database server started', { port, pid: server.pid, version: binaries.version, directory: layout.directory })
    return running(server, port, password, lock)
  } catch (thrown) {
    await lock.release()
    throw thrown
  }
}

async function prepareCluster(
  layout: Layout,
  binaries: Binaries,
  options: EmbeddedOptions,
  user: Awaited<ReturnType<typeof serverUser>>
): Promise<string> {
  const remains = await removeRemains(layout)
  if (remains.length > 0) options.log.warn('an unfinished start was cleared away', { remains })
  await stopOrphan(layout.cluster, options.log)
  if (options.expendable === true) await clearExpendable(layout)
  else await refuseExpendable(layout)
  const version = await clusterVersion(layout)
  if (version !== undefined) refuseOtherVersion(layout, version, binaries)
  const password = await superuserPassword(layout, user, version !== undefined)
  options.signal?.throwIfAborted()
  if (version === undefined) await createCluster(layout, binaries, user, options.signal)
  return password
}

/** Only a directory that was expendable from its first start is emptied; the mark is made where there is no cluster yet. */
async function clearExpendable(layout: Layout): Promise<void> {
  const marked = (await readOrUndefined(layout.expendable)) !== undefined
  if (!marked && (await clusterVersion(layout)) !== undefined) {
    throw new AppError(
      'DATABASE_START',
      `${layout.directory} holds a cluster that was not made to be thrown away; choose another directory`,
      {
        directory: layout.directory
      }
    )
  }
  await writeFile(layout.expendable, 'This cluster is thrown away at every start.\n')
  await rm(layout.cluster, { recursive: true, force: true })
}

/** What is kept in such a directory would be gone with the next test run. */
async function refuseExpendable(layout: Layout): Promise<void> {
  if ((await readOrUndefined(layout.expendable)) === undefined) return
  throw new AppError('DATABASE_START', `${layout.directory} holds a cluster of tests, made to be thrown away; choose another directory`, {
    directory: layout.directory
  })
}

async function startOnPort(
  options: EmbeddedOptions,
  start: (port: number) => Promise<RunningServer>
): Promise<{ server: RunningServer; port: number }> {
  const wanted = options.port ?? 0
  const attempts = wanted === 0 ? portAttempts : 1
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const port = await bindable(wanted)
    if (port === undefined) continue
    try {
      return { server: await start(port), port }
    } catch (thrown) {
      // Somebody else may have bound it since it was tried.
      if (!isAppError(thrown, 'PORT_TAKEN')) throw thrown
    }
  }
  const setting = options.portSetting ?? 'port'
  throw new AppError(
    'PORT_TAKEN',
    `port ${wanted} on 127.0.0.1 is taken by another program; end that program, or set ${setting} to another port (0 takes a free one)`,
    { port: wanted, setting }
  )
}

/** The port that could be bound just now (the given one, or any free one for 0); undefined when it is taken. */
async function bindable(port: number): Promise<number | undefined> {
  const probe = createServer()
  try {
    probe.listen({ port, host: '127.0.0.1', exclusive: true })
    await once(probe, 'listening')
    const address = probe.address()
    return address === null || typeof address === 'string' ? undefined : address.port
  } catch (thrown) {
    if (isSystemError(thrown, 'EADDRINUSE')) return undefined
    throw thrown
  } finally {
    probe.close()
  }
}

function running(server: RunningServer, port: number, password: string, lock: DirectoryLock): EmbeddedServer {
  const url = (user: string, secret: string, database: string): string =>
    `postgres://${encodeURIComponent(user)}:${encodeURIComponent(secret)}@127.0.0.1:${port}/${encodeURIComponent(database)}`
  let stopping: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    await server.stop()
    await lock.release()
  }
  return {
    port,
    pid: server.pid,
    closed: server.closed,
    url,
    adminUrl: (database = 'postgres') => url(superuser, password, database),
    stop: () => {
      stopping ??= stop()
      return stopping
    }
  }
}
