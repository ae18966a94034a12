import t from 'tap'
import { timeFormats } from '../../staff/src/format/time.js'
import { differencesBy } from '../../staff/src/pages/meter/differences.js'

const { localDay } = timeFormats('tr', 'Europe/Istanbul')
const reading = (at: string, difference: string | null) => ({ at, difference: difference === null ? null : { value: difference } })

t.test('a reading at midnight closes the day before it', (t) => {
  const buckets = differencesBy(
    'day',
    [reading('2026-10-02T21:00:00Z', '3.000'), reading('2026-10-01T21:00:00Z', '2.000'), reading('2026-09-30T21:00:00Z', null)],
    localDay
  )
  t.same(buckets, [
    { key: '2026-10-01', amount: '2.000' },
    { key: '2026-10-02', amount: '3.000' }
  ])
  t.end()
})

t.test('several readings of a day add up', (t) => {
  const buckets = differencesBy(
    'day',
    [reading('2026-10-01T05:00:00Z', null), reading('2026-10-01T06:00:00Z', '0.100'), reading('2026-10-01T07:00:00Z', '0.200')],
    localDay
  )
  t.same(buckets, [{ key: '2026-10-01', amount: '0.300' }])
  t.end()
})

t.test('a gap stays a gap, and what was counted over it is not put on one day', (t) => {
  const buckets = differencesBy(
    'day',
    [
      reading('2026-10-01T21:00:00Z', null),
      reading('2026-10-02T21:00:00Z', '1.000'),
      reading('2026-10-05T21:00:00Z', '9.000'),
      reading('2026-10-06T21:00:00Z', '1.000')
    ],
    localDay
  )
  t.same(
    buckets.map((bucket) => bucket.amount),
    ['1.000', null, null, null, '1.000']
  )
  t.end()
})

t.test('months follow the calendar over the turn of the year', (t) => {
  const buckets = differencesBy(
    'month',
    [
      reading('2026-11-30T21:00:00Z', null),
      reading('2026-12-31T21:00:00Z', '31.000'),
      reading('2027-01-31T21:00:00Z', '30.000'),
      reading('2027-02-28T21:00:00Z', '28.000')
    ],
    localDay
  )
  t.same(buckets, [
    { key: '2026-12', amount: '31.000' },
    { key: '2027-01', amount: '30.000' },
    { key: '2027-02', amount: '28.000' }
  ])
  t.same(differencesBy('day', [], localDay), [])
  t.end()
})
