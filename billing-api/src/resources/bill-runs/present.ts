import { formatMicro } from '@endeks/domain/money'
import { toIso } from '@endeks/domain/time'
import { mayDo, type Right } from '../../rights.js'
import { hex, isoOrNull } from '../../wire.js'
import type { StaffUser } from '../session/store.js'
import type { RunDetail, RunRow } from './schema.js'
import type { CheckRow, ExclusionRow, RunRow as Row, RunDetailRow } from './store.js'

export function toRow(row: Row): RunRow {
  return {
    id: row.id.toString(),
    period: row.period,
    state: row.state,
    subjects: row.subjects,
    bills: row.bills,
    excluded: row.excluded,
    net: formatMicro(row.net_micro),
    tax: formatMicro(row.tax_micro),
    gross: formatMicro(row.gross_micro),
    createdAt: toIso(row.created_at),
    issuedAt: isoOrNull(row.issued_at),
    requestedBy: row.requested_by
  }
}

export interface RunParts {
  readonly run: RunDetailRow
  readonly checks: readonly CheckRow[]
  readonly exclusions: readonly ExclusionRow[]
  readonly user: StaffUser
}

export function toDetail({ run, checks, exclusions, user }: RunParts): RunDetail {
  return {
    ...toRow(run),
    cutoffAt: toIso(run.cutoff_at),
    issueDate: run.issue_date,
    dueDate: run.due_date,
    digest: run.digest === null ? null : hex(run.digest),
    failure: run.failure_code === null ? null : { code: run.failure_code, message: run.failure_message ?? '' },
    progress: progressOf(run),
    checks: checks.map((check) => ({ ...check, offenders: Array.isArray(check.offenders) ? check.offenders : [] })),
    exclusions: exclusions.map((each) => ({
      subscription: each.subscription,
      participant: { registryNo: each.registry_no.toString(), name: each.name },
      reason: each.reason
    })),
    numbers: numbersOf(run),
    previousGross: run.previous_gross === null ? null : formatMicro(run.previous_gross),
    actions: [
      action('issue', 'bill-runs.issue', run.state === 'checked' && run.bills > 0, user),
      action('abandon', 'bill-runs.abandon', run.state === 'checked' || run.state === 'failed', user)
    ]
  }
}

function progressOf(run: RunDetailRow): RunDetail['progress'] {
  const perSecond = run.seconds === null || run.seconds <= 0 ? 0 : run.done / run.seconds
  const left = run.total - run.done
  const known = run.state === 'calculating' && perSecond > 0
  return {
    done: run.done,
    total: run.total,
    perSecond: Math.round(perSecond * 10) / 10,
    secondsLeft: known ? Math.round(left / perSecond) : null
  }
}

/** The numbers that a run holds: they are computed as base + rank before anything is issued, and confirmed when it is. */
function numbersOf(run: RunDetailRow): RunDetail['numbers'] {
  const holds = run.state === 'checked' || run.state === 'issuing' || run.state === 'issued'
  if (!holds || run.number_base === null || run.bills === 0) return null
  const label = (number: bigint): string => `${run.series}${run.issue_date.slice(0, 4)}${number.toString().padStart(9, '0')}`
  return { first: label(run.number_base), last: label(run.number_base + BigInt(run.bills) - 1n) }
}

/** An act that can't be done says why by a code: its state, or the right that is missing. The console has the words. */
function action(name: string, right: Right, possible: boolean, user: StaffUser): RunDetail['actions'][number] {
  if (!mayDo(user.role, right)) return { name, allowed: false, reason: `RIGHT_MISSING ${right}` }
  return possible ? { name, allowed: true, reason: null } : { name, allowed: false, reason: 'RUN_STATE' }
}
