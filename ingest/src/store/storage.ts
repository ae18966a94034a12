import type { Pool } from '@endeks/database/pool'
import type { EpochMs } from '@endeks/domain/time'

/** How the time-series tables are kept: in partitions, in hypertables, or in hypertables whose older chunks are in the columnstore. */
export type StorageKind = 'partitions' | 'hypertables' | 'columnstore'

/** Gives old chunks to the columnstore where TimescaleDB and its licence have it; does nothing that is done already. */
export async function applyStoragePolicy(pool: Pool): Promise<StorageKind> {
  const { rows } = await pool.query<{ kind: StorageKind }>('select metering.apply_storage_policy() as kind')
  return rows[0]?.kind ?? 'partitions'
}

/**
 * Drops the oldest months of raw readings and exchanges that the policy no longer keeps and that nothing needs, at most `most`.
 *
 * @returns what was dropped, in words
 */
export async function dropExpired(pool: Pool, most: number): Promise<string[]> {
  const { rows } = await pool.query<{ dropped: string }>('select dropped from metering.drop_expired($1)', [most])
  return rows.map((row) => row.dropped)
}

/** What keeps readings from being dropped that are old enough for it, and from when on. */
export async function readHolds(pool: Pool): Promise<{ reason: string; from: EpochMs }[]> {
  const { rows } = await pool.query<{ reason: string; needed_from: EpochMs }>(
    `select n.reason, n.needed_from from metering.readings_needed() n, metering.storage_policy p
     where n.needed_from - interval '1 day' < now() - make_interval(months => p.keep_months) order by n.needed_from`
  )
  return rows.map((row) => ({ reason: row.reason, from: row.needed_from }))
}
