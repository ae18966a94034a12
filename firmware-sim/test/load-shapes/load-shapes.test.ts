import { type EpochMs, fromIso } from '@endeks/domain/time'
import fc from 'fast-check'
import t from 'tap'
import { indexFunction, type LoadShape } from '../../src/load-shapes/index.js'

const startedAt = fromIso('2024-10-01T00:00:00+03:00')
const dayMs = 86_400_000
const hourMs = 3_600_000
const zone = 'Europe/Istanbul'

function dial(shape: LoadShape, options: { initialIndex?: bigint; digits?: number; stoppedAt?: EpochMs } = {}): (at: number) => bigint {
  const index = indexFunction({ shape, startedAt, initialIndex: 0n, digits: 15, zone, ...options })
  return (at) => index(at as EpochMs)
}

const seed = fc.integer({ min: 0, max: 4_294_967_295 })
const perDay = fc.integer({ min: 0, max: 1_000_000_000 })
const rhythm: fc.Arbitrary<LoadShape> = fc.oneof(
  fc.record({ type: fc.constant('household' as const), seed, perDay }),
  fc.record({ type: fc.constant('shift-factory' as const), seed, perDay, shifts: fc.constantFrom(1 as const, 2 as const, 3 as const) }),
  fc.record({ type: fc.constant('leak' as const), seed, perDay, leakPerHour: fc.integer({ min: 0, max: 1_000_000 }) })
)
const instant = fc.integer({ min: startedAt - 400 * dayMs, max: startedAt + 2_000 * dayMs })

t.test('a dial never falls, two of the same parameters agree, and neither depends on what was asked before', async () => {
  fc.assert(
    fc.property(rhythm, fc.array(instant, { minLength: 2, maxLength: 30 }), (shape, instants) => {
      const one = dial(shape)
      const asked = new Map(instants.map((at) => [at, one(at)]))
      const sorted = [...asked].sort(([left], [right]) => left - right)
      const monotone = sorted.every(([, index], place) => index >= (sorted[place - 1]?.[1] ?? 0n))
      return monotone && sorted.every(([at, index]) => dial(shape)(at) === index)
    }),
    { numRuns: 200 }
  )
})

t.test('before its start a dial shows the initial index, and a dismounted one keeps its last', async (t) => {
  const shape = { type: 'household', seed: 7, perDay: 600 } as const
  const stoppedAt = (startedAt + 100 * dayMs) as EpochMs
  const index = dial(shape, { initialIndex: 5_000n, stoppedAt })
  t.equal(index(startedAt), 5_000n)
  t.equal(index(startedAt - dayMs), 5_000n)
  t.ok(index(stoppedAt) > 5_000n)
  t.equal(index(stoppedAt + 400 * dayMs), index(stoppedAt))
})

t.test('a dial rolls over at its digits and counts on', async (t) => {
  const shape = { type: 'leak', seed: 1, perDay: 0, leakPerHour: 10 } as const
  const index = dial(shape, { initialIndex: 990n, digits: 3 })
  t.same(
    [0, 1, 2, 101, 102].map((hours) => index(startedAt + hours * hourMs)),
    [990n, 0n, 10n, 0n, 10n]
  )
})

t.test('a household uses about its daily amount, most of it by day', async (t) => {
  const index = dial({ type: 'household', seed: 3, perDay: 600 })
  const year = Number(index(startedAt + 365 * dayMs))
  t.ok(year > 365 * 540 && year < 365 * 680, String(year))
  const night = index(startedAt + 6 * hourMs) - index(startedAt)
  const evening = index(startedAt + 22 * hourMs) - index(startedAt + 16 * hourMs)
  t.ok(night < evening)
})

t.test('a factory works its shifts on weekdays and rests on Sunday', async (t) => {
  const index = dial({ type: 'shift-factory', seed: 3, perDay: 100_000, shifts: 1 })
  const amount = (from: string, to: string): number => Number(index(fromIso(to)) - index(fromIso(from)))
  const monday = amount('2024-10-07T00:00:00+03:00', '2024-10-08T00:00:00+03:00')
  const sunday = amount('2024-10-06T00:00:00+03:00', '2024-10-07T00:00:00+03:00')
  const shift = amount('2024-10-07T08:00:00+03:00', '2024-10-07T16:00:00+03:00')
  t.ok(shift > monday * 0.9)
  t.ok(sunday < monday / 10)
})

t.test('a leak adds the same amount to every hour from its beginning', async (t) => {
  const leakFrom = '2024-10-05T12:00:00+03:00'
  const plain = dial({ type: 'household', seed: 3, perDay: 600 })
  const leaking = dial({ type: 'leak', seed: 3, perDay: 600, leakPerHour: 20, leakFrom })
  const from = fromIso(leakFrom)
  t.equal(leaking(from), plain(from))
  t.equal(leaking(from + 10 * hourMs) - plain(from + 10 * hourMs), 200n)
})

t.test('planted values stand from their instant on, exactly as displayed', async (t) => {
  const points = [
    { at: '2025-02-01T00:00:00+03:00', raw: 99_990 },
    { at: '2025-03-01T00:00:00+03:00', raw: 25 }
  ]
  const index = dial({ type: 'fixed', points }, { initialIndex: 4n, digits: 5 })
  t.equal(index(fromIso('2025-01-31T23:59:59+03:00')), 4n)
  t.equal(index(fromIso('2025-02-01T00:00:00+03:00')), 99_990n)
  t.equal(index(fromIso('2026-01-01T00:00:00+03:00')), 25n)
})
