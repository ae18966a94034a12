import { setTimeout as sleep } from 'node:timers/promises'
import { createPool, hasSqlState, type Pool } from '@endeks/database/pool'
import type { Log } from '@endeks/domain/process'
import { toIso } from '@endeks/domain/time'
import type { Partitions } from './store/partitions.js'
import { applyStoragePolicy, dropExpired, readHolds } from './store/storage.js'

export interface StorageKeeperOptions {
  readonly databaseUrl: string
  readonly log: Log
  readonly partitions: Partitions
  readonly everyMs?: number
}

const defaultEveryMs = 3_600_000
/** Looking for what is not billed yet reads every subscription; nobody waits for it. */
const statementTimeoutMs = 60_000
/** A month at a time: each is a short transaction that locks its table, and writers come in between. */
const partsAtOnce = 1
const mostRounds = 100

/**
 * Applies the utility's storage policy at the start and every hour after: columnstore for old chunks, and an end for raw data that
 * nobody needs. Several processes may do it at once; what one has done, another finds done.
 */
export function startStorageKeeper(options: StorageKeeperOptions): { readonly stop: () => Promise<void> } {
  const { log, everyMs = defaultEveryMs } = options
  const pool = createPool({
    ...{ url: options.databaseUrl, role: 'endeks_ingest', max: 1, applicationName: 'endeks-ingest storage', log, statementTimeoutMs }
  })
  const stopping = new AbortController()
  const working = (async () => {
    while (!stopping.signal.aborted) {
      await keep(pool, options, stopping.signal).catch((thrown: unknown) => {
        // lock_not_available: somebody wrote for long; the next hour does it
        if (hasSqlState(thrown, '55P03')) log.info('the storage policy waits for writers and is tried again later')
        else log.error('the storage policy could not be applied and is tried again', { error: thrown })
      })
      await sleep(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  })()
  return {
    stop: async () => {
      stopping.abort()
      await working
      await pool.end()
    }
  }
}

async function keep(pool: Pool, { log, partitions }: StorageKeeperOptions, signal: AbortSignal): Promise<void> {
  const storage = await applyStoragePolicy(pool)
  for (let round = 0; round < mostRounds && !signal.aborted; round += 1) {
    const dropped = await dropExpired(pool, partsAtOnce)
    if (dropped.length === 0) break
    partitions.forget()
    log.info('raw data that is kept no longer was dropped', { storage, dropped })
  }
  for (const { reason, from } of await readHolds(pool)) {
    log.warn('raw data is kept longer than the policy says, as something needs it', { reason, from: toIso(from) })
  }
}
