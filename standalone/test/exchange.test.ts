import type { InvoiceDetail, InvoicePage, RunDetail, RunRow } from '@endeks/billing-api/contract'
import { startOfDay, toIso } from '@endeks/domain/time'
import t from 'tap'
import { Temporal } from 'temporal-polyfill'
import { typeExchangeIndexes } from '../src/exchange.js'
import { lastMonth, smallSite, zone } from './small-site.js'
import { startWay, until } from './way.js'

t.test('a month in which the meter was exchanged bills the end of the old one and the beginning of the new one', async (t) => {
  const month = lastMonth()
  const day = Temporal.PlainDate.from(month.firstDay).add({ days: 14 })
  const exchanged = toIso(startOfDay(day, zone))
  const dated = smallSite('mbus', { opening: 1_000_000, closing: 1_000_000 })
  const point = dated.site.points[0]
  const meter = point?.meters[0]
  if (point === undefined || meter?.simulated === undefined) throw new Error('the small site has no meter')
  point.meters = [
    {
      ...meter,
      address: '8',
      to: day.toString(),
      simulated: {
        ...meter.simulated,
        shape: {
          type: 'fixed',
          points: [
            { at: month.from, raw: 1_000_000 },
            { at: exchanged, raw: 1_040_000 }
          ]
        }
      }
    },
    {
      ...meter,
      serial: '68209999',
      from: day.toString(),
      simulated: {
        ...meter.simulated,
        initialIndex: 0,
        shape: {
          type: 'fixed',
          points: [
            { at: exchanged, raw: 0 },
            { at: month.to, raw: 60_000 }
          ]
        }
      }
    }
  ]
  const { api, admin } = await startWay(t, dated)
  await typeExchangeIndexes(api, dated)
  await until('both segments of the month', async () => {
    const { rows } = await admin.query<{ milli: bigint | null }>(
      'SELECT sum(amount_milli)::bigint AS milli FROM metering.segment WHERE superseded_at IS NULL AND from_at >= $1 AND to_at <= $2',
      [month.from, month.to]
    )
    return rows[0]?.milli === 100_000_000n ? true : undefined
  })
  const { id } = await api.post<RunRow>('/bill-runs', { period: month.label })
  const run = await until('the checked run', async () => {
    const seen = await api.get<RunDetail>(`/bill-runs/${id}`)
    return seen.state === 'checked' || seen.state === 'failed' ? seen : undefined
  })
  t.match(run, { state: 'checked', bills: 1, exclusions: [] })
  await api.post(`/bill-runs/${id}/issue`, { bills: 1 })
  const invoice = await until('the invoice', async () => {
    const label = (await api.get<InvoicePage>('/invoices')).items[0]?.label
    return label === undefined ? undefined : await api.get<InvoiceDetail>(`/invoices/${label}`)
  })
  t.equal(invoice.consumption.value, '100.000')
  t.strictSame(
    invoice.meters.map((each) => [each.serial, each.opening.index.value, each.closing.index.value, each.amount.value]),
    [
      ['68204417', '1000.000', '1040.000', '40.000'],
      ['68209999', '0.000', '60.000', '60.000']
    ]
  )
})
