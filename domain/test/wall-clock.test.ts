import t from 'tap'
import { Temporal } from 'temporal-polyfill'
import { epochMs, fromLocal, toIso, toLocal } from '../src/time/index.js'

const midnight = { hour: 0, minute: 0, second: 0 }

t.test('UTC by arithmetic is UTC by the calendar, from the year 1 to 9999', (t) => {
  const from = Temporal.PlainDate.from('0001-01-01')
  for (let day = 0; day < 3_652_000; day += 733) {
    const date = from.add({ days: day })
    const { year, month, day: dayOfMonth } = date
    const expected = date.toZonedDateTime('UTC').epochMilliseconds
    if (fromLocal({ year, month, day: dayOfMonth, ...midnight }, 'UTC') !== expected) t.fail(date.toString())
  }
  t.equal(fromLocal({ year: 2026, month: 11, day: 24, hour: 10, minute: 20, second: 30 }, 'UTC'), Date.parse('2026-11-24T10:20:30Z'))
  t.end()
})

t.test('February has the days that its year gives it', (t) => {
  for (const [year, days] of [
    [2023, 28],
    [2024, 29],
    [1900, 28],
    [2000, 29]
  ] as const) {
    for (const zone of ['UTC', 'Europe/Istanbul']) {
      t.not(fromLocal({ year, month: 2, day: days, ...midnight }, zone), undefined, `${days} February ${year} in ${zone}`)
      t.equal(fromLocal({ year, month: 2, day: days + 1, ...midnight }, zone), undefined)
    }
  }
  t.end()
})

t.test('what no clock shows is no instant', (t) => {
  const noon = { year: 2026, month: 6, day: 15, hour: 12, minute: 0, second: 0 }
  for (const wrong of [
    { month: 0 },
    { month: 13 },
    { day: 0 },
    { day: 31 },
    { hour: 24 },
    { minute: 60 },
    { second: 60 },
    { year: 0 },
    { day: 1.5 }
  ]) {
    t.equal(fromLocal({ ...noon, ...wrong }, 'Europe/Istanbul'), undefined, JSON.stringify(wrong))
  }
  t.end()
})

t.test('a doubled hour is its first passage, or on demand its second; a skipped one is read as before the change', (t) => {
  const doubled = { year: 2024, month: 10, day: 27, hour: 2, minute: 30, second: 0 }
  const iso = (instant: ReturnType<typeof fromLocal>) => (instant === undefined ? undefined : toIso(instant))
  t.equal(iso(fromLocal(doubled, 'Europe/Berlin')), '2024-10-27T00:30:00.000Z')
  t.equal(iso(fromLocal(doubled, 'Europe/Berlin', 'later')), '2024-10-27T01:30:00.000Z')
  const skipped = { ...doubled, month: 3, day: 31 }
  t.equal(iso(fromLocal(skipped, 'Europe/Berlin')), '2024-03-31T01:30:00.000Z')
  t.equal(iso(fromLocal(skipped, 'Europe/Berlin', 'later')), '2024-03-31T01:30:00.000Z')
  t.end()
})

t.test('what a clock shows leads back to the instant', (t) => {
  for (const zone of ['Europe/Istanbul', 'Asia/Kolkata', 'UTC']) {
    const instant = epochMs(Date.parse('2026-07-01T21:59:58Z'))
    t.equal(fromLocal(toLocal(instant, zone), zone), instant, zone)
  }
  t.equal(toLocal(epochMs(0), 'Asia/Kolkata').offsetMinutes, 330)
  t.end()
})
