import type { PoolClient } from '@endeks/database/pool'
import { type EpochMs, epochMs } from '@endeks/domain/time'
import { CopyRows } from './copy-rows.js'
import type { DirtySpan } from './validation-reads.js'
import { addDirty } from './validation-writes.js'

/** Below this many rows an INSERT takes less than a COPY. */
const leastCopied = 200
const columnCount = 3
const rowBytes = 38

/** Has validation look at these readings: one span a register, from its first to its last. */
export async function addDirtyReadings(
  client: PoolClient,
  rows: readonly { readonly registerId: bigint; readonly at: EpochMs }[]
): Promise<void> {
  const spans = spansOf(rows)
  if (spans.length < leastCopied) {
    await addDirty(client, spans)
    return
  }
  const copy = new CopyRows(columnCount, spans.length * rowBytes)
  for (const { registerId, from, to } of spans) {
    copy.row()
    copy.bigint(registerId)
    copy.instant(from)
    copy.instant(to)
  }
  await copy.send(client, 'metering.dirty (register_id, from_at, to_at)')
}

function spansOf(rows: readonly { readonly registerId: bigint; readonly at: EpochMs }[]): DirtySpan[] {
  const spans = new Map<bigint, { registerId: bigint; from: number; to: number }>()
  for (const { registerId, at } of rows) {
    const span = spans.get(registerId)
    if (span === undefined) spans.set(registerId, { registerId, from: at, to: at })
    else if (at < span.from) span.from = at
    else if (at > span.to) span.to = at
  }
  return [...spans.values()].map(({ registerId, from, to }) => ({ registerId, from: epochMs(from), to: epochMs(to) }))
}
