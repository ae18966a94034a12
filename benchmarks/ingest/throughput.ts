import type { Pool } from '@endeks/database/pool'
import { type Bench, type ProcessorTimes, processorTimes, settle } from '../support/bench.js'
import { exchangesPerMessage, type Load } from '../support/load.js'
import { verify } from '../support/verify.js'

/** What a load cost, from the first message to the last acknowledgement. */
export interface Throughput {
  readonly readingsPerSecond: number
  readonly messagesPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cuts: number
  /** processor time by process */
  readonly microsecondsPerReading: ProcessorTimes
  readonly messageBytes: number
  readonly exchanges: number
  /** spans that validation had still to look at, and segments that it had made by then */
  readonly validation: { readonly waiting: number; readonly segments: number }
}

const sendWithinMs = 300_000

/**
 * Sends a load as fast as it is acknowledged and holds the tables against it.
 *
 * @param options.again the load had been stored before: nothing may change
 */
export async function measureThroughput(
  bench: Bench,
  load: Load,
  options: { readonly window: number; readonly again?: boolean }
): Promise<Throughput> {
  const { cluster, generator, ingest } = bench
  const { messageBytes } = await generator.prepare(load, ingest.port)
  const before = await settle(bench, load)
  const segmentsBefore = await segmentsOf(cluster.pool)
  const spent = processorTimes(bench)
  const sent = await generator.send({ window: options.window }, sendWithinMs)
  const microseconds = spent()
  const validation = await validationOf(cluster.pool, segmentsBefore)
  await verify(cluster.pool, load, { firstRegister: bench.firstRegister, before, again: options.again ?? false })
  return {
    readingsPerSecond: (sent.readings * 1_000) / sent.elapsedMs,
    messagesPerSecond: (sent.messages * 1_000) / sent.elapsedMs,
    p50Ms: sent.p50Ms,
    p99Ms: sent.p99Ms,
    cuts: sent.cuts,
    microsecondsPerReading: {
      ingest: microseconds.ingest / sent.readings,
      postgres: microseconds.postgres / sent.readings,
      generator: microseconds.generator / sent.readings
    },
    messageBytes,
    exchanges: exchangesPerMessage(load),
    validation
  }
}

async function validationOf(pool: Pool, segmentsBefore: number): Promise<Throughput['validation']> {
  const { rows } = await pool.query<{ waiting: number }>('select count(*)::integer as waiting from metering.dirty_span')
  return { waiting: rows[0]?.waiting ?? 0, segments: (await segmentsOf(pool)) - segmentsBefore }
}

async function segmentsOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ segments: number }>('select count(*)::integer as segments from metering.segment')
  return rows[0]?.segments ?? 0
}
