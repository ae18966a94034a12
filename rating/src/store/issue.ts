import type { PoolClient } from '@endeks/database/pool'

/**
 * Makes a checked run visible: the ledger confirms the numbers and takes documents and postings over, the bills follow, and the
 * run's own tables go. All of it in the caller's transaction.
 *
 * @returns the number of invoices
 */
export async function issueRun(client: PoolClient, runId: bigint, issuedBy: string, killPoint: (name: string) => void): Promise<bigint> {
  const { rows } = await client.query<{ issue_run: bigint }>('SELECT ledger.issue_run($1)', [runId])
  killPoint('issue:documents')
  for (const table of ['bill', 'bill_input', 'accrual', 'charge']) {
    await client.query(`INSERT INTO rating.${table} SELECT * FROM rating_run.${table}_${runId}`)
    killPoint(`issue:${table}`)
  }
  await client.query(`UPDATE rating.run SET state = 'issued', issued_at = now(), issued_by = $2 WHERE id = $1`, [runId, issuedBy])
  await client.query('SELECT rating.drop_run_tables($1)', [runId])
  return rows[0]?.issue_run ?? 0n
}
