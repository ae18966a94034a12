import t from 'tap'
import { issueInvoice, october } from '../fixtures/invoices.js'
import { type Answer, type TestServer, testServer } from '../fixtures/server.js'

interface Ledger {
  readonly documents: bigint
  readonly postings: bigint
  readonly settlements: bigint
  readonly sum: string
  readonly next: bigint | null
}

async function ledgerOf(server: TestServer): Promise<Ledger | undefined> {
  const { rows } = await server.owner.query<Ledger>(`select
    (select count(*) from ledger.document) as documents, (select count(*) from ledger.posting) as postings,
    (select count(*) from ledger.settlement) as settlements, (select coalesce(sum(amount_micro), 0)::text from ledger.posting) as sum,
    (select next from ledger.series where code = 'MKB') as next`)
  return rows[0]
}

function pay(server: TestServer, key: string, body: unknown, cookie?: string): Promise<Answer> {
  return server.call('/api/collections', {
    method: 'POST',
    body,
    headers: { 'idempotency-key': key },
    ...(cookie === undefined ? {} : { cookie })
  })
}

t.test('a payment', async (t) => {
  const server = await testServer(t)
  const first = await issueInvoice(server.owner, october(1, 1))
  const second = await issueInvoice(server.owner, october(2, 2))
  const cash = (amount: string, id = first) => ({ participant: '100481', method: 'cash', invoices: [{ id, amount }] })
  const { gross } = (await server.call(`/api/invoices/${first}`)).body

  await t.test('what can not be paid is refused with a code, and the ledger is untouched', async (t) => {
    const before = await ledgerOf(server)
    const refused: readonly (readonly [string, unknown, number, string])[] = [
      ['negative', cash('-5.00'), 422, 'AMOUNT_INVALID'],
      ['nothing', cash('0.00'), 422, 'AMOUNT_INVALID'],
      ['below a kuruş', cash('1.005'), 422, 'AMOUNT_INVALID'],
      ['too many places', cash('1.0000001'), 422, 'AMOUNT_INVALID'],
      ['beyond any column', cash('999999999999999999999999.00'), 422, 'AMOUNT_INVALID'],
      ['no number', cash('1,5'), 400, 'VALIDATION'],
      ['more than is open', cash('999999.00'), 422, 'COLLECTION_TOO_MUCH'],
      ['an invoice of somebody else', cash('1.00', second), 404, 'INVOICE_NOT_FOUND'],
      ['an unknown invoice', cash('1.00', '9999999999999999999'), 404, 'INVOICE_NOT_FOUND'],
      ['nobody', { ...cash('1.00'), participant: '7' }, 404, 'PARTICIPANT_NOT_FOUND'],
      [
        'twice in one receipt',
        {
          ...cash('1.00'),
          invoices: [
            { id: first, amount: '1.00' },
            { id: first, amount: '1.00' }
          ]
        },
        400,
        'VALIDATION'
      ],
      ['by card', { ...cash('1.00'), method: 'card' }, 400, 'VALIDATION'],
      ['for nothing', { ...cash('1.00'), invoices: [] }, 400, 'VALIDATION']
    ]
    for (const [name, body, status, code] of refused) {
      t.match(await pay(server, `refused-${name.replaceAll(/\W/g, '_')}`, body), { status, body: { code } }, name)
    }
    t.match(
      await server.call('/api/collections', { method: 'POST', body: cash('1.00') }),
      { status: 400, body: { code: 'VALIDATION' } },
      'without a key'
    )
    await server.owner.query(`insert into account.period values ('2026-11', 'closed')`)
    t.match(await pay(server, 'closed-period', cash('1.00')), { status: 409, body: { code: 'PERIOD_CLOSED' } })
    await server.owner.query(`delete from account.period`)
    t.same(await ledgerOf(server), before)
    const { rows } = await server.owner.query('select count(*) as count from account.idempotency')
    t.same(rows, [{ count: 0n }], 'a key that was refused is free again')
  })

  await t.test('ten clicks on pay are one receipt', async (t) => {
    const before = await ledgerOf(server)
    const answers = await Promise.all(Array.from({ length: 10 }, () => pay(server, 'ten-clicks', cash('100.00'))))
    t.same([...new Set(answers.map((answer) => answer.status))], [201])
    t.equal(new Set(answers.map((answer) => JSON.stringify(answer.body))).size, 1, 'the same answer to each')
    t.equal(answers.filter((answer) => answer.headers['idempotent-replayed'] === 'true').length, 9)
    t.match(answers[0]?.body, {
      label: 'MKB2026000000001',
      amount: '100.00',
      date: '2026-11-20',
      takenBy: 'admin',
      participant: { registryNo: '100481', name: 'Işık Boya San. ve Tic. A.Ş.' },
      invoices: [{ id: first, amount: '100.00', open: minus(String(gross), '100.00') }],
      debt: minus(String(gross), '100.00')
    })
    const after = await ledgerOf(server)
    t.same(after, { ...before, documents: 3n, postings: (before?.postings ?? 0n) + 2n, settlements: 1n, sum: '0', next: 2n })
  })

  await t.test('a key stands for one request of one user', async (t) => {
    t.match(await pay(server, 'ten-clicks', cash('101.00')), { status: 409, body: { code: 'IDEMPOTENCY_KEY_REUSED' } })
    const clerk = await server.signIn('clerk')
    t.match(await pay(server, 'ten-clicks', cash('100.00'), clerk), { status: 409, body: { code: 'IDEMPOTENCY_KEY_REUSED' } })
  })

  await t.test('two desks can not take more than is owed', async (t) => {
    const open = minus(String(gross), '100.00')
    const answers = await Promise.all([pay(server, 'desk-one-all', cash(open)), pay(server, 'desk-two-all', cash(open))])
    t.same(answers.map((answer) => answer.status).sort(), [201, 422])
    t.match(await server.call(`/api/invoices/${first}`), {
      body: { status: 'settled', open: '0.00', collections: [{ amount: '100.00' }, { amount: open }] }
    })
    t.equal((await ledgerOf(server))?.next, 3n, 'the number of the refused one was not used')
    const { rows } = await server.owner.query(
      `select account, sum(amount_micro)::text as sum from ledger.posting where document_id = $1 group by 1 having sum(amount_micro) <> 0 order by 1`,
      [first]
    )
    t.notOk(
      rows.some((row: { account: string }) => row.account === '120'),
      'the receivable of the invoice is zero'
    )
  })

  await t.test('collections are listed by page, participant and day, and found by number', async (t) => {
    const page = await server.call('/api/collections?limit=1')
    t.match(page.body, { items: [{ label: 'MKB2026000000002' }], next: String })
    const rest = await server.call(`/api/collections?limit=1&cursor=${String(page.body['next'])}`)
    t.match(rest.body, { items: [{ label: 'MKB2026000000001', invoices: [{ label: 'END2026000000001' }] }], next: null })
    t.match((await server.call('/api/collections?participant=100482')).body, { items: [] })
    t.same((await server.call('/api/collections?date=2026-11-20')).body['items'], [
      ...(page.body['items'] as unknown[]),
      ...(rest.body['items'] as unknown[])
    ])
    t.match(
      await server.call('/api/collections/MKB2026000000001'),
      {
        status: 200,
        body: {
          amount: '100.00',
          invoices: [{ open: minus(String(gross), '100.00') }],
          debt: minus(String(gross), '100.00')
        }
      },
      'what a receipt says stays, whatever is paid later'
    )
    // A run that began before the receipt and is issued after it: its invoice was not owed when the money came.
    await server.owner.query(
      `with run as (
         insert into rating.run (period, state, period_from, period_to, cutoff_at, issue_date, due_date, series, requested_by, created_at, issued_at)
         values ('2026-11', 'issued', '2026-11-01', '2026-12-01', now(), '2026-11-20', '2026-11-30', 'END', 'admin', '2026-01-01', now())
         returning id, created_at)
       insert into ledger.document select (jsonb_populate_record(d, jsonb_build_object('id', d.id + 1000, 'number', d.number + 1000,
         'label', 'END2026000001001', 'run_id', run.id, 'issued_at', run.created_at))).* from ledger.document d, run where d.id = $1`,
      [first]
    )
    t.match(
      await server.call('/api/collections/MKB2026000000001'),
      { body: { debt: minus(String(gross), '100.00') } },
      'nor does a later invoice change it'
    )
    t.match((await server.call('/api/participants/100481')).body, { debt: gross }, 'which is owed today')
    const { rows } = await server.owner.query(`select actor, subject from audit.event where action = 'collection.taken' order by id`)
    t.same(rows, [
      { actor: 'admin', subject: 'MKB2026000000001' },
      { actor: 'admin', subject: 'MKB2026000000002' }
    ])
  })
})

/** Exact difference of two amounts with two places. */
function minus(a: string, b: string): string {
  const kurus = BigInt(a.replace('.', '')) - BigInt(b.replace('.', ''))
  const digits = kurus.toString().padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`
}
