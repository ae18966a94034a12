import type { LongRunningHandler } from '@endeks/database/commands'
import { inTransaction, type Pool, type PoolClient } from '@endeks/database/pool'
import { checkConfig } from '@endeks/domain/process'
import Type, { type Static } from 'typebox'
import type { Resolved, Resolver } from '../accept/resolver.js'
import type { KillPoint } from '../kill-points.js'
import type { Partitions } from '../store/partitions.js'
import { type ReadingRow, storeUnremembered } from '../store/readings.js'
import { claimWaiting, isDue, markAdopted, type UnassignedReason, updateReasons, type WaitingRow } from '../store/unassigned.js'

export interface AdoptDependencies {
  readonly pool: Pool
  readonly resolver: Resolver
  readonly partitions: Partitions
  readonly killPoint: KillPoint
  /** settled when every batch that was resolved by older knowledge is stored */
  readonly currentBatches: () => Promise<void>
  /** called after each commit */
  readonly adopted: (count: number) => void
}

const Payload = Type.Object(
  { gatewayId: Type.Optional(Type.String()), bus: Type.Optional(Type.String()), address: Type.Optional(Type.String()) },
  { additionalProperties: false }
)

const Progress = Type.Object({
  examined: Type.Integer(),
  adopted: Type.Integer(),
  /** whether more wait to be examined, which goes on by itself */
  more: Type.Boolean(),
  afterId: Type.String(),
  scope: Payload
})
type Progress = Static<typeof Progress>

const nothingYet: Progress = { examined: 0, adopted: 0, more: true, afterId: '0', scope: {} }

/** Readings in one transaction. */
const batchRows = 2_000

/**
 * The command `adopt-unassigned`: readings that wait are resolved again and become readings where a meter is entered for them
 * by now, in the order in which they came: of two values for one instant the first becomes the reading. The first batch is the command's result, what is left follows in transactions of its own.
 */
export function adoptUnassigned(dependencies: AdoptDependencies): LongRunningHandler {
  return {
    longRunning: true,
    start: async (payload, { client }) => {
      const scope = checkConfig(Payload, payload, 'adopt-unassigned')
      dependencies.resolver.clear()
      await dependencies.currentBatches()
      return adoptBatch(client, { ...nothingYet, scope }, dependencies)
    },
    run: async (result, { signal }) => {
      const progress = checkConfig(Progress, result, 'the result of adopt-unassigned')
      dependencies.adopted(progress.adopted)
      await adoptRest(progress, dependencies, signal)
    }
  }
}

/** Looks at everything that waits; a service does it when it starts, as it may have ended in the middle of an adoption. */
export async function adoptAll(dependencies: AdoptDependencies, signal: AbortSignal): Promise<void> {
  await adoptRest(nothingYet, dependencies, signal)
}

/** Looks at what was ahead of its time and is not any more: nobody enters anything on whose account it would be looked at. */
export async function adoptDue(dependencies: AdoptDependencies, signal: AbortSignal): Promise<void> {
  if (await isDue(dependencies.pool)) await adoptRest(nothingYet, dependencies, signal, true)
}

async function adoptRest(begun: Progress, dependencies: AdoptDependencies, signal: AbortSignal, due = false): Promise<void> {
  let progress = begun
  while (progress.more && !signal.aborted) {
    const before = progress
    progress = await inTransaction(dependencies.pool, (client) => adoptBatch(client, before, dependencies, due), { retries: 3 })
    dependencies.adopted(progress.adopted - before.adopted)
  }
}

async function adoptBatch(client: PoolClient, progress: Progress, dependencies: AdoptDependencies, due = false): Promise<Progress> {
  const { gatewayId, bus, address } = progress.scope
  const scope = { gateway: gatewayId, bus, address, due }
  const waiting = await claimWaiting(client, scope, BigInt(progress.afterId), batchRows)
  const answers = await dependencies.resolver.resolve(
    client,
    waiting.map((row) => ({
      place: { gateway: row.gateway, bus: row.bus, address: row.address },
      identity: { id: row.deviceId, ...(row.manufacturer === '' ? {} : { manufacturer: row.manufacturer }) },
      obis: [row.obis],
      at: [row.at]
    }))
  )
  const sorted = sort(waiting, answers)
  // Nothing of this transaction touches the tables yet for which months are made here, on another connection.
  await dependencies.partitions.ensure(sorted.readings.map((row) => row.at))
  await storeUnremembered(client, sorted.readings)
  if (sorted.adopted.length > 0) dependencies.killPoint('adopt:inserted')
  await markAdopted(client, sorted.adopted)
  await updateReasons(client, sorted.reasons)
  return {
    ...progress,
    examined: progress.examined + waiting.length,
    adopted: progress.adopted + sorted.adopted.length,
    more: waiting.length === batchRows,
    afterId: (waiting.at(-1)?.id ?? BigInt(progress.afterId)).toString()
  }
}

interface Sorted {
  readonly readings: ReadingRow[]
  readonly adopted: bigint[]
  readonly reasons: { readonly id: bigint; readonly reason: UnassignedReason }[]
}

function sort(waiting: readonly WaitingRow[], answers: readonly (readonly Resolved[])[]): Sorted {
  const sorted: Sorted = { readings: [], adopted: [], reasons: [] }
  for (const [index, row] of waiting.entries()) {
    const answer = answers[index]?.[0]
    if (answer === undefined) continue
    if (typeof answer === 'bigint') {
      const { at, raw, scaler, unit, status, exchangeId, exchangeDay } = row
      sorted.readings.push({ registerId: answer, at, raw, scaler, unit, status, source: 'remote', exchangeId, exchangeDay })
      sorted.adopted.push(row.id)
    } else if (answer !== row.reason) sorted.reasons.push({ id: row.id, reason: answer })
  }
  return sorted
}
