import { setTimeout as sleep } from 'node:timers/promises'
import type { RunDetail, RunRow } from '@endeks/billing-api/contract'
import { AppError } from '@endeks/domain/errors'
import type { ApiClient } from './client.js'

export interface Billing {
  readonly api: ApiClient
  /** closed months, oldest first */
  readonly months: readonly string[]
  readonly onProgress: (month: string, done: number, total: number) => void
  readonly killPoint: (name: string) => void
  readonly signal: AbortSignal
}

const lookEveryMs = 50
const monthWithinMs = 600_000

/** Bills every closed month that is not billed yet, in order, going on with a run that was left open. */
export async function billClosedMonths(billing: Billing): Promise<void> {
  const { api, months } = billing
  for (const [index, month] of months.entries()) {
    billing.onProgress(month, index, months.length)
    const { items } = await api.get<{ items: RunRow[] }>('/bill-runs')
    const runs = items.filter((run) => run.period === month)
    if (runs.some((run) => run.state === 'issued')) continue
    const open = runs.find((run) => run.state !== 'failed' && run.state !== 'abandoned')
    await billMonth(billing, open?.id ?? (await api.post<RunRow>('/bill-runs', { period: month })).id)
  }
  billing.onProgress(months.at(-1) ?? '', months.length, months.length)
}

async function billMonth({ api, killPoint, signal }: Billing, id: string): Promise<void> {
  const checked = await settled(api, { id, states: ['checked', 'issued'], signal })
  if (checked.state === 'issued') return
  if (checked.bills === 0) {
    await api.post(`/bill-runs/${id}/abandon`, {})
    return
  }
  killPoint('standalone:checked')
  await api.post(`/bill-runs/${id}/issue`, { bills: checked.bills })
  await settled(api, { id, states: ['issued'], signal })
}

async function settled(
  api: ApiClient,
  { id, states, signal }: { readonly id: string; readonly states: readonly string[]; readonly signal: AbortSignal }
): Promise<RunDetail> {
  const until = performance.now() + monthWithinMs
  while (performance.now() < until) {
    signal.throwIfAborted()
    const run = await api.get<RunDetail>(`/bill-runs/${id}`)
    if (states.includes(run.state)) return run
    if (run.state === 'failed' || run.state === 'abandoned') {
      throw new AppError('RUN_CHECK_FAILED', `the run of ${run.period} is ${run.state}: ${run.failure?.message ?? ''}`)
    }
    await sleep(lookEveryMs)
  }
  throw new AppError('TIMEOUT', `run ${id} is not ${states.join(' or ')} after ${monthWithinMs / 60_000} minutes`)
}
