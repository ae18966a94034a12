import type { Pool, PoolClient } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'

export type RunState = 'freezing' | 'calculating' | 'checking' | 'checked' | 'issuing' | 'issued' | 'failed' | 'abandoned'

export interface Run {
  readonly id: bigint
  readonly period: string
  readonly state: RunState
  readonly period_from: EpochMs
  readonly period_to: EpochMs
  readonly issue_date: string
  readonly due_date: string
  readonly series: string
  readonly number_base: bigint | null
  readonly id_base: bigint | null
  readonly subjects: number
  readonly bills: number
  readonly issued_by: string | null
}

const columns = 'id, period, state, period_from, period_to, issue_date, due_date, series, number_base, id_base, subjects, bills, issued_by'

/** The utility's own facts that a run needs before it has a row. */
export async function utility(client: PoolClient | Pool): Promise<{ zone: string; series: string; paymentDays: number }> {
  const { rows } = await client.query<{ zone: string; invoice_series: string; payment_days: number }>(
    'SELECT zone, invoice_series, payment_days FROM account.utility'
  )
  const row = rows[0]
  if (row === undefined) throw new AppError('RUN_STATE', 'the utility has no name, zone and series yet: import the site first')
  return { zone: row.zone, series: row.invoice_series, paymentDays: row.payment_days }
}

export interface NewRun {
  readonly period: string
  readonly from: string
  readonly to: string
  readonly issueDate: string
  readonly dueDate: string
  readonly series: string
  readonly requestedBy: string
}

/** @throws a unique violation when another run is open */
export async function insertRun(client: PoolClient, run: NewRun): Promise<bigint> {
  const { rows } = await client.query<{ id: bigint }>(
    `INSERT INTO rating.run (period, state, period_from, period_to, cutoff_at, issue_date, due_date, series, requested_by)
     VALUES ($1, 'freezing', $2, $3, metering.horizon(), $4, $5, $6, $7) RETURNING id`,
    [run.period, run.from, run.to, run.issueDate, run.dueDate, run.series, run.requestedBy]
  )
  const id = rows[0]?.id
  if (id === undefined) throw new AppError('INTERNAL', 'a new run has no id')
  return id
}

/** The run that still has something to be done by this service. */
export async function unfinishedRun(pool: Pool): Promise<Run | undefined> {
  const { rows } = await pool.query<Run>(
    `SELECT ${columns} FROM rating.run WHERE state IN ('freezing', 'calculating', 'checking', 'issuing') ORDER BY id LIMIT 1`
  )
  return rows[0]
}

/** @throws {AppError} RUN_NOT_FOUND */
export async function lockRun(client: PoolClient, id: bigint): Promise<Run> {
  const { rows } = await client.query<Run>(`SELECT ${columns} FROM rating.run WHERE id = $1 FOR UPDATE`, [id])
  const row = rows[0]
  if (row === undefined) throw new AppError('RUN_NOT_FOUND', `there is no run ${id}`)
  return row
}

export async function setState(client: PoolClient, id: bigint, state: RunState): Promise<void> {
  await client.query('UPDATE rating.run SET state = $2 WHERE id = $1', [id, state])
}

export async function requestIssue(client: PoolClient, id: bigint, issuedBy: string): Promise<void> {
  await client.query(`UPDATE rating.run SET state = 'issuing', issued_by = $2 WHERE id = $1`, [id, issuedBy])
}

export async function failRun(client: PoolClient, id: bigint, failure: { readonly code: string; readonly message: string }): Promise<void> {
  await client.query(`UPDATE rating.run SET state = 'failed', failure_code = $2, failure_message = $3 WHERE id = $1`, [
    id,
    failure.code,
    failure.message
  ])
}

/** A failed run keeps its tables to be looked at, and not its numbers. */
export async function returnNumbers(client: PoolClient, id: bigint): Promise<void> {
  await client.query('SELECT ledger.return_numbers($1)', [id])
}

/** Drops what a run made and gives its numbers back: nothing of it was visible, so there is nothing to undo. */
export async function discardRun(client: PoolClient, id: bigint): Promise<void> {
  await client.query('SELECT rating.drop_run_tables($1), ledger.return_numbers($1)', [id])
}

export async function recordAudit(
  client: PoolClient,
  event: { actor: string; action: string; runId: bigint; details: unknown }
): Promise<void> {
  await client.query(`SELECT audit.record($1, $2, 'bill-run', $3, $4)`, [
    event.actor,
    event.action,
    event.runId.toString(),
    JSON.stringify(event.details)
  ])
}
