import type { Pool, PoolClient } from '@endeks/database/pool'

export interface Progress {
  readonly subjects: number
  readonly bills: number
  readonly pendingShards: number
}

/** How far a run's calculation is. */
export async function countProgress(pool: Pool | PoolClient, runId: bigint): Promise<Progress> {
  const { rows } = await pool.query<{ subjects: number; bills: number; pending: number }>(
    `SELECT r.subjects, coalesce(sum(s.bills), 0)::integer AS bills, count(*) FILTER (WHERE s.state = 'pending')::integer AS pending
     FROM rating.run r LEFT JOIN rating.run_shard s ON s.run_id = r.id WHERE r.id = $1 GROUP BY r.subjects`,
    [runId]
  )
  const row = rows[0]
  return { subjects: row?.subjects ?? 0, bills: row?.bills ?? 0, pendingShards: row?.pending ?? 0 }
}
