import { type EpochMs, fromIso } from '@endeks/domain/time'
import t from 'tap'
import { type SimulatedMeterEntry, simulatedMeter } from '../../src/site/index.js'

const zone = 'Europe/Istanbul'
const dayMs = 86_400_000
const startedAt = fromIso('2025-09-01T00:00:00+03:00')
const entry: SimulatedMeterEntry = {
  address: '5',
  serial: '12345678',
  manufacturer: 'KAM',
  version: 27,
  medium: 'cold-water',
  scaler: -3,
  digits: 8,
  startedAt: '2025-09-01',
  initialIndex: 1_000,
  shape: { type: 'household', seed: 7, perDay: 600 }
}

t.test('a drifting clock gains its seconds, and what the meter shows is of the true instant', async (t) => {
  let now: number = startedAt + 10 * dayMs
  const clock = { now: () => now as EpochMs }
  const exact = simulatedMeter(entry, zone, clock)
  const fast = simulatedMeter({ ...entry, faults: [{ type: 'clock-drift', secondsPerDay: 60 }] }, zone, clock)
  t.equal(fast.clock.now() - now, 600_000)
  t.equal(fast.indexAt(fast.clock.now()), exact.indexAt(now as EpochMs))
  const slow = simulatedMeter(
    { ...entry, faults: [{ type: 'clock-drift', secondsPerDay: -60, setAt: '2025-09-06T00:00:00+03:00' }] },
    zone,
    clock
  )
  t.equal(slow.clock.now() - now, -300_000)
  t.equal(slow.indexAt(slow.clock.now()), exact.indexAt(now as EpochMs))
  now = startedAt
  t.equal(fast.clock.now(), startedAt)
})

t.test('a meter exchanged without notice is another one at the same address, without the past of the old one', async (t) => {
  let now: number = fromIso('2025-10-14T23:59:59Z')
  const exchanged = { type: 'exchanged', at: '2025-10-15T00:00:00Z', serial: '87654321', version: 28, initialIndex: 12 } as const
  const meter = simulatedMeter({ ...entry, faults: [exchanged] }, zone, { now: () => now as EpochMs })
  const old = simulatedMeter(entry, zone, { now: () => now as EpochMs })
  t.same(meter.identity, old.identity)
  t.equal(meter.indexAt(now as EpochMs), old.indexAt(now as EpochMs))
  now += 1_000
  t.same(meter.identity, { id: '87654321', manufacturer: 'KAM', version: 28, medium: 'cold-water' })
  t.equal(meter.startedAt, now)
  t.equal(meter.indexAt(now as EpochMs), 12n)
  now += 30 * dayMs
  t.ok(meter.indexAt(now as EpochMs) > 12n && meter.indexAt(now as EpochMs) < old.indexAt(now as EpochMs))
})

t.test('a dial near its end rolls over to zeros', async (t) => {
  const meter = simulatedMeter({ ...entry, digits: 4, initialIndex: 9_990 }, zone, { now: () => startedAt })
  const shown = Array.from({ length: 48 }, (_, hour) => meter.indexAt((startedAt + hour * 3_600_000) as EpochMs))
  t.equal(shown[0], 9_990n)
  t.ok(shown.some((index) => index < 9_990n))
  t.ok(shown.every((index) => index < 10_000n))
})
