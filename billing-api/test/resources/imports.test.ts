import t from 'tap'
import { testServer } from '../fixtures/server.js'
import { site } from '../fixtures/site.js'

t.test('a site is imported once, and the same again changes nothing', async (t) => {
  const server = await testServer(t, { empty: true })
  const first = await server.call('/api/site', { method: 'PUT', body: site() })
  t.equal(first.status, 200)
  t.match(first.body, {
    created: {
      utility: 1,
      parameters: 2,
      tariffs: 1,
      gateways: 1,
      participants: 3,
      meters: 3,
      installations: 3,
      connections: 3,
      subscriptions: 3
    }
  })
  const before = await fingerprint()
  const second = await server.call('/api/site', { method: 'PUT', body: site() })
  t.equal(second.status, 200)
  t.match(second.body, {
    created: { utility: 0, gateways: 0, participants: 0, subscriptions: 0 },
    unchanged: { participants: 3, gateways: 1 }
  })
  t.same(await fingerprint(), before, 'no row was added, no command, no trace in the audit')

  async function fingerprint(): Promise<unknown> {
    const { rows } = await server.owner.query(`select
      (select count(*) from account.person) as persons, (select count(*) from account.installation) as installations,
      (select count(*) from account.supply) as supplies, (select count(*) from account.credential) as credentials,
      (select count(*) from account.command where kind = 'adopt-unassigned') as commands, (select count(*) from audit.event) as events,
      (select array_agg(name_folded order by id) from account.person) as folded`)
    return rows[0]
  }
  t.match(before, {
    persons: 3n,
    supplies: 3n,
    commands: 1n,
    folded: ['isik boya san. ve tic. a.s.', 'caglar metal ltd. sti.', 'inci gida']
  })
})

t.test('what contradicts what stands refuses the whole import and is named', async (t) => {
  const server = await testServer(t)
  const changed = site()
  const other = { ...changed.participants[0], registryNo: '999999', name: 'Yeni A.Ş.' }
  const participants = [...changed.participants.map((each) => (each.registryNo === '100482' ? { ...each, name: 'Başka' } : each)), other]
  const answer = await server.call('/api/site', { method: 'PUT', body: { ...changed, participants } })
  t.match(answer, { status: 409, body: { code: 'ALREADY_EXISTS', problems: [{ path: '/participants/1', message: /100482.*name/ }] } })
  const { rows } = await server.owner.query('select count(*) as count from account.participant where registry_no = 999999')
  t.same(rows, [{ count: 0n }], 'nothing of it was kept')

  const contradictions = [
    { list: 'gateways', body: { ...changed, gateways: [{ id: 'gw-1', name: 'Kazan dairesi', password: 'another-password-here' }] } },
    { list: 'tariffs', body: { ...changed, tariffs: [{ ...(changed.tariffs[0] as object), name: { tr: 'Başka', en: 'Other' } }] } },
    { list: 'parameters', body: { ...changed, parameters: [{ name: 'kdv.water', validFrom: '2022-01-01', value: { rate: '0.02' } }] } },
    { list: 'meters', body: { ...changed, meters: changed.meters.map((meter) => ({ ...meter, medium: 'hot-water' })) } },
    {
      list: 'connections',
      body: { ...changed, connections: changed.connections.map((each) => ({ ...each, servicePoint: 'P-3' })).slice(0, 1) }
    },
    { list: 'subscriptions', body: { ...changed, subscriptions: changed.subscriptions.map((each) => ({ ...each, route: 'R9' })) } }
  ]
  for (const { list, body } of contradictions) {
    const refused = await server.call('/api/site', { method: 'PUT', body })
    t.match(refused, { status: 409, body: { code: 'ALREADY_EXISTS', problems: [{ path: new RegExp(`^/${list}/0`) }] } }, list)
  }
})

t.test('the numbers of a utility are right where their check digits are', async (t) => {
  const server = await testServer(t, { empty: true })
  const { utility, ...rest } = site()
  const body = { ...rest, utility: { ...utility, iban: 'TR330006100519786457841326' } }
  t.match(await server.call('/api/site', { method: 'PUT', body }), { status: 200 })
})

t.test('every problem of a site is told with its path, and nothing is started', async (t) => {
  const server = await testServer(t, { empty: true })
  const wrong = site()
  const body = {
    ...wrong,
    surprise: true,
    utility: { ...wrong.utility, currency: 'lira' },
    installations: [{ ...wrong.installations[0], from: '2026-02-31T00:00:00Z' }]
  }
  const answer = await server.call('/api/site', { method: 'PUT', body })
  t.match(answer, { status: 400, body: { code: 'VALIDATION' } })
  const paths = (answer.body['problems'] as { path: string }[]).map((problem) => problem.path)
  t.ok(paths.includes('/utility/currency') && paths.includes('/installations/0/from') && paths.includes('/'), paths.join())

  const cases = [
    { code: 'TARIFF_INVALID', body: { ...wrong, parameters: [] } },
    {
      code: 'TARIFF_EXAMPLE_FAILS',
      body: {
        ...wrong,
        tariffs: [{ ...(wrong.tariffs[0] as object), examples: [{ quantity: '1', days: 30, charges: { water: '1.00' } }] }]
      }
    },
    { code: 'METER_NOT_FOUND', body: { ...wrong, meters: [] } },
    { code: 'SERVICE_POINT_NOT_FOUND', body: { ...wrong, installations: [{ ...wrong.installations[0], servicePoint: 'nowhere' }] } },
    { code: 'GATEWAY_NOT_FOUND', body: { ...wrong, gateways: [] } },
    { code: 'PARTICIPANT_NOT_FOUND', body: { ...wrong, participants: [] } },
    { code: 'IDENTIFIER_INVALID', body: { ...wrong, participants: [{ ...wrong.participants[0], taxNumber: '1234567891' }] } },
    { code: 'IDENTIFIER_INVALID', body: { ...wrong, utility: { ...wrong.utility, taxNumber: '0010213577' } } },
    { code: 'IDENTIFIER_INVALID', body: { ...wrong, utility: { ...wrong.utility, iban: 'TR330006100519786457841327' } } },
    { code: 'VALIDATION', body: { ...wrong, utility: { ...wrong.utility, receiptSeries: wrong.utility.invoiceSeries } } },
    { code: 'VALIDATION', body: { ...wrong, utility: { ...wrong.utility, currency: 'EUR' } } },
    { code: 'VALIDATION', body: { ...wrong, participants: [{ ...wrong.participants[0], name: 'Işık\u001b[2J' }] } },
    { code: 'VALIDATION', body: { ...wrong, participants: [wrong.participants[0], wrong.participants[0]] } },
    { code: 'VALIDATION', body: { ...wrong, utility: { ...wrong.utility, zone: 'Europe/Nowhere' } } },
    {
      code: 'FACT_OVERLAPS',
      body: {
        ...wrong,
        installations: [...wrong.installations, { ...wrong.installations[0], from: '2026-05-01T00:00:00Z', servicePoint: 'P-2' }]
      }
    }
  ]
  for (const { code, body: each } of cases) t.match(await server.call('/api/site', { method: 'PUT', body: each }), { body: { code } }, code)
  const { rows } = await server.owner.query(
    'select (select count(*) from account.utility) as utilities, (select count(*) from account.person) as persons'
  )
  t.same(rows, [{ utilities: 0n, persons: 0n }])
})

t.test('an exchange of meters is told by the file or by hand, and neither contradicts the other', async (t) => {
  const server = await testServer(t)
  const put = (body: unknown) => server.call('/api/site', { method: 'PUT', body })
  const at = '2026-11-15T09:30:00Z'
  const meter = { serial: 'NEW-1', manufacturer: 'KAM', medium: 'cold-water', registers: site().meters[0]?.registers }
  const made = await server.call('/api/meters', { method: 'POST', body: meter })
  const path = `/api/meters/${String(made.body['id'])}/installations`
  t.equal((await server.call(path, { method: 'POST', body: { servicePoint: 'P-1', from: at } })).status, 201)
  t.match(
    await put(site()),
    { status: 200, body: { created: { installations: 0 }, unchanged: { installations: 3 } } },
    'what was ended by hand since stays ended'
  )

  const exchanged = site()
  const [, second] = exchanged.installations
  const [, connected] = exchanged.connections
  if (second === undefined || connected === undefined) throw new Error('the site has three places')
  second.to = at
  connected.to = at
  exchanged.meters.push({ ...meter, serial: 'NEW-2', registers: site().meters[0]?.registers ?? [] })
  exchanged.installations.push({ meter: { serial: 'NEW-2', manufacturer: 'KAM' }, servicePoint: 'P-2', from: at })
  exchanged.connections.push({ ...site().connections[1], gateway: 'gw-1', bus: 'line', address: '2', servicePoint: 'P-2', from: at })
  t.match(await put(exchanged), {
    status: 200,
    body: { created: { meters: 1, installations: 2, connections: 2 }, unchanged: { installations: 2, connections: 2 } }
  })
  const { rows } = await server.owner.query(
    `select m.serial, i.valid_to is null as open, i.superseded_at is null as live
     from account.installation i join account.meter m on m.id = i.meter_id join account.service_point p on p.id = i.service_point_id
     where p.code = 'P-2' order by i.id`
  )
  t.same(
    rows,
    [
      { serial: '68204412', open: true, live: false },
      { serial: '68204412', open: false, live: true },
      { serial: 'NEW-2', open: true, live: true }
    ],
    'what was known is kept'
  )
  t.match(await put(exchanged), { status: 200, body: { created: { installations: 0, connections: 0 } } }, 'the same again')
  t.match(
    await put(site()),
    { status: 200, body: { created: { installations: 0 } } },
    'an older file knows no end, and says nothing against it'
  )
  second.to = '2026-11-16T09:30:00Z'
  t.match(await put(exchanged), {
    status: 409,
    body: { code: 'ALREADY_EXISTS', problems: [{ path: '/installations/1', message: /another end/ }] }
  })
  second.to = at
  connected.to = '2026-11-16T09:30:00Z'
  t.match(await put(exchanged), { status: 409, body: { problems: [{ path: '/connections/1', message: /another end/ }] } })
  t.match(await server.call(path, { method: 'POST', body: { servicePoint: 'P-1', from: at, to: '2026-11-16T09:30:00Z' } }), {
    status: 409,
    body: { code: 'ALREADY_EXISTS' }
  })
})

t.test('rates, shares and commodities of a site are held against each other', async (t) => {
  const server = await testServer(t, { empty: true })
  const right = site()
  const kdv = (value: unknown, name = 'kdv.water') => ({
    ...right,
    parameters: [...right.parameters, { name, validFrom: '2027-01-01', value }]
  })
  const [first] = right.subscriptions
  const cases = [
    { path: '/parameters/2/value/rate', body: kdv({ rate: 0.01 }) },
    { path: '/parameters/2/value', body: kdv({}) },
    { path: '/parameters/2/value', body: kdv('0.01') },
    { path: '/parameters/2/value', body: kdv({ rate: '0.01', surprise: 1 }) },
    { path: '/parameters/2/value/from', body: kdv({ rate: '0.01', from: '2020-01-01' }) },
    { path: '/parameters/2/name', body: kdv({ rate: '0.01' }, 'kdv.Water!') },
    {
      path: '/subscriptions/0/supplies',
      body: { ...right, servicePoints: right.servicePoints.map((each) => ({ ...each, commodity: 'heat' })) }
    },
    { code: 'UNIT_MISMATCH', path: '/subscriptions/0/tariff', body: ofHeat() },
    {
      code: 'FACT_OVERLAPS',
      path: '/subscriptions/3/supplies/0',
      body: { ...right, subscriptions: [...right.subscriptions, { ...first, number: 'S-4', openedAt: '2026-06-01T00:00:00Z' }] }
    }
  ]
  for (const { code = 'VALIDATION', path, body } of cases) {
    t.match(await server.call('/api/site', { method: 'PUT', body }), { body: { code, problems: [{ path }] } }, path)
  }
  const thirds = { ...right, parameters: kdv({ rate: '0.10', source: 'decision 7' }).parameters, subscriptions: ['1', '2', '3'].map(third) }
  t.match(await server.call('/api/site', { method: 'PUT', body: thirds }), { status: 200 }, 'three thirds are one')

  function ofHeat(): object {
    const heat = { commodity: 'heat' }
    return {
      ...right,
      servicePoints: right.servicePoints.map((each) => ({ ...each, ...heat })),
      subscriptions: right.subscriptions.map((each) => ({ ...each, ...heat }))
    }
  }
  function third(number: string): object {
    return { ...first, number, supplies: [{ servicePoint: 'P-1', share: '1/3' }] }
  }
})
