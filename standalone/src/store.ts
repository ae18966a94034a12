import type { Pool } from '@endeks/database/pool'

/**
 * How many of the meters' month-end indexes have become validated consumption, and how many there will be: one for each closed
 * month and each register that stood somewhere when the month ended.
 */
export async function historyProgress(pool: Pool, monthEnds: readonly string[]): Promise<{ done: number; total: number }> {
  const { rows } = await pool.query<{ total: number; done: number }>(
    `SELECT count(*)::integer AS total,
       count(*) FILTER (WHERE EXISTS (SELECT FROM metering.segment g WHERE g.register_id = r.id AND g.to_at = m.at AND g.superseded_at IS NULL))::integer AS done
     FROM unnest($1::timestamptz[]) AS m (at)
     JOIN account.installation i ON i.superseded_at IS NULL AND i.valid_from < m.at AND (i.valid_to IS NULL OR i.valid_to >= m.at)
     JOIN account.register r ON r.meter_id = i.meter_id`,
    [monthEnds]
  )
  return rows[0] ?? { done: 0, total: 0 }
}

/** Spans of readings that validation has not looked at yet. */
export async function pendingValidation(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ count: number }>('SELECT count(*)::integer FROM metering.dirty_span')
  return rows[0]?.count ?? 0
}
