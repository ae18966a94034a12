import { join } from 'node:path'
import { systemClock } from '@endeks/domain/process'
import type { EpochMs } from '@endeks/domain/time'
import { processorTime, processorTimeOfTree } from './accounting.js'
import { type Child, startService } from './child.js'
import { type Cluster, startCluster } from './cluster.js'
import { type Generator, startGenerator } from './generator.js'
import { type Load, registers, site } from './load.js'
import { Ticks } from './ticks.js'
import { enterUtility, fillHistory, formerMonth } from './utility.js'
import { type Standing, standing } from './verify.js'

/** Fifty gateways, the product's ingest and its database, each a process of its own on the same processors. */
export interface Bench {
  readonly cluster: Cluster
  readonly generator: Generator
  readonly ingest: { readonly pid: number; readonly port: number }
  readonly start: EpochMs
  readonly firstRegister: bigint
  readonly ticks: Ticks
  stop(): Promise<void>
}

export interface BenchOptions {
  /** of all registers, that are stored before */
  readonly storedTicks: number
  readonly validation: boolean
  /** a gateway may do no more than the product allows; otherwise it is asked what the machine can do */
  readonly bounded?: boolean
  /** leaves the logs behind */
  readonly keep: boolean
}

/** As ingest/README.md says that it is started. */
const ingestOptions = '--max-semi-space-size=64'
const unbounded = { ENDEKS_GATEWAY_MESSAGES_PER_SECOND: '1000000', ENDEKS_GATEWAY_BYTES_PER_SECOND: '1000000000' }

export async function startBench(name: string, options: BenchOptions): Promise<Bench> {
  const cluster = await startCluster(name, options.keep)
  const running: { stop(): Promise<void> }[] = [cluster]
  let stopping: Promise<void> | undefined
  const stopAll = async (): Promise<void> => {
    for (const each of running) await each.stop()
  }
  const stop = (): Promise<void> => {
    stopping ??= stopAll()
    return stopping
  }
  // Whatever goes wrong, no process stays behind: the server is in a group of its own and hears no Ctrl-C. A
  // signal may come twice, to this process and to its group.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop().finally(() => process.exit(1)))
  try {
    const settings = Object.entries(cluster.settings).map((setting) => setting.join(' '))
    console.log(settings.join(', '))
    const start = formerMonth(systemClock.now())
    const firstRegister = await enterUtility(cluster.pool, { start, validation: options.validation })
    const stored = (options.storedTicks * registers).toLocaleString('en')
    console.error(`storing ${stored} readings`)
    await fillHistory(cluster.pool, { start, firstRegister, ticks: options.storedTicks })
    console.log(`${site.gateways} gateways, ${registers.toLocaleString('en')} registers, ${stored} readings stored`)
    const ingest = await startService('ingest', {
      arguments: ['run'],
      environment: {
        ...{ NODE_OPTIONS: ingestOptions, ENDEKS_DATABASE_URL: cluster.url, ENDEKS_MQTT_PORT: '0' },
        ...(options.bounded === true ? {} : unbounded)
      },
      log: join(cluster.directory, 'ingest.log')
    })
    running.unshift(ingest)
    const generator = await startGenerator(join(cluster.directory, 'generator.log'))
    running.unshift(generator)
    const ticks = new Ticks(start, options.storedTicks)
    return { cluster, generator, ingest: { pid: ingest.pid, port: portOf(ingest) }, start, firstRegister, ticks, stop }
  } catch (thrown) {
    await stop()
    throw thrown
  }
}

export function portOf(child: Child): number {
  const { port } = child.ready
  if (typeof port !== 'number') throw new Error('the process named no port')
  return port
}

/** Processor time in microseconds, by process. */
export interface ProcessorTimes {
  readonly ingest: number
  readonly postgres: number
  readonly generator: number
}

/** @returns what each process has had since, whenever it is asked */
export function processorTimes({ ingest, cluster, generator }: Bench): () => ProcessorTimes {
  const now = (): ProcessorTimes => ({
    ingest: processorTime(ingest.pid),
    postgres: processorTimeOfTree(cluster.pid),
    generator: processorTime(generator.pid)
  })
  const at = now()
  return () => {
    const { ingest, postgres, generator } = now()
    return { ingest: ingest - at.ingest, postgres: postgres - at.postgres, generator: generator - at.generator }
  }
}

/**
 * Drops what a measurement left to validation, and writes to the disk what it left to a checkpoint: each pays for itself.
 *
 * @returns what stands in the tables of the load that comes next
 */
export async function settle({ cluster }: Bench, next: Load): Promise<Standing> {
  await cluster.pool.query('truncate metering.dirty')
  await cluster.pool.query('checkpoint')
  return standing(cluster.pool, next)
}
