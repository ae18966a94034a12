import type { CommandHandler, LongRunningHandler } from '@endeks/database/commands'
import { hasSqlState, type PoolClient } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { billingMonth, type Clock, type EpochMs, toIso, toLocal } from '@endeks/domain/time'
import { Temporal } from 'temporal-polyfill'
import { discardRun, insertRun, lockRun, recordAudit, requestIssue, setState, utility } from '../store/runs.js'

const dayMs = 86_400_000

/** What billing-api may ask of rating. Each only starts the work; the runner takes it up once the command has committed. */
export function runCommands(clock: Clock, wake: () => void): Record<string, CommandHandler | LongRunningHandler> {
  const thenWake = (start: CommandHandler): LongRunningHandler => ({ longRunning: true, start, run: async () => wake() })
  return {
    'start-bill-run': thenWake(async (payload, { client, requestedBy }) => {
      const { period } = fields(payload, ['period'])
      const runId = await start(client, { period, requestedBy, now: clock.now() })
      return { runId: runId.toString() }
    }),
    'issue-bill-run': thenWake(async (payload, { client, requestedBy }) => {
      const { runId, bills } = fields(payload, ['runId', 'bills'])
      await requestIssueOf(client, { runId: BigInt(runId), bills: Number(bills), requestedBy })
      return { runId }
    }),
    'abandon-bill-run': async (payload, { client, requestedBy }) => {
      const { runId } = fields(payload, ['runId'])
      await abandon(client, BigInt(runId), requestedBy)
      return { runId }
    }
  }
}

function fields<Name extends string>(payload: unknown, names: readonly Name[]): Record<Name, string> {
  const given = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {}
  const values = {} as Record<Name, string>
  for (const name of names) {
    const value = given[name]
    if (typeof value !== 'string' && typeof value !== 'number') throw new AppError('COMMAND_FAILED', `the command says no ${name}`)
    values[name] = String(value)
  }
  return values
}

/**
 * @throws {AppError} PERIOD_NOT_OVER before the month has ended in the utility's zone, RUN_IN_PROGRESS while another run is open
 */
async function start(
  client: PoolClient,
  { period, requestedBy, now }: { period: string; requestedBy: string; now: EpochMs }
): Promise<bigint> {
  const { zone, series, paymentDays } = await utility(client)
  const month = billingMonth(Temporal.PlainYearMonth.from(period), zone)
  if (month.to > now)
    throw new AppError('PERIOD_NOT_OVER', `${period} ends at ${toIso(month.to)}: it can be billed from then on`, { period })
  const issueDate = localDate(now, zone)
  try {
    const runId = await insertRun(client, {
      period,
      from: toIso(month.from),
      to: toIso(month.to),
      issueDate,
      dueDate: localDate((now + paymentDays * dayMs) as EpochMs, zone),
      series,
      requestedBy
    })
    await recordAudit(client, { actor: requestedBy, action: 'start', runId, details: { period } })
    return runId
  } catch (thrown) {
    if (!hasSqlState(thrown, '23505')) throw thrown
    throw new AppError('RUN_IN_PROGRESS', 'another bill run is open: issue or abandon it first', { period }, thrown)
  }
}

function localDate(at: EpochMs, zone: string): string {
  const { year, month, day } = toLocal(at, zone)
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

/** Issuing is irreversible, so the person says how many invoices they saw, and it must be the number that there is. */
async function requestIssueOf(
  client: PoolClient,
  { runId, bills, requestedBy }: { runId: bigint; bills: number; requestedBy: string }
): Promise<void> {
  const run = await lockRun(client, runId)
  if (run.state !== 'checked')
    throw new AppError('RUN_STATE', `run ${runId} is ${run.state}: only a checked run can be issued`, { state: run.state })
  if (run.bills === 0) throw new AppError('RUN_STATE', `run ${runId} has nothing to issue: abandon it`, { bills: 0 })
  if (run.bills !== bills) {
    throw new AppError('RUN_STATE', `run ${runId} has ${run.bills} invoices, not ${bills}: look at it again`, { bills: run.bills })
  }
  await requestIssue(client, runId, requestedBy)
}

async function abandon(client: PoolClient, runId: bigint, requestedBy: string): Promise<void> {
  const run = await lockRun(client, runId)
  if (run.state === 'issuing' || run.state === 'issued' || run.state === 'abandoned') {
    throw new AppError('RUN_STATE', `run ${runId} is ${run.state}: it can be abandoned until it is issued`, { state: run.state })
  }
  await discardRun(client, runId)
  await setState(client, runId, 'abandoned')
  await recordAudit(client, { actor: requestedBy, action: 'abandon', runId, details: { period: run.period } })
}
