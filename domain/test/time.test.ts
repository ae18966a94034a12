import fc from 'fast-check'
import t from 'tap'
import { Temporal } from 'temporal-polyfill'
import { billingMonth, billingMonths, epochMs, fromIso, type Period, periodDays, startOfDay, toIso, wholeDays } from '../src/time/index.js'

const hourMs = 3_600_000
const monthOf = (text: string, zone: string): Period => billingMonth(Temporal.PlainYearMonth.from(text), zone)
const hours = ({ from, to }: Period): number => (to - from) / hourMs

t.test('February 2028 has 29 billing days', (t) => {
  const february = monthOf('2028-02', 'Europe/Istanbul')
  t.equal(periodDays(february, 'Europe/Istanbul'), 29)
  t.equal(wholeDays(february, 'Europe/Istanbul').at(-1)?.day, '2028-02-29')
  t.equal(periodDays(monthOf('2027-02', 'Europe/Istanbul'), 'Europe/Istanbul'), 28)
  t.end()
})

t.test('a month begins at midnight of its site and ends where the next begins', (t) => {
  const december = monthOf('2026-12', 'Europe/Istanbul')
  t.equal(toIso(december.from), '2026-11-30T21:00:00.000Z')
  t.equal(toIso(december.to), '2026-12-31T21:00:00.000Z')
  t.equal(december.to, monthOf('2027-01', 'Europe/Istanbul').from)
  t.end()
})

t.test('months in Turkey are as long as its clocks made them', (t) => {
  // Until 2016 with summer time: in 2014 a day late for an election, in 2015 two weeks longer for another. Since then always UTC+3.
  for (const [month, length] of [
    ['2014-03', 743],
    ['2015-10', 744],
    ['2015-11', 721],
    ['2016-03', 743],
    ['2016-10', 744],
    ['2016-11', 720],
    ['2026-03', 744],
    ['2026-10', 744]
  ] as const) {
    const period = monthOf(month, 'Europe/Istanbul')
    t.equal(hours(period), length, month)
    t.equal(periodDays(period, 'Europe/Istanbul'), Temporal.PlainYearMonth.from(month).daysInMonth, month)
  }
  t.equal(toIso(startOfDay(Temporal.PlainDate.from('2014-03-31'), 'Europe/Istanbul')), '2014-03-30T22:00:00.000Z')
  t.end()
})

t.test('where summer time is kept, March is an hour shorter and October an hour longer, in as many days', (t) => {
  t.equal(hours(monthOf('2026-03', 'Europe/Berlin')), 743)
  t.equal(hours(monthOf('2026-10', 'Europe/Berlin')), 745)
  t.equal(periodDays(monthOf('2026-03', 'Europe/Berlin'), 'Europe/Berlin'), 31)
  const october = wholeDays(monthOf('2026-10', 'Europe/Berlin'), 'Europe/Berlin')
  t.equal(october.length, 31)
  t.same(
    october.filter((day) => hours(day) !== 24).map((day) => [day.day, hours(day)]),
    [['2026-10-25', 25]]
  )
  t.end()
})

t.test('a day whose midnight the clocks skip begins at one', (t) => {
  const day = startOfDay(Temporal.PlainDate.from('2018-11-04'), 'America/Sao_Paulo')
  t.equal(toIso(day), '2018-11-04T03:00:00.000Z')
  t.same(wholeDays(monthOf('2018-11', 'America/Sao_Paulo'), 'America/Sao_Paulo').slice(2, 5).map(hours), [24, 23, 24])
  t.end()
})

t.test('the months that are over are counted by the calendar of the site', (t) => {
  const names = (now: string, zone: string) => billingMonths(2, fromIso(now), zone).map(String)
  t.same(names('2026-02-28T20:59:59Z', 'Europe/Istanbul'), ['2025-12', '2026-01'])
  t.same(names('2026-02-28T21:00:00Z', 'Europe/Istanbul'), ['2026-01', '2026-02'])
  t.same(names('2026-02-28T21:00:00Z', 'UTC'), ['2025-12', '2026-01'])
  t.same(billingMonths(0, fromIso('2026-02-28T21:00:00Z'), 'UTC'), [])
  t.end()
})

const zone = fc.constantFrom('Europe/Istanbul', 'Europe/Berlin', 'UTC', 'America/Sao_Paulo', 'Asia/Kolkata')
const instant = fc.integer({ min: Date.UTC(2014, 0, 1), max: Date.UTC(2029, 0, 1) })

t.test('the days of a period lie end to end and fill it', (t) => {
  fc.assert(
    fc.property(zone, instant, fc.integer({ min: 1, max: 70 * 24 * hourMs }), (zone, start, length) => {
      const period = { from: epochMs(start), to: epochMs(start + length) }
      const days = wholeDays(period, zone)
      return (
        days[0]?.from === period.from &&
        days.at(-1)?.to === period.to &&
        days.every((day, index) => day.from < day.to && (index === 0 || days[index - 1]?.to === day.from)) &&
        new Set(days.map(({ day }) => day)).size === days.length
      )
    }),
    { numRuns: 50 }
  )
  t.same(wholeDays({ from: epochMs(5), to: epochMs(5) }, 'UTC'), [])
  t.end()
})

t.test('splitting a period changes no number of days', (t) => {
  fc.assert(
    fc.property(zone, fc.array(instant, { minLength: 3, maxLength: 3 }), (zone, instants) => {
      const [from = 0, middle = 0, to = 0] = instants.sort((a, b) => a - b)
      const days = (start: number, end: number) => periodDays({ from: epochMs(start), to: epochMs(end) }, zone)
      return days(from, middle) + days(middle, to) === days(from, to)
    }),
    { numRuns: 50 }
  )
  t.end()
})

t.test('an instant is whole milliseconds, and its text names its zone', (t) => {
  fc.assert(fc.property(instant, (value) => fromIso(toIso(epochMs(value))) === value))
  t.equal(fromIso('2026-11-01T03:00:00+03:00'), fromIso('2026-11-01T00:00:00Z'))
  for (const wrong of [
    '2026-11-01T00:00:00',
    '2026-11-01',
    '2026-13-01T00:00:00Z',
    '2026-02-30T00:00:00Z',
    'now',
    '',
    '2026-11-01T00:00:00.0001Z'
  ]) {
    t.throws(() => fromIso(wrong), { code: 'VALIDATION' }, wrong)
  }
  for (const wrong of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) t.throws(() => epochMs(wrong), { code: 'VALIDATION' })
  t.end()
})
