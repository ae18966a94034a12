import { parseArgs } from 'node:util'
import { residentMb } from '../support/accounting.js'
import { type Bench, processorTimes, settle, startBench } from '../support/bench.js'
import { brief, type Claim, claimInWords } from '../support/claims.js'
import type { Sent } from '../support/generator.js'
import { registers } from '../support/load.js'
import { verify } from '../support/verify.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    'stored-ticks': { type: 'string', default: '100' },
    validation: { type: 'boolean', default: true },
    keep: { type: 'boolean', default: false }
  },
  allowNegative: true
})
const seconds = Number(values.seconds)
const shape = { perMessage: 100, registersPerExchange: 5, instantsPerExchange: 1, repeats: 'messages' } as const
const window = 20
const warmUpTicks = 1
/** A run that falls behind takes longer than it should; beyond this it is no measurement. */
const withinMs = seconds * 3_000 + 60_000

/** Sends readings at an even pace, whatever becomes of them, and holds the tables against what was acknowledged. */
async function measure(bench: Bench, readingsPerSecond: number): Promise<Sent> {
  const messagesPerSecond = readingsPerSecond / shape.perMessage
  const warmUp = bench.ticks.load({ ...shape, ticks: warmUpTicks })
  await bench.generator.prepare(warmUp, bench.ingest.port)
  await bench.generator.send({ window, messagesPerSecond }, withinMs)
  const load = bench.ticks.load({ ...shape, ticks: Math.max(1, Math.round((readingsPerSecond * seconds) / registers)) })
  await bench.generator.prepare(load, bench.ingest.port)
  const before = await settle(bench, load)
  const spent = processorTimes(bench)
  const sent = await bench.generator.send({ window, messagesPerSecond }, withinMs)
  const share = (microseconds: number): string => `${Math.round(microseconds / sent.elapsedMs / 10)} %`
  const { ingest, postgres, generator } = spent()
  await verify(bench.cluster.pool, load, { firstRegister: bench.firstRegister, before, again: false })
  console.log(
    `${readingsPerSecond.toLocaleString('en')} readings/s wanted, ${brief((sent.readings * 1_000) / sent.elapsedMs)} acknowledged for ${Math.round(sent.elapsedMs / 1_000)} s: ` +
      `p50 ${brief(sent.p50Ms)} p90 ${brief(sent.p90Ms)} p99 ${brief(sent.p99Ms)} p99.9 ${brief(sent.p999Ms)} most ${brief(sent.maxMs)} ms; ${sent.cuts} connections cut; ` +
      `of a processor: ingest ${share(ingest)} postgres ${share(postgres)} generator ${share(generator)}; ingest holds ${Math.round(residentMb(bench.ingest.pid))} MB`
  )
  return sent
}

const bench = await startBench('ingest-latency', {
  storedTicks: Number(values['stored-ticks']),
  validation: values.validation,
  keep: values.keep
})
try {
  const calm = await measure(bench, 10_000)
  const busy = await measure(bench, 50_000)
  const ms = { unit: 'ms', atMost: true }
  const claims: Claim[] = [
    { ...ms, name: '50,000 readings/s, p50', figure: busy.p50Ms, must: 10, goal: 3 },
    { ...ms, name: '50,000 readings/s, p99', figure: busy.p99Ms, must: 60, goal: 20 },
    { ...ms, name: '10,000 readings/s, p99', figure: calm.p99Ms, must: 30, goal: 30 }
  ]
  for (const claim of claims) console.log(claimInWords(claim))
  const rounded = (value: number): number => Number(value.toPrecision(3))
  const figuresOf = ({ p50Ms, p90Ms, p99Ms, p999Ms }: Sent) => ({
    p50Ms: rounded(p50Ms),
    p90Ms: rounded(p90Ms),
    p99Ms: rounded(p99Ms),
    p999Ms: rounded(p999Ms)
  })
  const named = (of: (claim: Claim) => number) => Object.fromEntries(claims.map((claim) => [claim.name, of(claim)]))
  const figures = { calm: figuresOf(calm), busy: figuresOf(busy) }
  const ratio = named(({ figure, must }) => rounded(figure / must))
  console.log(JSON.stringify({ question: 'ingest-latency', figures, limit: named(({ must }) => must), ratio }))
} finally {
  await bench.stop()
}
