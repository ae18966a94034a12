import { setTimeout as sleep } from 'node:timers/promises'
import { inTransaction, type Pool } from '@endeks/database/pool'
import type { Log } from '@endeks/domain/process'
import { digestOf, runChecks, runTables, saveChecks, saveTotals } from '../store/check.js'
import { closeRanks, freezeSubjects, leaseAndCut } from '../store/freeze.js'
import { issueRun } from '../store/issue.js'
import { countProgress } from '../store/progress.js'
import { discardRun, failRun, lockRun, type Run, recordAudit, returnNumbers, setState } from '../store/runs.js'

export interface RunDependencies {
  readonly pool: Pool
  readonly log: Log
  /** calculates shards until none is left */
  readonly calculate: (runId: bigint) => Promise<void>
  readonly shardSize: number
  readonly killPoint: (name: string) => void
}

/** Subjects that fail in calculation are taken out and the ranks closed; that much can be said of data, more often is a bug. */
const mostRankings = 3
/** Shards that another host has claimed are waited for this long before looking again. */
const otherHostMs = 500

/**
 * Takes a run one step on: freeze, calculate, check or issue. Each step is idempotent or one transaction, so a run that was
 * killed anywhere goes on from its state.
 */
export async function advance(dependencies: RunDependencies, run: Run): Promise<void> {
  if (run.state === 'freezing') return await freeze(dependencies, run)
  if (run.state === 'calculating') return await calculate(dependencies, run)
  if (run.state === 'checking') return await check(dependencies, run)
  if (run.state === 'issuing') return await issue(dependencies, run)
}

/**
 * Gives a run up that fails the same way again and again: it is failed with its cause, its numbers go back, and the next one may
 * start. One that is being issued is not given up: its numbers were confirmed, and what hinders it has to be put right.
 */
export async function giveUp(
  { pool, log }: RunDependencies,
  run: Run,
  cause: { readonly code: string; readonly message: string }
): Promise<void> {
  await inTransaction(pool, async (client) => {
    const { state } = await lockRun(client, run.id)
    if (state !== 'freezing' && state !== 'calculating' && state !== 'checking') return
    await discardRun(client, run.id)
    await failRun(client, run.id, cause)
    log.error('run given up', { run: run.id, ...cause })
  })
}

async function freeze({ pool, log, shardSize, killPoint }: RunDependencies, run: Run): Promise<void> {
  const subjects = await inTransaction(
    pool,
    async (client) => {
      if ((await lockRun(client, run.id)).state !== 'freezing') return undefined
      const count = await freezeSubjects(client, run)
      killPoint('freeze:subjects')
      await leaseAndCut(client, run, count, shardSize)
      killPoint('freeze:before-commit')
      return count
    },
    { isolation: 'repeatable read', retries: 5 }
  )
  killPoint('freeze:after-commit')
  if (subjects !== undefined) log.info('run frozen', { run: run.id, period: run.period, subjects })
}

async function calculate({ pool, log, calculate, shardSize, killPoint }: RunDependencies, run: Run): Promise<void> {
  for (let ranking = 1; ; ranking += 1) {
    await calculate(run.id)
    const progress = await countProgress(pool, run.id)
    if (progress.pendingShards > 0) return await sleep(otherHostMs)
    if (progress.bills === progress.subjects) break
    if (ranking === mostRankings) {
      await inTransaction(pool, async (client) => {
        await discardRun(client, run.id)
        await failRun(client, run.id, {
          code: 'RUN_CHECK_FAILED',
          message: 'subscriptions fail in calculation again and again: see the exclusions'
        })
      })
      return
    }
    const left = await inTransaction(pool, async (client) => {
      await lockRun(client, run.id)
      const now = await countProgress(client, run.id)
      return now.pendingShards > 0 || now.bills === now.subjects ? undefined : await closeRanks(client, run, shardSize)
    })
    log.warn('subscriptions could not be rated and are listed', { run: run.id, subjects: left })
  }
  killPoint('calculate:all-done')
  await inTransaction(pool, async (client) => {
    if ((await lockRun(client, run.id)).state === 'calculating') await setState(client, run.id, 'checking')
  })
}

async function check({ pool, log, killPoint }: RunDependencies, run: Run): Promise<void> {
  await inTransaction(
    pool,
    async (client) => {
      if ((await lockRun(client, run.id)).state !== 'checking') return
      const results = await runChecks(client, run.id)
      await saveChecks(client, run.id, results)
      killPoint('check:saved')
      const failed = results.filter((result) => !result.passed)
      if (failed.length > 0) {
        const message = `${failed.length} of ${results.length} checks failed: ${failed.map((result) => result.name).join(', ')}`
        await returnNumbers(client, run.id)
        await failRun(client, run.id, { code: 'RUN_CHECK_FAILED', message })
        log.error('run failed its checks: nothing is issued', { run: run.id, failed: failed.map((result) => result.name) })
        return
      }
      await saveTotals(client, run.id, await digestOf(client, runTables(run.id), run.id))
      killPoint('check:before-commit')
      log.info('run checked', { run: run.id, checks: results.length })
    },
    { isolation: 'repeatable read', retries: 5 }
  )
  killPoint('check:after-commit')
}

async function issue({ pool, log, killPoint }: RunDependencies, run: Run): Promise<void> {
  const issued = await inTransaction(pool, async (client) => {
    const locked = await lockRun(client, run.id)
    if (locked.state !== 'issuing') return undefined
    killPoint('issue:locked')
    const issuedBy = locked.issued_by ?? 'unknown'
    const count = await issueRun(client, run.id, issuedBy, killPoint)
    await recordAudit(client, {
      actor: issuedBy,
      action: 'issue',
      runId: run.id,
      details: { period: run.period, invoices: count.toString() }
    })
    killPoint('issue:before-commit')
    return count
  })
  killPoint('issue:after-commit')
  if (issued !== undefined) log.info('run issued', { run: run.id, invoices: issued })
}
