import type { Pool, PoolClient } from '@endeks/database/pool'

export interface Progress {
  readonly subjects: number
  readonly bills: number
  readonly pendingShards: number
}

/** How many runs there are in each state, and shards of those that calculate. */
export async function countRuns(pool: Pool): Promise<{
  readonly runs: Readonly<Record<string, number>>
  readonly shards: Readonly<Record<string, number>>
}> {
  const { rows } = await pool.query<{ what: 'runs' | 'shards'; state: string; count: number }>(
    `SELECT 'runs' AS what, state, count(*)::integer AS count FROM rating.run GROUP BY state
     UNION ALL
     SELECT 'shards', s.state, count(*)::integer FROM rating.run_shard s JOIN rating.run r ON r.id = s.run_id AND r.state = 'calculating' GROUP BY s.state`
  )
  const of = (what: string) => Object.fromEntries(rows.filter((row) => row.what === what).map((row) => [row.state, row.count]))
  return { runs: of('runs'), shards: of('shards') }
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
