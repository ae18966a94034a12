import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { systemClock } from '@endeks/domain/process'
import { residentMb, residentMbOfTree } from '../support/accounting.js'
import { type Bench, settle, startBench } from '../support/bench.js'
import { brief, claimInWords } from '../support/claims.js'
import type { Sent } from '../support/generator.js'
import { registers } from '../support/load.js'
import { verify } from '../support/verify.js'
import { growthOf, type Series, seriesInWords } from './memory.js'
import { type RealGateway, readingsOf, startRealGateway } from './real-gateway.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    'stored-ticks': { type: 'string', default: '100' },
    keep: { type: 'boolean', default: false }
  }
})
const minutes = Number(values.minutes)
const readingsPerSecond = 10_000
const shape = { perMessage: 100, registersPerExchange: 5, instantsPerExchange: 1, repeats: 'messages' } as const
const window = 20
/** of the real gateway's meters */
const everyMs = 10_000
const sampleMs = Math.min(10_000, minutes * 1_000)
const withinMs = minutes * 120_000

/** Sends the load at its pace, and looks at every process's memory meanwhile. */
async function soak(bench: Bench, real: RealGateway): Promise<{ readonly sent: Sent; readonly memory: readonly Series[] }> {
  const load = bench.ticks.load({ ...shape, ticks: Math.max(1, Math.round((readingsPerSecond * minutes * 60) / registers)) })
  await bench.generator.prepare(load, bench.ingest.port)
  const before = await settle(bench, load)
  const memory = [
    { name: 'ingest', read: () => residentMb(bench.ingest.pid), megabytes: [] as number[] },
    { name: 'gateway', read: () => residentMb(real.gateway.pid), megabytes: [] as number[] },
    { name: 'postgres', read: () => residentMbOfTree(bench.cluster.pid), megabytes: [] as number[] },
    { name: 'firmware-sim', read: () => residentMb(real.simulator.pid), megabytes: [] as number[] },
    { name: 'generator', read: () => residentMb(bench.generator.pid), megabytes: [] as number[] }
  ]
  const sending = bench.generator.send({ window, messagesPerSecond: readingsPerSecond / shape.perMessage }, withinMs)
  let sent: Sent | undefined
  while (sent === undefined) {
    for (const { read, megabytes } of memory) megabytes.push(read())
    sent = await Promise.race([sending, sleep(sampleMs, undefined)])
  }
  await verify(bench.cluster.pool, load, { firstRegister: bench.firstRegister, before, again: false })
  return { sent, memory }
}

function report({ sent, memory }: { readonly sent: Sent; readonly memory: readonly Series[] }): void {
  const rate = (sent.readings * 1_000) / sent.elapsedMs
  console.log(
    `${brief(rate)} readings/s for ${brief(sent.elapsedMs / 60_000)} minutes; PUBACK p50 ${brief(sent.p50Ms)} p99 ${brief(sent.p99Ms)} ms; ${sent.cuts} connections cut`
  )
  console.log(`MB each ${sampleMs / 1_000} s, of postgres without its shared buffers:`)
  for (const series of memory) console.log(seriesInWords(series))
  const growth = memory.map((series) => ({ name: series.name, ...growthOf(series) }))
  for (const { name, ratio } of growth) {
    console.log(claimInWords({ name: `${name}, late to early`, unit: 'x', figure: ratio, must: 1.1, goal: 1.02, atMost: true }))
  }
  const named = (of: (each: (typeof growth)[number]) => number): Record<string, number> =>
    Object.fromEntries(growth.map((each) => [each.name, Number(of(each).toPrecision(3))]))
  const figures = { readingsPerSecond: Math.round(rate), lateMb: named(({ lateMb }) => lateMb) }
  console.log(
    JSON.stringify({ question: 'soak', figures, limit: { earlyMb: named(({ earlyMb }) => earlyMb) }, ratio: named(({ ratio }) => ratio) })
  )
}

const bench = await startBench('soak', { storedTicks: Number(values['stored-ticks']), validation: true, keep: values.keep })
try {
  const began = systemClock.now()
  const real = await startRealGateway(bench, everyMs)
  const soaked = await soak(bench, real).finally(() => real.stop())
  const { stored, aside } = await readingsOf(bench, began)
  const { rows } = await bench.cluster.pool.query<{ waiting: number }>('select count(*)::integer as waiting from metering.dirty_span')
  console.log(`the real gateway's readings: ${stored} stored, ${aside} set aside; ${rows[0]?.waiting} spans wait for validation`)
  report(soaked)
} finally {
  await bench.stop()
}
