import { fromIso } from '@endeks/domain/time'
import t from 'tap'
import { timeFormats } from '../../staff/src/format/time.js'

const tr = timeFormats('tr', 'Europe/Istanbul')
const en = timeFormats('en', 'Europe/Istanbul')

t.test('instants are shown in the zone of the utility', (t) => {
  t.equal(tr.date('2026-10-31T21:00:00Z'), '01.11.2026')
  t.equal(tr.minute('2026-03-04T22:05:00Z'), '05.03.2026 01:05')
  t.equal(tr.second('2026-03-04T21:00:09Z'), '05.03.2026 00:00:09')
  t.equal(tr.clock(fromIso('2026-11-24T07:42:00Z')), '10:42')
  t.equal(tr.localDay(fromIso('2026-10-31T21:00:00Z')), '2026-11-01')
  t.end()
})

t.test('days, months and periods', (t) => {
  t.equal(tr.day('2026-03-05'), '05.03.2026')
  t.equal(tr.month('2026-10'), 'Ekim 2026')
  t.equal(en.month('2026-10'), 'October 2026')
  t.equal(tr.shortMonth('2026-10'), 'Eki 26')
  t.equal(tr.span('2026-09-30T21:00:00Z', '2026-10-31T21:00:00Z'), '01.10-01.11.2026')
  t.equal(tr.span('2026-11-30T21:00:00Z', '2026-12-31T21:00:00Z'), '01.12.2026-01.01.2027')
  t.end()
})
