import { inTransaction, type Pool, type PoolClient } from '@endeks/database/pool'
import { AppError, isAppError } from '@endeks/domain/errors'
import { failure, type Result, success } from '@endeks/domain/result'
import type { InvoiceAccounts } from '../invoice/compose.js'
import { writeBills } from '../store/bills.js'
import {
  claimShard,
  excludeSubject,
  finishShard,
  keepEvidence,
  type RunTerms,
  readAccounts,
  readKdv,
  readRateSchedule,
  readRegisters,
  readSegments,
  readSubjects,
  readTerms,
  type SegmentRow,
  type Shard,
  type Subject,
  type SuppliedRegister
} from '../store/shard.js'
import { prepareTariff, readTariff } from '../tariff/index.js'
import { type BilledSubject, billSubject, type RunTariff } from './bill-subject.js'

export interface ShardDependencies {
  readonly pool: Pool
  readonly killPoint: (name: string) => void
}

/**
 * Claims one shard of a run, rates it and writes its bills into the run's own tables. The claim, the output and "done" are one
 * transaction: whoever dies in between leaves the shard as it was.
 *
 * @returns false when no shard is left to claim
 */
export async function rateShard({ pool, killPoint }: ShardDependencies, runId: bigint): Promise<boolean> {
  return await inTransaction(pool, async (client) => {
    const shard = await claimShard(client, runId)
    const terms = shard === undefined ? undefined : await readTerms(client, runId)
    if (shard === undefined || terms === undefined) return false
    killPoint('calculate:claimed')
    const billed: BilledSubject[] = []
    for (const result of await rateSubjects(client, { runId, shard, terms })) {
      if (result.ok) billed.push(result.value)
      else
        await excludeSubject(client, runId, result.error.subject.subscription_id, result.error.cause.code, {
          message: result.error.cause.message
        })
    }
    await writeBills(client, { runId, terms, accounts: await invoiceAccounts(client), billed })
    killPoint('calculate:copied')
    await keepEvidence(client, runId, shard)
    await finishShard(client, runId, shard, billed.length)
    killPoint('calculate:before-commit')
    return true
  })
}

type Rated = Result<BilledSubject, { readonly subject: Subject; readonly cause: AppError }>

/** Prices each subject by itself: one that can't be billed is listed, the others go on. */
async function rateSubjects(
  client: PoolClient,
  { runId, shard, terms }: { runId: bigint; shard: Shard; terms: RunTerms }
): Promise<Rated[]> {
  const subjects = await readSubjects(client, runId, shard)
  const registers = groupBy(await readRegisters(client, runId, shard), (row: SuppliedRegister) => row.rank)
  const segments = groupBy(await readSegments(client, runId, shard), (row: SegmentRow) => row.rank)
  const tariffs = new Map<bigint, RunTariff>()
  const results: Rated[] = []
  for (const subject of subjects) {
    try {
      const tariff = tariffs.get(subject.rate_schedule_id) ?? (await loadTariff(client, runId, subject.rate_schedule_id))
      tariffs.set(subject.rate_schedule_id, tariff)
      const rows = {
        subject,
        registers: registers.get(subject.rank) ?? [],
        segments: groupBy(segments.get(subject.rank) ?? [], (row: SegmentRow) => row.span)
      }
      results.push(success(billSubject(rows, tariff, terms.zone)))
    } catch (thrown) {
      if (!isAppError(thrown)) throw thrown
      results.push(failure({ subject, cause: thrown }))
    }
  }
  return results
}

/** @throws {AppError} TARIFF_INVALID for a published tariff that the engine no longer accepts, RATE_SCHEDULE_GAP without KDV rows */
async function loadTariff(client: PoolClient, runId: bigint, rateScheduleId: bigint): Promise<RunTariff> {
  const schedule = await readRateSchedule(client, rateScheduleId)
  if (schedule === undefined) throw new AppError('TARIFF_NOT_FOUND', `there is no rate schedule ${rateScheduleId}`)
  const table = await readKdv(client, runId)
  const read = readTariff(schedule.document, table)
  if (!read.ok) {
    throw new AppError('TARIFF_INVALID', `tariff ${schedule.tariffCode} ${schedule.version}: ${read.error[0]?.message ?? 'not accepted'}`)
  }
  const classes = new Set(read.value.document.components.map((component) => component.kdv))
  const kdv = Object.fromEntries(Object.entries(table).filter(([kdvClass]) => classes.has(kdvClass)))
  return { schedule, prepared: prepareTariff(read.value.document, kdv), kdv }
}

async function invoiceAccounts(client: PoolClient): Promise<InvoiceAccounts> {
  const accounts = await readAccounts(client)
  const account = (part: string): string => {
    const number = accounts.get(part)
    if (number === undefined) throw new AppError('INTERNAL', `the chart of accounts says nothing of an invoice's ${part}`)
    return number
  }
  return { receivable: account('receivable'), revenue: account('revenue'), kdv: account('kdv') }
}

function groupBy<Row, Key>(rows: readonly Row[], keyOf: (row: Row) => Key): Map<Key, Row[]> {
  const groups = new Map<Key, Row[]>()
  for (const row of rows) {
    const key = keyOf(row)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return groups
}
