import { type EpochMs, epochMs } from '@endeks/domain/time'
import { rawToMilli } from '@endeks/domain/units'
import fc from 'fast-check'
import t from 'tap'
import { DayCalendar, spreadOverDays } from '../../src/vee/days.js'
import { deriveSegments } from '../../src/vee/derive.js'
import type { IndexReading, RegisterFacts } from '../../src/vee/facts.js'
import { standardRules } from '../../src/vee/rules/index.js'

const hour = 3_600_000
const start = Date.UTC(2026, 0, 1)
const register: RegisterFacts = { id: 1n, digits: 8, maxFlowMilliPerHour: 6_300_000n }

function reading(atHour: number, raw: bigint, other: Partial<IndexReading> = {}): IndexReading {
  return { at: epochMs(start + atHour * hour), raw, scaler: -3, unit: 'm3', status: 0, ...other }
}

const derive = (readings: readonly IndexReading[]) => deriveSegments(readings, register, standardRules)

t.test('two indexes give the litres between them', (t) => {
  const { segments, exceptions } = derive([reading(0, 1_000n), reading(1, 1_250n), reading(3, 1_250n)])
  t.same(exceptions, [])
  t.same(
    segments.map(({ amountMilli, unit, rule, quality }) => ({ amountMilli, unit, rule, quality })),
    [
      { amountMilli: 250_000n, unit: 'L', rule: 'difference', quality: 'measured' },
      { amountMilli: 0n, unit: 'L', rule: 'difference', quality: 'measured' }
    ]
  )
  t.end()
})

t.test('a counter that was in its last tenth rolls over', (t) => {
  const { segments, exceptions } = derive([reading(0, 99_999_900n), reading(1, 100n)])
  t.same(exceptions, [])
  t.equal(segments[0]?.rule, 'rollover')
  t.equal(segments[0]?.amountMilli, 200_000n)
  t.end()
})

t.test('a step back is held when it is no rollover', (t) => {
  for (const [name, readings] of [
    ['not in the last tenth', [reading(0, 90_000_000n), reading(1, 0n)]],
    ['more than the meter passes', [reading(0, 99_000_000n), reading(1, 100n)]],
    ['an index beyond the end of the counter', [reading(0, 100_000_001n), reading(1, 100n)]]
  ] as const) {
    const { segments, exceptions } = derive(readings)
    t.same(segments, [], name)
    t.match(exceptions, [{ rule: 'negative', severity: 'hold' }], name)
  }
  t.end()
})

t.test('more than the physical maximum is held, what may still be the maximum is not', (t) => {
  t.equal(derive([reading(0, 0n), reading(1, 6_301n)]).segments.length, 1, '6,300.5 L may show as 6,301')
  const over = derive([reading(0, 0n), reading(1, 6_302n)])
  t.same(over.segments, [])
  t.match(over.exceptions, [{ rule: 'flow', severity: 'hold', details: { amountMilli: '6302000' } }])
  t.end()
})

t.test('a counter in whole cubic metres may step at any moment, and over its end too', (t) => {
  const q4: RegisterFacts = { id: 1n, digits: 4, maxFlowMilliPerHour: 3_125_000n }
  const whole = (quarters: number, raw: bigint, scaler = 0) => reading(quarters / 4, raw, { scaler })
  const indexes = Array.from({ length: 100 }, (_, index) => whole(index, (9_998n + BigInt(index) / 20n) % 10_000n))
  const slow = deriveSegments(indexes, q4, standardRules)
  t.same(slow.exceptions, [], '0.2 m3/h, of which each step looks like 4 m3/h')
  t.equal(slow.segments.length, 99)
  t.equal(
    slow.segments.reduce((sum, each) => sum + each.amountMilli, 0n),
    4_000_000n
  )
  t.equal(slow.segments.filter((each) => each.rule === 'rollover').length, 1)
  const mixed = deriveSegments([whole(0, 5n), whole(1, 6_400n, -3)], q4, standardRules)
  t.same(mixed.exceptions, [], 'the coarser of the two indexes counts')
  t.match(deriveSegments([whole(0, 5n), whole(1, 7n)], q4, standardRules).exceptions, [{ rule: 'flow', severity: 'hold' }])
  t.match(deriveSegments([whole(0, 9_999n), whole(1, 1n)], q4, standardRules).exceptions, [{ rule: 'negative', severity: 'hold' }])
  t.end()
})

t.test('a long silence is told and billed', (t) => {
  const { segments, exceptions } = derive([reading(0, 0n), reading(36 * 24, 10n)])
  t.equal(segments.length, 1)
  t.match(exceptions, [{ rule: 'gap', severity: 'warn', details: { hours: 864 } }])
  t.end()
})

t.test('a reading that is no index is passed over', (t) => {
  for (const broken of [reading(1, 5n, { status: 128 }), reading(1, 5n, { scaler: -7 }), reading(1, 5n, { unit: 'gal' })]) {
    const { segments, exceptions } = derive([reading(0, 0n), broken, reading(2, 10n)])
    t.equal(segments.length, 1)
    t.equal(segments[0]?.amountMilli, 10_000n)
    t.match(exceptions, [{ rule: 'structure', severity: 'warn', from: broken.at, to: broken.at }])
  }
  t.end()
})

t.test('another scaler is compared exactly, another unit is held', (t) => {
  const finer = derive([reading(0, 1n, { scaler: 0 }), reading(1, 1_001n)])
  t.match(finer.segments, [{ amountMilli: 1_000n, fromRaw: 1_000n, toRaw: 1_001n, scaler: -3 }])
  const other = derive([reading(0, 1n), reading(1, 1_001n, { unit: 'kWh', scaler: 0 })])
  t.same(other.segments, [])
  t.match(other.exceptions, [{ rule: 'unit-change', severity: 'hold' }])
  t.end()
})

/** A counter of 8 digits that counts on, rolls over, and now and then says something broken. */
const sequence = fc
  .array(
    fc.record({
      hours: fc.integer({ min: 1, max: 100 }),
      litres: fc.integer({ min: 0, max: 4_000 }),
      broken: fc.integer({ min: 0, max: 9 })
    }),
    {
      minLength: 2,
      maxLength: 40
    }
  )
  .map((steps) => {
    let at = 0
    let index = 99_950_000n
    return steps.map((step) => {
      at += step.hours
      index = (index + BigInt(step.litres)) % 100_000_000n
      if (step.broken === 0) return reading(at, index, { status: 128 })
      if (step.broken === 1) return reading(at, 50_000_000n)
      return reading(at, index)
    })
  })

t.test('segments are gap-free except where an exception holds, do not overlap and add up to the index difference', (t) => {
  fc.assert(
    fc.property(sequence, (readings) => {
      const { segments, exceptions } = derive(readings)
      const held = exceptions.filter((each) => each.severity === 'hold')
      const spans = [...segments, ...held].sort((a, b) => a.from - b.from)
      const usable = readings.filter((each) => each.status === 0)
      if (spans.length !== Math.max(0, usable.length - 1)) return false
      if (spans.some((span, index) => span.from !== usable[index]?.at || span.to !== usable[index + 1]?.at)) return false
      return segments.every((segment) => {
        const wrap = segment.rule === 'rollover' ? 100_000_000n : 0n
        return rawToMilli(segment.toRaw - segment.fromRaw + wrap, segment.scaler, 'm3') === segment.amountMilli && segment.amountMilli >= 0n
      })
    }),
    { numRuns: 200 }
  )
  t.end()
})

t.test('the days of a segment add up to it, over a change of the clock too', (t) => {
  const calendar = new DayCalendar('Europe/Berlin')
  fc.assert(
    fc.property(
      fc.array(fc.record({ hours: fc.integer({ min: 1, max: 400 }), amount: fc.bigInt({ min: -50n, max: 10n ** 12n }) }), {
        minLength: 1,
        maxLength: 12
      }),
      (parts) => {
        let at = Date.UTC(2026, 2, 20, 3)
        const segments = parts.map(({ hours, amount }) => {
          const from = epochMs(at)
          at += hours * hour
          return {
            from,
            to: epochMs(at),
            amountMilli: amount,
            fromRaw: 0n,
            toRaw: 0n,
            scaler: 0,
            meterUnit: 'L',
            unit: 'L' as const,
            quality: 'measured' as const,
            rule: 'difference'
          }
        })
        const first = segments[0]?.from ?? (0 as EpochMs)
        const days = calendar.daysTouched(first, epochMs(at))
        const amounts = spreadOverDays(segments, days)
        const total = [...amounts.values()].reduce((sum, each) => sum + each.amountMilli, 0n)
        return total === segments.reduce((sum, each) => sum + each.amountMilli, 0n) && amounts.size === days.length
      }
    ),
    { numRuns: 50 }
  )
  const spring = calendar.daysTouched(epochMs(Date.UTC(2026, 2, 28, 23)), epochMs(Date.UTC(2026, 2, 29, 22)))
  t.same(
    spring.map((day) => [day.day, (day.to - day.from) / hour]),
    [['2026-03-29', 23]]
  )
  t.end()
})
