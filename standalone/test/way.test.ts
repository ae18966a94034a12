import type { Explanation, InvoiceDetail, InvoicePage, RunDetail, RunRow } from '@endeks/billing-api/contract'
import t from 'tap'
import { lastMonth, smallSite, type WayName, ways } from './small-site.js'
import { startWay, until } from './way.js'

// Goal: a value planted in a simulated meter is billed, and the explanation of the bill leads back to the bytes it was in.
// Method: every part is the real one; the planted closing index is looked for in what decoding the kept bytes again gives.

const opening = 48_211_000
const closing = 49_451_000

for (const protocol of Object.keys(ways) as WayName[]) {
  t.test(`from a planted ${protocol} index to a bill that explains it`, async (t) => {
    const month = lastMonth()
    const { api, admin } = await startWay(t, smallSite(protocol, { opening, closing }))
    await until('the segment of the month', async () => {
      const { rowCount } = await admin.query('SELECT FROM metering.segment WHERE to_at = $1 AND superseded_at IS NULL', [month.to])
      return rowCount === 1 ? true : undefined
    })
    const started = await api.post<RunRow>('/bill-runs', { period: month.label })
    const checked = await until('the checked run', async () => {
      const run = await api.get<RunDetail>(`/bill-runs/${started.id}`)
      if (run.state === 'failed') throw new Error(run.failure?.message)
      return run.state === 'checked' ? run : undefined
    })
    t.strictSame(checked.exclusions, [])
    t.equal(checked.bills, 1)
    await api.post(`/bill-runs/${started.id}/issue`, { bills: 1 })
    await until('the issued run', async () =>
      (await api.get<RunDetail>(`/bill-runs/${started.id}`)).state === 'issued' ? true : undefined
    )

    const page = await api.get<InvoicePage>('/invoices')
    const row = page.items[0]
    t.equal(page.items.length, 1)
    const invoice = await api.get<InvoiceDetail>(`/invoices/${row?.label}`)
    t.equal(invoice.consumption.value, '1240.000')
    const explained = await api.get<Explanation>(`/invoices/${invoice.id}/lines/1/explain`)
    t.ok(explained.chain.length >= 7)
    t.ok(
      explained.chain.every((link) => link.ok),
      'every link from the amount to the bytes holds'
    )
    const billed = explained.evidence
      .flatMap((evidence) => evidence.billed)
      .find((each) => each.at === month.to.replace('.000Z', 'Z') || each.at === month.to)
    t.match(billed, { equal: true, billed: { value: '49451.000', unit: 'm3' }, decoded: { value: '49451.000', unit: 'm3' } })
    t.ok(explained.evidence.every((evidence) => evidence.response.length > 0 && evidence.request.length > 0))
    const posted = await admin.query<{ sum: bigint; count: number }>(
      'SELECT sum(amount_micro)::bigint, count(*)::integer FROM ledger.posting'
    )
    t.strictSame(posted.rows[0], { sum: 0n, count: 3 })
  })
}
