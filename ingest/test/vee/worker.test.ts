import { inTransaction } from '@endeks/database/pool'
import { testDatabase } from '@endeks/database/testing'
import { createLog } from '@endeks/domain/process'
import { type EpochMs, epochMs, toIso } from '@endeks/domain/time'
import fc from 'fast-check'
import t from 'tap'
import { noKillPoint } from '../../src/kill-points.js'
import { Partitions } from '../../src/store/partitions.js'
import { storeUnremembered } from '../../src/store/readings.js'
import { deriveSegments } from '../../src/vee/derive.js'
import type { IndexReading, RegisterFacts } from '../../src/vee/facts.js'
import { standardRules } from '../../src/vee/rules/index.js'
import { VeeWorker } from '../../src/vee/worker.js'
import { enterMeter, enterUtility, hour, start } from '../support/site.js'

const log = createLog('test')
const database = await testDatabase(t)
const admin = database.createPool()
const pool = database.createPool('endeks_ingest')
await enterUtility(admin, ['gw-1'])
const partitions = new Partitions(pool)
const worker = new VeeWorker({ pool, partitions, log, killPoint: noKillPoint })

let serial = 0

async function newRegister(): Promise<RegisterFacts> {
  serial += 1
  const { registerId } = await enterMeter(admin, { gateway: 'gw-1', address: `${serial}`, serial: `${serial}` })
  return { id: registerId, digits: 8, maxFlowMilliPerHour: 1_000_000_000n }
}

async function arrive(register: RegisterFacts, readings: readonly IndexReading[]): Promise<void> {
  await partitions.ensure(readings.map((each) => each.at))
  const rows = readings.map((each) => ({
    ...each,
    raw: each.raw.toString(),
    registerId: register.id,
    unit: 'm3' as const,
    source: 'remote' as const,
    exchangeId: null,
    exchangeDay: null
  }))
  await inTransaction(pool, (client) => storeUnremembered(client, rows))
}

const reading = (atHour: number, raw: bigint, status = 0): IndexReading => ({
  at: epochMs(start + atHour * hour),
  raw,
  scaler: -3,
  unit: 'm3',
  status
})

interface Row {
  readonly from_at: EpochMs
  readonly to_at: EpochMs
  readonly amount_milli: bigint
  readonly rule: string
}

async function standing(
  register: RegisterFacts
): Promise<{ segments: unknown[]; exceptions: unknown[]; days: { day: string; amount: bigint }[] }> {
  const segments = await admin.query<Row>(
    `select from_at, to_at, amount_milli, rule from metering.segment where register_id = $1 and superseded_at is null order by from_at`,
    [register.id]
  )
  const exceptions = await admin.query<Row>(
    `select from_at, to_at, rule from metering.exception where register_id = $1 and state = 'open' order by from_at, rule`,
    [register.id]
  )
  const days = await admin.query<{ day: string; amount: bigint }>(
    `select day, amount_milli as amount from metering.daily_consumption where register_id = $1 order by day`,
    [register.id]
  )
  return {
    segments: segments.rows.map((row) => ({ from: row.from_at, to: row.to_at, amountMilli: row.amount_milli, rule: row.rule })),
    exceptions: exceptions.rows.map((row) => ({ from: row.from_at, to: row.to_at, rule: row.rule })),
    days: days.rows
  }
}

function expected(
  register: RegisterFacts,
  readings: readonly IndexReading[]
): { segments: unknown[]; exceptions: unknown[]; total: bigint } {
  const sorted = [...readings].sort((a, b) => a.at - b.at)
  const { segments, exceptions } = deriveSegments(sorted, register, standardRules)
  return {
    segments: segments.map(({ from, to, amountMilli, rule }) => ({ from, to, amountMilli, rule })),
    exceptions: exceptions.map(({ from, to, rule }) => ({ from, to, rule })).sort((a, b) => a.from - b.from || (a.rule < b.rule ? -1 : 1)),
    total: segments.reduce((sum, each) => sum + each.amountMilli, 0n)
  }
}

t.test('a late reading splits its segment, and nothing else is rewritten', async (t) => {
  const register = await newRegister()
  await arrive(register, [reading(0, 0n), reading(48, 4_800n), reading(96, 9_600n)])
  await worker.drain()
  await arrive(register, [reading(60, 7_200n)])
  await worker.drain()
  const { rows } = await admin.query(
    `select from_at, to_at, amount_milli, revision, superseded_at is null as live from metering.segment where register_id = $1 order by from_at, revision`,
    [register.id]
  )
  const at = (atHour: number) => start + atHour * hour
  t.same(rows, [
    { from_at: at(0), to_at: at(48), amount_milli: 4_800_000n, revision: 1, live: true },
    { from_at: at(48), to_at: at(96), amount_milli: 4_800_000n, revision: 1, live: false },
    { from_at: at(48), to_at: at(60), amount_milli: 2_400_000n, revision: 2, live: true },
    { from_at: at(60), to_at: at(96), amount_milli: 2_400_000n, revision: 1, live: true }
  ])
  // Midnight in Istanbul is 21:00Z, so the first day has 21 of the hours.
  t.same((await standing(register)).days, [
    { day: '2026-01-01', amount: 2_100_000n },
    { day: '2026-01-02', amount: 2_400_000n },
    { day: '2026-01-03', amount: 300_000n + 2_400_000n + 600_000n },
    { day: '2026-01-04', amount: 1_600_000n },
    { day: '2026-01-05', amount: 200_000n }
  ])
})

t.test('an exception vanishes when its cause does', async (t) => {
  const register = await newRegister()
  await arrive(register, [reading(0, 5_000n), reading(1_000, 6_000n)])
  await worker.drain()
  t.match((await standing(register)).exceptions, [{ rule: 'gap' }])
  await arrive(register, [reading(500, 5_500n), reading(600, 100n)])
  await worker.drain()
  const now = await standing(register)
  t.match(now.exceptions, [{ rule: 'negative', from: start + 500 * hour, to: start + 600 * hour }])
  t.equal(now.segments.length, 2, 'a held span has no segment')
  const { rows } = await admin.query(`select rule, state from metering.exception where register_id = $1 order by id`, [register.id])
  t.same(rows, [
    { rule: 'gap', state: 'vanished' },
    { rule: 'negative', state: 'open' }
  ])
})

t.test('days without any reading between two have their part, in months that had no reading', async (t) => {
  const register = await newRegister()
  await arrive(register, [reading(0, 0n), reading(24 * 100, 2_400n)])
  await worker.drain()
  const { days } = await standing(register)
  t.equal(days.length, 101)
  t.equal(
    days.reduce((sum, each) => sum + each.amount, 0n),
    2_400_000n
  )
})

/** A counter that counts, rolls over, and now and then says something broken; and the order in which its readings arrive. */
const story = fc
  .array(
    fc.record({
      hours: fc.integer({ min: 1, max: 300 }),
      litres: fc.integer({ min: 0, max: 40_000 }),
      kind: fc.constantFrom('good', 'good', 'good', 'good', 'invalid', 'wild'),
      order: fc.integer({ min: 0, max: 1_000_000 }),
      pause: fc.boolean()
    }),
    { minLength: 2, maxLength: 25 }
  )
  .map((steps) => {
    let at = 0
    let index = 99_900_000n
    return steps.map((step) => {
      at += step.hours
      index = (index + BigInt(step.litres)) % 100_000_000n
      const value = step.kind === 'wild' ? 50_000_000n : index
      return { reading: reading(at, value, step.kind === 'invalid' ? 128 : 0), order: step.order, pause: step.pause }
    })
  })

t.test('whatever the order of arrival, what stands in the end is derived from all readings', async (t) => {
  const check = fc.asyncProperty(story, async (steps) => {
    const register = await newRegister()
    const arrival = [...steps].sort((a, b) => a.order - b.order)
    for (const step of arrival) {
      await arrive(register, [step.reading])
      if (step.pause) await worker.drain()
    }
    await worker.drain()
    const wanted = expected(
      register,
      steps.map((step) => step.reading)
    )
    const found = await standing(register)
    t.same(found.segments, wanted.segments)
    t.same(found.exceptions, wanted.exceptions)
    t.equal(
      found.days.reduce((sum, each) => sum + each.amount, 0n),
      wanted.total
    )
  })
  await fc.assert(check, { numRuns: 12, endOnFailure: true })
})

t.test('a span too large for one transaction is done in several', async (t) => {
  const register = await newRegister()
  await arrive(register, [reading(0, 0n), reading(3_000, 3_000n)])
  await worker.drain()
  const many = Array.from({ length: 999 }, (_, index) => reading(3 * (index + 1), 3n * BigInt(index + 1)))
  await arrive(register, many)
  const small = new VeeWorker({ pool, partitions, log, killPoint: noKillPoint, limits: { readings: 400 } })
  await small.drain()
  const { segments, exceptions } = await standing(register)
  t.equal(segments.length, 1_000)
  t.same(exceptions, [])
})

t.test('where readings were dropped, nothing that was made of them changes', async (t) => {
  const register = await newRegister()
  await arrive(register, [reading(0, 0n), reading(10, 100n), reading(20, 200n), reading(30, 300n)])
  await worker.drain()
  const before = await standing(register)
  // The segment from 10 to 20 reaches over the floor.
  await admin.query('delete from metering.reading where register_id = $1 and at < $2', [register.id, toIso(epochMs(start + 15 * hour))])
  await admin.query('update metering.storage_policy set readings_dropped_before = $1', [toIso(epochMs(start + 15 * hour))])
  t.teardown(() => admin.query('update metering.storage_policy set readings_dropped_before = null'))
  await arrive(register, [reading(5, 77n), reading(12, 110n), reading(17, 170n)])
  await worker.drain()
  t.same(await standing(register), before, 'late ones are stored, and stay out of what is settled')
  await arrive(register, [reading(25, 240n), reading(40, 400n)])
  await worker.drain()
  const { segments } = await standing(register)
  t.match(segments, [
    { from: reading(0, 0n).at, to: reading(10, 0n).at },
    { from: reading(10, 0n).at, to: reading(20, 0n).at, amountMilli: 100_000n },
    { from: reading(20, 0n).at, to: reading(25, 0n).at, amountMilli: 40_000n },
    { from: reading(25, 0n).at, to: reading(30, 0n).at, amountMilli: 60_000n },
    { from: reading(30, 0n).at, to: reading(40, 0n).at, amountMilli: 100_000n }
  ])
  t.equal(segments.length, 5, 'from there on it goes on as ever')
})
