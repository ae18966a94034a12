import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, open, stat, truncate } from 'node:fs/promises'
import { AppError } from '@endeks/domain/errors'
import type { Binaries } from './binaries.js'
import { type Layout, logTail } from './cluster.js'
import { holdsWithin, readPostmasterFile, stopServer } from './postmaster.js'
import { asUser, type ServerUser, serverEnvironment } from './server-user.js'

export interface ServerExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface RunningServer {
  readonly pid: number
  /** resolved when the server has ended, for whatever reason; never rejected */
  readonly closed: Promise<ServerExit>
  stop(): Promise<void>
}

export interface ServerOptions {
  readonly layout: Layout
  readonly binaries: Binaries
  readonly user: ServerUser | undefined
  readonly port: number
  readonly settings: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

/** Recovery after a crash replays at most `max_wal_size` of log, 1 GB by default: minutes on a slow disk. */
const readyWithinMs = 180_000
const serverLogLimit = 10_000_000

/**
 * Starts the server and waits until it takes connections.
 *
 * It is detached into its own process group: Ctrl-C in a terminal goes to the whole group, and the database must not shut
 * down before those that still write to it.
 *
 * @throws {AppError} PORT_TAKEN, DATABASE_START with the server's last words
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { layout, binaries, user } = options
  const from = await keepLogShort(layout.serverLog)
  const output = await open(layout.serverLog, 'a', 0o600)
  const settings = Object.entries({ ...options.settings, port: String(options.port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`
  ])
  let child: ChildProcess
  try {
    child = spawn(binaries.postgres, ['-D', layout.cluster, ...settings], {
      ...asUser(user),
      cwd: '/',
      env: serverEnvironment(),
      detached: true,
      stdio: ['ignore', output.fd, output.fd]
    })
    await once(child, 'spawn')
  } catch (thrown) {
    throw new AppError('DATABASE_START', `${binaries.postgres} can't be started`, {}, thrown)
  } finally {
    await output.close()
  }
  return await untilReady(child, options, from)
}

async function untilReady(child: ChildProcess, options: ServerOptions, logFrom: number): Promise<RunningServer> {
  const { layout } = options
  const pid = child.pid ?? 0
  let exit: ServerExit | undefined
  const closed = new Promise<ServerExit>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal }
      resolve(exit)
    })
  })
  const stop = (): Promise<void> => (exit === undefined ? stopServer(pid, async () => exit !== undefined) : Promise.resolve())
  const settled = async (): Promise<boolean> => {
    if (exit !== undefined) return true
    const file = await readPostmasterFile(layout.cluster)
    return file?.pid === pid && file.status === 'ready'
  }
  try {
    if (!(await holdsWithin(readyWithinMs, settled, options.signal))) {
      throw new AppError('DATABASE_START', `the database server is not ready after ${readyWithinMs / 1000} s`, { log: layout.serverLog })
    }
  } catch (thrown) {
    await stop()
    throw thrown
  }
  if (exit !== undefined) throw startFailure(await logTail(layout, logFrom), options)
  const trim = setInterval(() => void keepLogShort(layout.serverLog), 60_000)
  trim.unref()
  void closed.then(() => clearInterval(trim))
  return { pid, closed, stop }
}

function startFailure(tail: string, options: ServerOptions): AppError {
  if (/Address already in use/.test(tail))
    return new AppError('PORT_TAKEN', `port ${options.port} on 127.0.0.1 is taken`, { port: options.port })
  return new AppError('DATABASE_START', `the database server ended at once:\n${tail}`, { log: options.layout.serverLog })
}

/**
 * Keeps the server's log below twice its limit. The server has the file open for appending, so it is copied and truncated,
 * never renamed.
 *
 * @returns its length
 */
async function keepLogShort(path: string): Promise<number> {
  const length = await stat(path).then(
    (found) => found.size,
    () => 0
  )
  if (length < serverLogLimit) return length
  await copyFile(path, `${path}.1`)
  await truncate(path, 0)
  return 0
}
