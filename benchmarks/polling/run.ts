import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { systemClock } from '@endeks/domain/process'
import { residentMb } from '../support/accounting.js'
import { quantile } from '../support/quantile.js'
import { startBroker } from './broker.js'
import { punctuality, slope } from './lateness.js'
import { type Measured, startMeasured } from './process.js'
import { gatewaySite, measuredMeters, simulatedSite } from './site.js'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' }, keep: { type: 'boolean', default: false } } })
const seconds = Number(values.seconds)
const everyMs = 10_000
const sampleMs = 5_000
const gateway = 'GW-MEASURED'
const password = 'a-password-of-a-measured-gateway'

const meters = measuredMeters()
const directory = mkdtempSync(join(tmpdir(), 'endeks-polling-'))
const file = (name: string, content: unknown): string => {
  const path = join(directory, name)
  writeFileSync(path, JSON.stringify(content))
  return path
}

const broker = await startBroker(gateway, password)
const processes: Measured[] = []
const memory: number[] = []
let until: number
try {
  const simulator = startMeasured('firmware-sim', {
    arguments: ['run', file('simulated.json', simulatedSite(meters))],
    environment: {},
    log: join(directory, 'firmware-sim.log')
  })
  processes.push(simulator)
  const { ports } = (await simulator.said('simulated site runs')) as { ports: Record<string, number> }
  const path = file('gateway.json', gatewaySite(meters, { gateway, mqttUrl: broker.url, everyMs, ports: new Map(Object.entries(ports)) }))
  const measured = startMeasured('gateway', {
    arguments: ['run', path],
    environment: { ENDEKS_SPOOL: join(directory, 'spool'), ENDEKS_MQTT_PASSWORD: password },
    log: join(directory, 'gateway.log')
  })
  processes.unshift(measured)
  await measured.said('gateway runs')
  const started = performance.now()
  while (performance.now() - started < seconds * 1_000) {
    await delay(sampleMs)
    if (!measured.runs) throw new Error(`the gateway ended: see ${directory}`)
    memory.push(residentMb(measured.child.pid ?? 0))
    if (memory.length % 12 === 0) console.error(`${(memory.length * sampleMs) / 1_000} of ${seconds} s, ${broker.reads.size} meters heard`)
  }
  until = systemClock.now()
} finally {
  // Whatever went wrong, no process stays behind.
  for (const each of processes) await each.stop()
  await broker.close()
}

const healthy = meters.filter((meter) => meter.kind === 'healthy')
const each = healthy.map((meter) => punctuality(broker.reads.get(`${meter.bus}/${meter.address}`) ?? [], everyMs, until))
const late = each.flatMap((meter) => [...meter.lateMs])
for (const [index, { missed, lateMs }] of each.entries()) {
  if (missed > 0)
    console.error(`${healthy[index]?.bus}/${healthy[index]?.address} missed ${missed}, late by up to ${Math.max(0, ...lateMs)} ms`)
}
const wrongValues = healthy.filter((meter) =>
  (broker.readings.get(`${meter.bus}/${meter.address}`) ?? []).some((raw) => raw !== BigInt(meter.index))
)
// Caches fill and code is compiled in the first quarter; what grows after it goes on growing.
const settled = memory.slice(Math.ceil(memory.length / 4))
const figures = {
  meters: meters.length,
  wrong: meters.length - healthy.length,
  seconds,
  reads: late.length,
  healthyNeverRead: each.filter((meter) => meter.reads === 0).length,
  missedTicks: each.reduce((sum, meter) => sum + meter.missed, 0),
  wrongValues: wrongValues.length,
  p50LateMs: Math.round(quantile(late, 0.5)),
  p99LateMs: Math.round(quantile(late, 0.99)),
  memoryMb: Math.round(quantile(settled, 0.5)),
  memoryMbAMinute: Number((slope(settled) * (60_000 / sampleMs)).toFixed(3))
}
if (!values.keep) rmSync(directory, { recursive: true, force: true })
else console.error(`logs: ${directory}`)
console.log(
  JSON.stringify({ question: 'polling', figures, limit: { periodMs: everyMs }, ratio: Number((figures.p99LateMs / everyMs).toFixed(4)) })
)
if (figures.healthyNeverRead > 0 || figures.missedTicks > 0 || figures.wrongValues > 0) process.exitCode = 1
