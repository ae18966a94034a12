import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { processorTime } from '../support/accounting.js'
import { type Bench, processorTimes, settle, startBench } from '../support/bench.js'
import { brief, claimInWords } from '../support/claims.js'
import type { Sent } from '../support/generator.js'
import { gatewayName, type Load, messagesPerSweep, site } from '../support/load.js'
import { verify } from '../support/verify.js'
import { isMisdoer, misdoers, startHostile } from './hostile.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    'flood-messages': { type: 'string', default: '4000' },
    bad: { type: 'string', default: misdoers.join() },
    'stored-ticks': { type: 'string', default: '100' },
    validation: { type: 'boolean', default: true },
    keep: { type: 'boolean', default: false }
  },
  allowNegative: true
})
const seconds = Number(values.seconds)
/** twenty times what one gateway may send */
const floodMessagesPerSecond = Number(values['flood-messages'])
const bad = values.bad.split(',').filter(isMisdoer)
const good = site.gateways - misdoers.length
const shape = { gateways: good, perMessage: 100, registersPerExchange: 5, instantsPerExchange: 1, repeats: 'none' } as const
const window = 20
/** Readings enough that what the flooding gateway sends is new for as long as it may send it. */
const hostileTicks = 40
/** of each good gateway */
const messagesPerSecond = 1
const withinMs = seconds * 3_000 + 60_000

/** What the good gateways see for so many seconds, held against the tables. */
async function measure(bench: Bench, name: string, forSeconds: number): Promise<Sent> {
  const load = bench.ticks.load({ ...shape, ticks: Math.max(1, Math.round((forSeconds * messagesPerSecond) / messagesPerSweep(shape))) })
  await bench.generator.prepare(load, bench.ingest.port)
  const before = await settle(bench, load)
  const spent = processorTimes(bench)
  const sent = await bench.generator.send({ window, messagesPerSecond: messagesPerSecond * good }, withinMs)
  const { ingest, postgres } = spent()
  await verify(bench.cluster.pool, load, { firstRegister: bench.firstRegister, before, again: false })
  const share = (microseconds: number): string => `${Math.round(microseconds / sent.elapsedMs / 10)} %`
  console.log(
    `${good} gateways ${name} for ${Math.round(sent.elapsedMs / 1_000)} s: p50 ${brief(sent.p50Ms)} p90 ${brief(sent.p90Ms)} p99 ${brief(sent.p99Ms)} ` +
      `most ${brief(sent.maxMs)} ms; ${sent.cuts} of their connections cut; of a processor: ingest ${share(ingest)} postgres ${share(postgres)}`
  )
  return sent
}

/** Messages of the flooding gateway that were stored. */
async function taken({ cluster }: Bench, load: Load): Promise<number> {
  const { rows } = await cluster.pool.query<{ taken: number }>(
    'select coalesce(sum(last - first + 1), 0)::integer as taken from metering.sequence_range where epoch = $1 and gateway_id = $2',
    [load.epoch, gatewayName(load.gateways)]
  )
  return rows[0]?.taken ?? 0
}

const bench = await startBench('neighbours', {
  storedTicks: Number(values['stored-ticks']),
  validation: values.validation,
  keep: values.keep
})
try {
  await measure(bench, 'warming up', 20)
  const without = await measure(bench, 'without the bad ones', seconds)
  const hostile = await startHostile(join(bench.cluster.directory, 'hostile.log'))
  try {
    const load = bench.ticks.load({ ...shape, perMessage: 1, registersPerExchange: 1, ticks: hostileTicks })
    const before = processorTime(hostile.pid)
    await hostile.start({ port: bench.ingest.port, load, bad, floodMessagesPerSecond })
    const among = await measure(bench, 'among the bad ones', seconds)
    const theirs = Math.round((processorTime(hostile.pid) - before) / among.elapsedMs / 10)
    const misdeeds = await hostile.stop()
    console.log(
      `the bad ones (${theirs} % of a processor): ${Object.entries(misdeeds)
        .map((each) => each.join(' '))
        .join(', ')}`
    )
    console.log(`taken of the flood: ${await taken(bench, load)} messages`)
    const ratio = among.p99Ms / without.p99Ms
    console.log(
      claimInWords({ name: 'p99 among the bad ones, against without them', unit: 'x', figure: ratio, must: 2, goal: 1.2, atMost: true })
    )
    const rounded = ({ p50Ms, p99Ms }: Sent) => ({ p50Ms: Number(p50Ms.toPrecision(3)), p99Ms: Number(p99Ms.toPrecision(3)) })
    const figures = { ...rounded(among), cuts: among.cuts, ...misdeeds }
    console.log(JSON.stringify({ question: 'neighbours', figures, limit: rounded(without), ratio: Number(ratio.toPrecision(3)) }))
  } finally {
    await hostile.end()
  }
} finally {
  await bench.stop()
}
