import { join } from 'node:path'
import { processorTime, processorTimeOfTree } from '../../support/accounting.js'
import { type Bench, settle } from '../../support/bench.js'
import { type Load, type LoadShape, messagesPerGateway } from '../../support/load.js'
import { countReadings } from '../../support/verify.js'
import type { Options } from '../options.js'
import { type Mosquitto, mosquittoProgram, startMosquitto } from './mosquitto.js'
import { type Style, startSubscriber } from './subscriber.js'

/** What Mosquitto with a subscriber made of a load. */
export interface Peer {
  readonly name: string
  /** until the last was stored, and until the last was acknowledged to its gateway */
  readonly storedPerSecond: number
  readonly acknowledgedPerSecond: number
  readonly microsecondsPerReading: { readonly mosquitto: number; readonly subscriber: number; readonly postgres: number }
}

export interface Killed {
  readonly style: Style
  readonly acknowledged: number
  readonly lost: number
}

const hundred = { perMessage: 100, registersPerExchange: 5, instantsPerExchange: 1, repeats: 'none' } as const
const fiveHundred = { ...hundred, perMessage: 500, registersPerExchange: 10 } as const
/** So slow is it that a tenth of the gateways is enough. */
const fewGateways = 5
const withinMs = 240_000

/** Measures what people use today on the same machine and the same tables; undefined when Mosquitto is not installed. */
export async function measurePeers(
  bench: Bench,
  options: Options
): Promise<{ readonly peers: readonly Peer[]; readonly killed: readonly Killed[] } | undefined> {
  const program = mosquittoProgram()
  if (program === undefined) return undefined
  await bench.generator.close()
  const mosquitto = await startMosquitto(program, bench.cluster.directory)
  try {
    const few = { ...hundred, gateways: fewGateways, ticks: 1 }
    const peers = [
      await measure(bench, mosquitto, { name: 'rows one by one', style: 'rows', shape: few, window: options.window }),
      await measure(bench, mosquitto, {
        ...{ name: 'batches that hold their acknowledgements, 100 a message', style: 'batches', window: options.window },
        shape: { ...hundred, ticks: options.ticks }
      }),
      await measure(bench, mosquitto, {
        ...{ name: 'batches that hold their acknowledgements, 500 a message', style: 'batches', window: options.window },
        shape: { ...fiveHundred, ticks: options.ticks }
      })
    ]
    const killed = [
      await kill(bench, mosquitto, { style: 'rows', shape: few, window: options.window }),
      await kill(bench, mosquitto, { style: 'batches', shape: { ...hundred, ticks: 1 }, window: options.window })
    ]
    return { peers, killed }
  } finally {
    await bench.generator.close()
    await mosquitto.stop()
  }
}

interface Run {
  readonly style: Style
  readonly shape: LoadShape
  readonly window: number
}

async function measure(bench: Bench, mosquitto: Mosquitto, run: Run & { readonly name: string }): Promise<Peer> {
  const { cluster, generator } = bench
  const load = bench.ticks.load(run.shape)
  await settle(bench, load)
  const subscriber = await subscriberOf(bench, mosquitto, run.style)
  try {
    await generator.prepare(load, mosquitto.port)
    const spent = (): readonly number[] => [processorTime(mosquitto.pid), processorTime(subscriber.pid), processorTimeOfTree(cluster.pid)]
    const before = spent()
    const readings = readingsOf(load)
    const started = performance.now()
    const [sent, stored] = await Promise.all([generator.send({ window: run.window }, withinMs), subscriber.until(readings, withinMs)])
    const seconds = (performance.now() - started) / 1_000
    if (stored < readings) throw new Error(`${stored} of ${readings} readings came through Mosquitto`)
    const [broker = 0, stores = 0, postgres = 0] = spent().map((each, index) => (each - (before[index] ?? 0)) / readings)
    return {
      name: run.name,
      storedPerSecond: readings / seconds,
      acknowledgedPerSecond: (sent.readings * 1_000) / sent.elapsedMs,
      microsecondsPerReading: { mosquitto: broker, subscriber: stores, postgres }
    }
  } finally {
    await subscriber.stop()
  }
}

/** Kills the subscriber in the middle of a load, starts it again, and counts what was acknowledged and never came. */
async function kill(bench: Bench, mosquitto: Mosquitto, run: Run): Promise<Killed> {
  const load = bench.ticks.load(run.shape)
  await settle(bench, load)
  const readings = readingsOf(load)
  const first = await subscriberOf(bench, mosquitto, run.style)
  await bench.generator.prepare(load, mosquitto.port)
  const sending = bench.generator.send({ window: run.window }, withinMs)
  await first.until(Math.floor(readings / 4), withinMs).finally(() => first.kill())
  await sending
  const second = await subscriberOf(bench, mosquitto, run.style)
  try {
    // What the first had stored does not come again, so the second is waited for until nothing more comes.
    await second.until(readings, withinMs)
    const { stored } = await countReadings(bench.cluster.pool, load, bench.firstRegister)
    return { style: run.style, acknowledged: readings, lost: readings - stored }
  } finally {
    await second.stop()
  }
}

function subscriberOf({ cluster }: Bench, mosquitto: Mosquitto, style: Style) {
  return startSubscriber(style, { port: mosquitto.port, databaseUrl: cluster.url, log: join(cluster.directory, 'subscriber.log') })
}

function readingsOf(load: Load): number {
  return load.gateways * messagesPerGateway(load) * load.perMessage
}
