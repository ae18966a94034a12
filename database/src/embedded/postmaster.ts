import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import { identityOf, processesIn, readOrUndefined, runsIn, signalProcess } from './processes.js'

/** postmaster.pid, as storage/lmgr/miscinit.h lays it out: line 1 the pid, line 4 the port, line 8 the status. */
export interface PostmasterFile {
  readonly pid: number
  readonly port: number
  readonly status: string
}

export const fastStopWithinMs = 8_000
export const immediateStopWithinMs = 6_000
const stepMs = 50

export async function readPostmasterFile(cluster: string): Promise<PostmasterFile | undefined> {
  const lines = (await readOrUndefined(join(cluster, 'postmaster.pid')))?.split('\n')
  const pid = Number(lines?.[0])
  if (lines === undefined || !Number.isInteger(pid) || pid === 0) return undefined
  // A single-user server writes its pid negated.
  return { pid: Math.abs(pid), port: Number(lines[3]), status: (lines[7] ?? '').trim() }
}

/**
 * Stops a server that outlived its launcher, so that the start that follows has the cluster to itself.
 *
 * The pid in postmaster.pid proves nothing: it may belong to anything by now. Only a process that works in this very
 * directory is this cluster's, and only such a one is signalled. A stale file whose pid lives on as another program would
 * keep PostgreSQL from starting for ever, so it is removed, but not before every backend of the dead server is gone: the
 * file also guards their shared memory.
 *
 * @throws {AppError} DATABASE_START when it doesn't stop in time
 */
export async function stopOrphan(cluster: string, log: Log): Promise<void> {
  const file = await readPostmasterFile(cluster)
  if (file !== undefined && (await runsIn(file.pid, cluster))) {
    log.warn('an orphaned database server is stopped', { pid: file.pid, port: file.port })
    await stopServer(file.pid, async () => !(await runsIn(file.pid, cluster)))
  }
  if (!(await holdsWithin(fastStopWithinMs, async () => (await processesIn(cluster)).length === 0))) {
    throw new AppError(
      'DATABASE_START',
      `server processes ${(await processesIn(cluster)).join(', ')} still work in ${cluster}; end them first`,
      {
        cluster
      }
    )
  }
  const left = await readPostmasterFile(cluster)
  if (left === undefined) return
  log.warn('a stale postmaster.pid is removed', { pid: left.pid, alive: (await identityOf(left.pid)) !== undefined })
  await rm(join(cluster, 'postmaster.pid'), { force: true })
}

/**
 * Fast shutdown (SIGINT: sessions are rolled back, a checkpoint written); where that takes too long, immediate shutdown
 * (SIGQUIT: the next start replays the log). Nothing committed is lost by either.
 *
 * @see PostgreSQL documentation, "Shutting Down the Server"
 */
export async function stopServer(pid: number, gone: () => Promise<boolean>): Promise<void> {
  signalProcess(pid, 'SIGINT')
  if (await holdsWithin(fastStopWithinMs, gone)) return
  signalProcess(pid, 'SIGQUIT')
  if (await holdsWithin(immediateStopWithinMs, gone)) return
  throw new AppError('DATABASE_START', `the database server (process ${pid}) does not stop`, { pid })
}

/** Asks again and again until it holds or the time is over. */
export async function holdsWithin(milliseconds: number, holds: () => Promise<boolean>, signal?: AbortSignal): Promise<boolean> {
  for (let waited = 0; waited <= milliseconds; waited += stepMs) {
    signal?.throwIfAborted()
    if (await holds()) return true
    await sleep(stepMs)
  }
  return false
}
