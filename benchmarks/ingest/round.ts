import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Bench, portOf, settle } from '../support/bench.js'
import { startChild } from '../support/child.js'
import type { Load, LoadShape } from '../support/load.js'
import { copyAndInsert, copyPlain, type Limit, writeRows } from './limits.js'
import type { Options } from './options.js'
import { measureThroughput, type Throughput } from './throughput.js'

/**
 * The product's loads, by name. A gateway's message holds 64 KB at most with its evidence, so that it comes to five hundred
 * readings only where an answer tells ten of them; of a hundred it is believed to tell five, and in one line two.
 */
export const loads = {
  '500 a message': { perMessage: 500, registersPerExchange: 10, instantsPerExchange: 1, repeats: 'messages' },
  '500 a message, repeats scattered': { perMessage: 500, registersPerExchange: 10, instantsPerExchange: 1, repeats: 'readings' },
  '500 a message, load profiles': { perMessage: 500, registersPerExchange: 10, instantsPerExchange: 5, repeats: 'messages' },
  '100 a message': { perMessage: 100, registersPerExchange: 5, instantsPerExchange: 1, repeats: 'messages' },
  '100 a message, 50 answers': { perMessage: 100, registersPerExchange: 2, instantsPerExchange: 1, repeats: 'messages' },
  'single readings': { perMessage: 1, registersPerExchange: 1, instantsPerExchange: 1, repeats: 'messages' }
} as const satisfies Record<string, Omit<LoadShape, 'ticks'>>

export type LoadName = keyof typeof loads
export const loadNames = Object.keys(loads) as LoadName[]

/** What was measured in turns: the product under each load, and each limit. */
export interface Round {
  readonly product: Readonly<Record<LoadName, Throughput>>
  /** everything of the first load sent again */
  readonly redelivery: Throughput
  readonly insertOne: Limit
  readonly insertTwo: Limit
  readonly plainTwo: Limit
  /** messages a second through the broker alone */
  readonly stubbed: number
}

export async function measureRound(bench: Bench, options: Options): Promise<Round> {
  const { ticks } = bench
  const { window } = options
  const product: Partial<Record<LoadName, Throughput>> = {}
  const measure = async (name: LoadName): Promise<Load> => {
    const load = ticks.load({ ...loads[name], ticks: name === 'single readings' ? options.singleTicks : options.ticks })
    product[name] = await measureThroughput(bench, load, { window })
    return load
  }
  const limit = async (connections: number, how: typeof copyPlain): Promise<Limit> => {
    const load = ticks.load({ ...loads['500 a message'], ticks: options.ticks })
    await settle(bench, load)
    const files = await writeRows(bench.cluster, { load, firstRegister: bench.firstRegister, connections, repeats: how === copyAndInsert })
    await settle(bench, load)
    return how(bench.cluster, files)
  }
  const first = await measure('500 a message')
  const insertTwo = await limit(2, copyAndInsert)
  const redelivery = await measureThroughput(bench, first, { window, again: true })
  const plainTwo = await limit(2, copyPlain)
  await measure('100 a message')
  const insertOne = await limit(1, copyAndInsert)
  await measure('500 a message, repeats scattered')
  await measure('500 a message, load profiles')
  await measure('100 a message, 50 answers')
  await measure('single readings')
  const stubbed = await measureStub(bench, options)
  return { product: product as Record<LoadName, Throughput>, redelivery, insertOne, insertTwo, plainTwo, stubbed }
}

const stubWithinMs = 120_000

/** The same broker and the same messages, acknowledged at once. */
async function measureStub(bench: Bench, options: Options): Promise<number> {
  const { generator, cluster, ticks } = bench
  const load = ticks.load({ ...loads['single readings'], ticks: options.singleTicks })
  await settle(bench, load)
  await generator.close()
  const stub = await startChild(fileURLToPath(new URL('stub-main.js', import.meta.url)), { log: join(cluster.directory, 'stub.log') })
  try {
    await generator.prepare(load, portOf(stub))
    const { messages, elapsedMs } = await generator.send({ window: options.window }, stubWithinMs)
    return (messages * 1_000) / elapsedMs
  } finally {
    await generator.close()
    await stub.stop()
  }
}
