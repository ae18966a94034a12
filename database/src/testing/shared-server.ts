import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, open, stat } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { AppError } from '@endeks/domain/errors'
import { isSystemError, readOrUndefined } from '../embedded/processes.js'
import { type Hello, socketName, type Welcome } from './holder.js'

export interface SharedServer {
  readonly adminUrl: string
  /** tells the holder that this process needs the server no more; the end of the process tells it too */
  leave(): void
}

const startWithinMs = 60_000
const stepMs = 50
const program = fileURLToPath(new URL('./holder-main.js', import.meta.url))

/** One directory per user and checkout: two checkouts run their tests side by side. */
export function sharedDirectory(): string {
  const key = createHash('sha256')
    .update(`${program}\n${process.getuid?.() ?? ''}`)
    .digest('hex')
    .slice(0, 12)
  return join(tmpdir(), `endeks-test-${key}`)
}

/**
 * The server that all test processes of a run share, started by the first that needs it.
 *
 * @throws {AppError} DATABASE_START with the holder's last words when none comes up: a test without its server fails
 */
export async function joinSharedServer(directory: string = sharedDirectory(), hello: Hello = runnerOf(process.env)): Promise<SharedServer> {
  await mkdir(directory, { recursive: true, mode: 0o755 })
  await refuseForeign(directory)
  let holder: ChildProcess | undefined
  let starts = 0
  for (let waited = 0; waited < startWithinMs; waited += stepMs) {
    const joined = await connectTo(directory, hello)
    if (joined !== undefined) return joined
    if (holder === undefined || holder.exitCode !== null || holder.signalCode !== null) {
      // One that ends at once may have met another holder that is just starting or stopping; it is not asked too often.
      if (starts < 40) holder = await startHolder(directory)
      starts += 1
    }
    await sleep(stepMs * Math.min(starts, 5))
  }
  const words = (await readOrUndefined(join(directory, 'holder.log')))?.slice(-2_000) ?? ''
  throw new AppError('DATABASE_START', `the tests' database server does not start:\n${words}`, { directory })
}

/** tap numbers its children; anything else that starts a test file (a shell) outlives it and says nothing about the run. */
function runnerOf(environment: NodeJS.ProcessEnv): Hello {
  return environment['TAP_CHILD_ID'] === undefined ? {} : { runner: process.ppid }
}

/** The folder for temporary files is everybody's: one that somebody else made there is not used. */
async function refuseForeign(directory: string): Promise<void> {
  const found = await stat(directory)
  if (process.getuid === undefined || found.uid === process.getuid()) return
  throw new AppError('DATABASE_START', `${directory} belongs to another user; remove it`, { directory })
}

async function startHolder(directory: string): Promise<ChildProcess> {
  const log = await open(join(directory, 'holder.log'), 'w', 0o600)
  const holder = spawn(process.execPath, [program, directory, String(process.pid)], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', log.fd, log.fd]
  })
  holder.unref()
  await log.close()
  return holder
}

async function connectTo(directory: string, hello: Hello): Promise<SharedServer | undefined> {
  const socket = createConnection(join(directory, socketName))
  try {
    const adminUrl = await greet(socket, hello)
    // The socket stays open for as long as this process lives, and doesn't keep it alive.
    socket.unref()
    socket.on('error', () => socket.destroy())
    return { adminUrl, leave: () => socket.destroy() }
  } catch (thrown) {
    socket.destroy()
    if (isSystemError(thrown, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE')) return undefined
    throw thrown
  }
}

function greet(socket: Socket, hello: Hello): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = ''
    socket.setEncoding('utf8')
    socket.on('connect', () => socket.write(`${JSON.stringify(hello)}\n`))
    socket.on('data', (text: string) => {
      heard += text
      if (!heard.endsWith('\n')) return
      const welcome: Welcome = JSON.parse(heard)
      resolve(welcome.adminUrl)
    })
    socket.once('error', reject)
    // A holder that is just stopping lets the connection go without a word.
    socket.once('close', () => reject(Object.assign(new Error('the holder is gone'), { code: 'ECONNRESET' })))
  })
}
