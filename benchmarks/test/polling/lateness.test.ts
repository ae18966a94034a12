import t from 'tap'
import { punctuality, slope } from '../../polling/lateness.js'
import { quantile } from '../../support/quantile.js'

const period = 10_000
/** Readings at these delays behind the ticks of a schedule that begins at 3,000. */
const readings = (late: readonly (number | undefined)[]): number[] =>
  late.flatMap((each, tick) => (each === undefined ? [] : [3_000 + tick * period + each]))

t.test('a reading that is late belongs to its own tick, however late within the period', (t) => {
  const late = [20, 8_040, 15, 0, 9_500, 30]
  t.same(punctuality(readings(late), period, 3_000 + 6 * period), { reads: 6, missed: 0, lateMs: late })
  t.same(punctuality(readings([8_040, 20, 0]), period, 33_000), { reads: 3, missed: 0, lateMs: [8_040, 20, 0] }, 'the first one too')
  t.end()
})

t.test('a tick without a reading is missed, and so is every one of a meter that was never heard', (t) => {
  t.match(punctuality(readings([0, undefined, 10, undefined, 0]), period, 3_000 + 5 * period), { reads: 3, missed: 2 })
  t.match(punctuality(readings([0, 10]), period, 3_000 + 5 * period), { missed: 3 }, 'at the end as well')
  t.same(punctuality([], period, 60_000), { reads: 0, missed: 1, lateMs: [] })
  t.end()
})

t.test('p99 is the value that one in a hundred exceeds, and a slope is per step', (t) => {
  const values = Array.from({ length: 200 }, (_, index) => index + 1)
  t.equal(quantile(values, 0.99), 198)
  t.equal(slope([5, 7, 9, 11]), 2)
  t.equal(slope([4]), 0)
  t.end()
})
