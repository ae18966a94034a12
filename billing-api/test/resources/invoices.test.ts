import t from 'tap'
import type { Explanation, InvoicePage } from '../../src/contract.js'
import { issueInvoice, october } from '../fixtures/invoices.js'
import { type TestServer, testServer } from '../fixtures/server.js'

t.test('invoices', async (t) => {
  const server = await testServer(t)
  const ids: string[] = []
  for (const n of [1, 2, 3]) ids.push(await issueInvoice(server.owner, october(n, n)))

  await t.test('one is read by id and by the number on its paper, and its sums add up', async (t) => {
    const byId = await server.call(`/api/invoices/${ids[0]}`)
    t.equal(byId.status, 200)
    t.same((await server.call('/api/invoices/END2026000000001')).body, byId.body)
    t.same((await server.call('/api/invoices/2026000000001')).body, byId.body, "as the desk's scanner reads it")
    t.match(await server.call('/api/invoices/2026000000009'), { status: 404, body: { code: 'INVOICE_NOT_FOUND' } })
    t.match(byId.body, {
      label: 'END2026000000001',
      subscription: 'S-1',
      period: '2026-10',
      status: 'overdue',
      currency: 'TRY',
      days: 31,
      consumption: { value: '1241.000', unit: 'm3' },
      receiver: { name: 'Katılımcı 1', registryNo: '100481', properties: ['142/1'] },
      lines: [
        {
          component: 'water',
          name: { tr: 'Su' },
          quantity: { value: '1241.000', unit: 'm3' },
          rate: null,
          net: '74067.55',
          kdvRate: '0.01',
          slices: [
            { from: '0.000', to: '516.667', quantity: '516.667', rate: '57.4880' },
            { from: '516.667', to: null, quantity: '724.333', rate: '61.2500' }
          ]
        },
        { component: 'wastewater', net: '24689.18', kdvRate: '0.20', quantity: null, slices: [] },
        { component: 'maintenance', net: '185.00' }
      ],
      kdv: [
        { rate: '0.01', base: '74067.55', tax: '740.68' },
        { rate: '0.20', base: '24874.18', tax: '4974.84' }
      ],
      net: '98941.73',
      tax: '5715.52',
      gross: '104657.25',
      meters: [
        {
          serial: '68204411',
          opening: { at: '2026-09-30T21:00:00.000Z', index: { value: '48211.000', unit: 'm3' } },
          closing: { index: { value: '49452.000', unit: 'm3' } },
          amount: { value: '1241.000', unit: 'm3' }
        }
      ],
      run: null
    })
  })

  await t.test('a list is paged by keys, and its totals are over the filter', async (t) => {
    const labels: string[] = []
    let cursor = ''
    for (let pages = 0; pages < 5; pages += 1) {
      const { body } = await server.call(`/api/invoices?limit=1${cursor}`)
      const page = body as unknown as InvoicePage
      t.equal(page.totals.count, 3)
      labels.push(...page.items.map((item) => item.label))
      if (page.next === null) break
      cursor = `&cursor=${page.next}`
      // What comes in between moves no row from one page to another.
      if (pages === 0)
        await issueInvoice(server.owner, {
          ...october(1, 9),
          month: '2026-09',
          from: '2026-08-31T21:00:00Z',
          to: '2026-09-30T21:00:00Z'
        }).then(removeLater)
    }
    t.same(labels.slice(0, 3), ['END2026000000003', 'END2026000000002', 'END2026000000001'])
    async function removeLater(): Promise<void> {
      await server.owner.query(`alter table ledger.document disable trigger all`)
      await server.owner.query(`delete from ledger.document where number = 9`)
      await server.owner.query(`delete from rating.bill where from_at = '2026-08-31T21:00:00Z'`)
      await server.owner.query(`alter table ledger.document enable trigger all`)
    }
  })

  await t.test('filters', async (t) => {
    await server.call('/api/collections', {
      method: 'POST',
      headers: { 'idempotency-key': 'settle-the-second' },
      body: { participant: '100482', method: 'cash', invoices: [{ id: ids[1], amount: await grossOf(server, ids[1]) }] }
    })
    const found = async (query: string): Promise<string> => {
      const { body } = await server.call(`/api/invoices?${query}`)
      const page = body as unknown as InvoicePage
      t.equal(page.totals.count, page.items.length, query)
      return page.items.map((item) => item.label.slice(-1)).join('')
    }
    const expected = {
      'participant=100482': '2',
      'participant=77': '',
      'period=2026-10': '321',
      'period=2026-09': '',
      'year=2026': '321',
      'year=2025': '',
      'status=settled': '2',
      'status=overdue': '31',
      'status=open': '',
      'status=unpaid': '31',
      'number=END2026000000003': '3',
      'number=end20260': '321',
      'number=%25': '',
      'issuedFrom=2026-11-05&issuedTo=2026-11-05': '321',
      'issuedFrom=2026-11-06': '',
      'grossFrom=104700': '32',
      'grossTo=104700.00': '1',
      'participant=100481&status=unpaid&period=2026-10': '1'
    }
    for (const [query, numbers] of Object.entries(expected)) t.equal(await found(query), numbers, query)
    server.clock.set('2026-11-10T09:00:00Z')
    t.equal(await found('status=open'), '31', 'before the due date')
    server.clock.set('2026-11-20T09:00:00Z')
  })

  await t.test('participant, overview and timeline tell the same debt', async (t) => {
    const gross = await grossOf(server, ids[0])
    t.match((await server.call('/api/participants/100481')).body, { debt: gross, overdue: gross, overdueDays: 5, invoices: 1 })
    t.match((await server.call('/api/participants/100482')).body, {
      debt: '0.00',
      collections: 1,
      timeline: [{ kind: 'collection' }, { kind: 'invoice' }, { kind: 'installation' }]
    })
    const settled = await grossOf(server, ids[1])
    t.match((await server.call('/api/overview')).body, {
      debt: { invoices: 2, overdueInvoices: 2 },
      collections: { today: settled, receiptsToday: 1 },
      meters: { installed: 3, heardWithinDay: 0, silent: 3 },
      lastRun: null
    })
    const months = (await server.call('/api/overview')).body['months'] as { month: string; invoices: number }[]
    t.equal(months.length, 13)
    t.match(months.slice(-2), [
      { month: '2026-10', invoices: 3 },
      { month: '2026-11', collected: settled }
    ])
  })
})

async function grossOf(server: TestServer, id: string | undefined): Promise<string> {
  return String((await server.call(`/api/invoices/${id}`)).body['gross'])
}

t.test('an explanation', async (t) => {
  const server = await testServer(t)
  const id = await issueInvoice(server.owner, october(1, 1))
  const explain = async (line = 1): Promise<Explanation> => {
    const answer = await server.call(`/api/invoices/${id}/lines/${line}/explain`)
    t.equal(answer.status, 200)
    return answer.body as unknown as Explanation
  }
  const broken = (explanation: Explanation): string[] => explanation.chain.filter((link) => !link.ok).map((link) => link.link)

  await t.test('every line leads down to the bytes, and each link holds', async (t) => {
    for (const line of [1, 2, 3]) t.same(broken(await explain(line)), [], `line ${line}`)
    const explanation = await explain()
    t.same(
      explanation.chain.map((link) => link.link),
      ['price', 'tariff', 'input', 'consumption', 'index', 'bytes', 'decoding']
    )
    t.match(explanation, {
      accrual: { date: '2026-11-01', days: 31, consumption: { value: '1241.000', unit: 'm3' } },
      tariff: { code: 'sanayi', version: '2026-1', component: { kind: 'tiers', code: 'water' } },
      supplies: [
        {
          servicePoint: 'P-1',
          sign: 1,
          share: '1/1',
          registers: [{ meter: { serial: '68204411' }, segments: [{ toIndex: { value: '49452.000' } }] }]
        }
      ],
      evidence: [
        {
          exchange: '2026-09-30/1',
          gateway: 'gw-1',
          protocol: 'modbus',
          identity: { id: '68204411', manufacturer: 'KAM' },
          profile: { name: 'test-logger' },
          decoded: { ok: true, readings: [{ raw: '48211000', scaler: -3 }] },
          billed: [{ meter: '68204411', billed: { value: '48211.000', unit: 'm3' }, equal: true }]
        },
        { billed: [{ decoded: { value: '49452.000', unit: 'm3' }, equal: true }] }
      ]
    })
    t.match(explanation.chain[0], { expected: '74067.55 = 516.667 m3 x 57.4880 + 724.333 m3 x 61.2500', found: '74067.55' })
    t.match((await explain(2)).chain[0], { expected: /^24689\.18 = 1\/3 x 74067\.5\d+ \(water\)$/ })
    t.match(await server.call(`/api/invoices/${id}/lines/4/explain`), { status: 404, body: { code: 'INVOICE_LINE_NOT_FOUND' } })
  })

  await t.test('evidence is found by its exchange, each listed once', async (t) => {
    await server.owner.query(
      `create table copies as select * from rating.evidence; update copies set exchange_id = exchange_id + 100;
       insert into rating.evidence table copies; drop table copies`
    )
    t.same(
      (await explain()).evidence.map((each) => each.exchange),
      ['2026-09-30/1', '2026-10-31/1'],
      'the same bytes of other exchanges are none of this bill'
    )
    await server.owner.query(
      `delete from rating.evidence where exchange_id > 100;
       create table kept as table rating.bill_input;
       update rating.bill_input set content = replace(content, '2026-10-31/1', '2026-09-30/1')`
    )
    const shared = await explain()
    t.same(
      shared.evidence.map((each) => [each.exchange, each.billed.length]),
      [['2026-09-30/1', 2]],
      'two indexes, one exchange'
    )
    t.match(shared.supplies[0]?.registers[0], { opening: { exchange: '2026-09-30/1' }, closing: { exchange: '2026-09-30/1' } })
    await server.owner.query(
      'update rating.bill_input i set content = kept.content from kept where kept.bill_id = i.bill_id; drop table kept'
    )
  })

  await t.test('whatever is tampered with breaks its own link', async (t) => {
    const tamper = async (change: string, restore: string): Promise<string[]> => {
      await server.owner.query(change)
      const found = broken(await explain())
      await server.owner.query(restore)
      return found
    }
    t.same(
      await tamper(
        `update account.rate_schedule set document = jsonb_set(document, '{components,0,tiers,0,price}', '"1"'), version = '2026-1'`,
        `update account.rate_schedule set document = jsonb_set(document, '{components,0,tiers,0,price}', '"57.488"')`
      ),
      ['price', 'tariff']
    )
    t.same(
      await tamper(
        `update rating.charge set net_micro = net_micro + 10000; alter table ledger.document_line disable trigger all;
         update ledger.document_line set net_micro = net_micro + 10000`,
        `update rating.charge set net_micro = net_micro - 10000; update ledger.document_line set net_micro = net_micro - 10000`
      ),
      ['price']
    )
    t.same(
      await tamper(
        `update rating.bill_input set content = replace(content, '"toRaw":"49452000"', '"toRaw":"49452001"')`,
        `update rating.bill_input set content = replace(content, '"toRaw":"49452001"', '"toRaw":"49452000"')`
      ),
      ['input', 'index']
    )
    t.same(
      await tamper(
        `update rating.accrual set consumption_milli = consumption_milli + 1`,
        `update rating.accrual set consumption_milli = consumption_milli - 1`
      ),
      ['consumption']
    )
    t.same(
      await tamper(
        `update rating.evidence set response = set_byte(response, length(response) - 1, get_byte(response, length(response) - 1) # 1)`,
        `update rating.evidence set response = set_byte(response, length(response) - 1, get_byte(response, length(response) - 1) # 1)`
      ),
      ['bytes', 'decoding']
    )
    t.same(
      await tamper(
        `update rating.evidence set profile = replace(profile, '"scaler":-3', '"scaler":-2')`,
        `update rating.evidence set profile = replace(profile, '"scaler":-2', '"scaler":-3')`
      ),
      ['decoding'],
      'a profile that is another one proves nothing'
    )
    t.same(
      await tamper(
        `update rating.evidence set exchange_id = exchange_id + 100 where exchange_day = '2026-10-31'`,
        `update rating.evidence set exchange_id = exchange_id - 100 where exchange_day = '2026-10-31'`
      ),
      ['bytes', 'decoding'],
      'the same bytes of another exchange are not what was billed'
    )
    t.same(
      await tamper(
        `create table kept as table rating.evidence;
         update rating.evidence e set sha256 = o.sha256, request = o.request, response = o.response
         from kept o where e.exchange_day = '2026-10-31' and o.exchange_day = '2026-09-30'`,
        'delete from rating.evidence; insert into rating.evidence table kept; drop table kept'
      ),
      ['bytes', 'decoding'],
      'another conversation under the same name has not the frozen hash'
    )
    t.same(broken(await explain()), [], 'all is as it was')
    t.same(await tamper('delete from rating.evidence', 'select 1'), ['bytes', 'decoding'])
  })
})
