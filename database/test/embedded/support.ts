import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isAppError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import pg from 'pg'
import { type EmbeddedServer, startEmbedded } from '../../src/embedded/index.js'
import type { Teardown } from '../../src/testing/index.js'

export const quiet: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** A folder that the server's account can get through, gone when the test is over. */
export async function temporaryFolder(t: Teardown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'endeks-embedded-'))
  await chmod(folder, 0o755)
  t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))
  return folder
}

export async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

/** Starts, lets the work use the server, and stops it whatever happens. */
export async function withServer<Value>(
  options: Omit<Parameters<typeof startEmbedded>[0], 'log'>,
  work: (server: EmbeddedServer) => Promise<Value>
): Promise<Value> {
  const server = await startEmbedded({ ...options, log: quiet })
  try {
    return await work(server)
  } finally {
    await server.stop()
  }
}

/** A launcher in a process of its own, to be killed with SIGKILL. */
export function spawnLauncher(directory: string): ChildProcess {
  const program = fileURLToPath(new URL('./launcher.js', import.meta.url))
  return spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'ignore'] })
}

export async function launched(launcher: ChildProcess): Promise<{ pid: number; adminUrl: string }> {
  if (launcher.stdout === null) throw new Error('the launcher has no output')
  for await (const line of createInterface(launcher.stdout)) return JSON.parse(line)
  throw new Error('the launcher ended')
}

export async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Waits for a fact, a minute at most. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 60_000; waited += 20) {
    if (await holds()) return
    await sleep(20)
  }
  throw new Error('it never came true')
}

export async function failure(
  work: Promise<unknown>
): Promise<{ code: string; message: string; details: Readonly<Record<string, unknown>> }> {
  try {
    await work
  } catch (thrown) {
    if (isAppError(thrown)) return { code: thrown.code, message: thrown.message, details: thrown.details }
    throw thrown
  }
  return { code: 'nothing failed', message: '', details: {} }
}
