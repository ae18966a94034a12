import { by, type Check, type Metrics, one } from '@endeks/domain/operations'
import type { RunningIngest } from '../service.js'

const commitSeconds = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]

/** Of one batch, from its first statement to its commit: what an acknowledgement waits for besides its turn. */
export function commitDurations(metrics: Metrics): (seconds: number) => void {
  return metrics.durations({ name: 'endeks_ingest_commit_seconds', help: 'how long a batch took to commit' }, commitSeconds)
}

/** Without any of it no message can be stored and acknowledged now. */
export function ingestChecks(ingest: RunningIngest): Check[] {
  return [
    { name: 'database', missing: async () => void (await ingest.reachDatabase()) },
    { name: 'broker', missing: () => (ingest.state().listening ? undefined : 'it takes no messages') },
    { name: 'pressure', missing: () => (ingest.state().pressed ? 'more is held than can be stored in time' : undefined) }
  ]
}

/** Shows what is counted of an ingest and how it is now. */
export function showIngest(metrics: Metrics, ingest: RunningIngest): void {
  showReadings(metrics, ingest)
  showConnections(metrics, ingest)
  showMirror(metrics, ingest)
  metrics.total({ name: 'endeks_ingest_messages_total', help: 'messages taken from gateways' }, () => one(ingest.statistics().messages))
  metrics.total({ name: 'endeks_ingest_messages_unacknowledged_total', help: 'messages that were not stored in time' }, () =>
    one(ingest.statistics().messagesUnacknowledged)
  )
  metrics.total({ name: 'endeks_ingest_batches_total', help: 'transactions, by what became of them', labels: ['outcome'] }, () => {
    const { batches, batchesFailed } = ingest.statistics()
    return by('outcome', { done: batches, failed: batchesFailed })
  })
  metrics.total({ name: 'endeks_ingest_dead_letters_total', help: 'refused messages, kept or not, by code', labels: ['code'] }, () =>
    by('code', ingest.statistics().refusals)
  )
  metrics.total({ name: 'endeks_ingest_dead_letters_over_quota_total', help: 'refused messages that were only counted' }, () =>
    one(ingest.statistics().deadLettersOverQuota)
  )
  metrics.level({ name: 'endeks_ingest_held_bytes', help: 'memory of messages that are taken and not yet stored' }, () =>
    one(ingest.state().heldBytes)
  )
  metrics.level({ name: 'endeks_ingest_pressed', help: '1 while sources are not read, as more is held than can be stored in time' }, () =>
    one(Number(ingest.state().pressed))
  )
  metrics.level({ name: 'endeks_ingest_vee_backlog_spans', help: 'spans of registers that wait to be validated' }, async () =>
    one(await ingest.backlog())
  )
}

function showReadings(metrics: Metrics, ingest: RunningIngest): void {
  const words = { name: 'endeks_ingest_readings_total', help: 'readings, by what became of them', labels: ['outcome'] }
  metrics.total(words, () => {
    const { readingsStored: stored, readingsKnown: known, readingsConflicting: conflicting, ...other } = ingest.statistics()
    return by('outcome', { stored, known, conflicting, unassigned: other.readingsUnassigned, adopted: other.readingsAdopted })
  })
  const missing = { name: 'endeks_ingest_foreign_missing_total', help: "messages of other makers' gateways that their numbers miss" }
  metrics.total(missing, () => one(ingest.statistics().foreignMissing))
  metrics.total({ name: 'endeks_ingest_losses_declared_total', help: 'declarations of messages that gateways had to give up' }, () =>
    one(ingest.statistics().lossesDeclared)
  )
}

function showConnections(metrics: Metrics, ingest: RunningIngest): void {
  metrics.level({ name: 'endeks_ingest_connections', help: 'gateways that are connected' }, () => one(ingest.state().connected))
  const words = { name: 'endeks_ingest_connections_total', help: 'connections that were let in' }
  metrics.total(words, () => one(ingest.statistics().connections))
  const refused = { name: 'endeks_ingest_connects_refused_total', help: 'connections that were not let in, by reason', labels: ['reason'] }
  metrics.total(refused, () => by('reason', ingest.statistics().connectsRefusedBy))
  const cut = { name: 'endeks_ingest_connections_cut_total', help: 'connections that were ended, by reason', labels: ['reason'] }
  metrics.total(cut, () => by('reason', ingest.statistics().connectionsCutBy))
}

function showMirror(metrics: Metrics, ingest: RunningIngest): void {
  if (ingest.state().mirrorLagMs === undefined) return
  const words = { name: 'endeks_ingest_mirror_readings_total', help: 'readings brought to the mirror, by outcome', labels: ['outcome'] }
  metrics.total(words, () => {
    const { mirrorReadings: taken, mirrorRefused: refused } = ingest.statistics()
    return by('outcome', { taken, refused })
  })
  metrics.total({ name: 'endeks_ingest_mirror_failures_total', help: 'times that the mirror had to wait and try again' }, () =>
    one(ingest.statistics().mirrorFailures)
  )
  metrics.level({ name: 'endeks_ingest_mirror_lag_seconds', help: 'how far the mirror is behind' }, () =>
    one((ingest.state().mirrorLagMs ?? 0) / 1_000)
  )
}
