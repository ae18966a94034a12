import type { Pool } from '@endeks/database/pool'
import type { EpochMs } from '@endeks/domain/time'
import { processorTime, processorTimeOfTree } from '../support/accounting.js'
import type { Cluster } from '../support/cluster.js'
import type { Generator } from '../support/generator.js'
import { exchangesPerMessage, type Load } from '../support/load.js'
import { standing, verify } from './verify.js'

/** Everything on the same processors. */
export interface Bench {
  readonly cluster: Cluster
  readonly generator: Generator
  readonly ingest: { readonly pid: number; readonly port: number }
  readonly start: EpochMs
  readonly firstRegister: bigint
  /** unacknowledged messages of a connection at most */
  readonly window: number
}

/** What a load cost, from the first message to the last acknowledgement. */
export interface Throughput {
  readonly readingsPerSecond: number
  readonly messagesPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cuts: number
  /** processor time by process */
  readonly microsecondsPerReading: { readonly ingest: number; readonly postgres: number; readonly generator: number }
  readonly messageBytes: number
  readonly exchanges: number
  /** spans that validation had still to look at, and segments that it had made by then */
  readonly validation: { readonly waiting: number; readonly segments: number }
}

const sendWithinMs = 300_000

/**
 * Sends a load as fast as it is acknowledged and holds the tables against it.
 *
 * @param again the load had been stored before: nothing may change
 */
export async function measureThroughput(bench: Bench, load: Load, again = false): Promise<Throughput> {
  const { cluster, generator, ingest } = bench
  const { messageBytes } = await generator.prepare(load, ingest.port)
  const before = await settle(cluster.pool)
  const spent = (): readonly number[] => [processorTime(ingest.pid), processorTimeOfTree(cluster.pid), processorTime(generator.pid)]
  const at = spent()
  const sent = await generator.send({ window: bench.window }, sendWithinMs)
  const [ingested = 0, stored = 0, generated = 0] = spent().map((each, index) => (each - (at[index] ?? 0)) / sent.readings)
  const validation = await validationOf(cluster.pool, before.segments)
  await verify(cluster.pool, load, { firstRegister: bench.firstRegister, before: before.standing, again })
  return {
    readingsPerSecond: (sent.readings * 1_000) / sent.elapsedMs,
    messagesPerSecond: (sent.messages * 1_000) / sent.elapsedMs,
    p50Ms: sent.p50Ms,
    p99Ms: sent.p99Ms,
    cuts: sent.cuts,
    microsecondsPerReading: { ingest: ingested, postgres: stored, generator: generated },
    messageBytes,
    exchanges: exchangesPerMessage(load),
    validation
  }
}

/** Ends what the part before left to validation, and writes out what it left to the disk, so that each part pays for itself. */
export async function settle(pool: Pool): Promise<{ readonly standing: Awaited<ReturnType<typeof standing>>; readonly segments: number }> {
  await pool.query('truncate metering.dirty')
  await pool.query('checkpoint')
  return { standing: await standing(pool), segments: await segmentsOf(pool) }
}

async function validationOf(pool: Pool, segmentsBefore: number): Promise<Throughput['validation']> {
  const { rows } = await pool.query<{ waiting: number }>('select count(*)::integer as waiting from metering.dirty')
  return { waiting: rows[0]?.waiting ?? 0, segments: (await segmentsOf(pool)) - segmentsBefore }
}

async function segmentsOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ segments: number }>('select count(*)::integer as segments from metering.segment')
  return rows[0]?.segments ?? 0
}
