import t from 'tap'
import type { Consumption, MeterDetail, ParticipantDetail, ParticipantRow, Reading, SubscriptionDetail } from '../../src/contract.js'
import { testServer } from '../fixtures/server.js'
import { opened, tariff } from '../fixtures/site.js'

t.test('accounts', async (t) => {
  const server = await testServer(t)
  const { call, owner } = server
  const post = (path: string, body: unknown) => call(path, { method: 'POST', body })

  await t.test('a participant is found by whatever is known of them, in any spelling', async (t) => {
    const expected = {
      IŞIK: ['100481'],
      isik: ['100481'],
      'ışık boya': ['100481'],
      ÇAĞLAR: ['100482'],
      inci: ['100483'],
      '1004': ['100481', '100482', '100483'],
      '100482': ['100482'],
      '0010213576': ['100481'],
      '142/3': ['100483'],
      '68204412': ['100482'],
      '%': [],
      nobody: []
    }
    for (const [search, numbers] of Object.entries(expected)) {
      const { body } = await call(`/api/participants?search=${encodeURIComponent(search)}`)
      t.same(
        (body['items'] as ParticipantRow[]).map((item) => item.registryNo),
        numbers,
        search
      )
    }
    const page = await call('/api/participants?limit=2')
    t.match(page.body, { items: [{ properties: ['142/1'], subscriptions: 1, debt: '0.00' }, {}], next: String })
    t.match((await call(`/api/participants?limit=2&cursor=${String(page.body['next'])}`)).body, {
      items: [{ registryNo: '100483' }],
      next: null
    })
  })

  await t.test('a participant is registered with the next number, and told with what is private hidden', async (t) => {
    const natural = { kind: 'natural', name: 'Ali Veli', ownershipStatus: 'tenant', taxNumber: '10000000146' }
    const made = await Promise.all([post('/api/participants', natural), post('/api/participants', natural)])
    t.same(made.map((answer) => [answer.status, answer.body['registryNo']]).sort(), [
      [201, '100484'],
      [201, '100485']
    ])
    t.match(made[0]?.body, { name: 'Ali Veli', taxNumber: '•••••••0146', debt: '0.00', subscriptions: [], timeline: [] })
    t.match((await call('/api/participants/100481')).body, { taxNumber: '••••••3576', phone: '+•• ••• ••• 00 00' })
  })

  await t.test('a name is one line that is seen, and an e-mail address has an @', async (t) => {
    const person = { kind: 'organisation', name: 'Şimşek & Oğulları (2) – 3. Şube', ownershipStatus: 'owner' }
    const wrong = {
      name: ['   ', '\u00a0', '...', 'a\u001b[31m', 'a\r\nb', 'a\u200bb', '\u202eA.Ş.', 'a\u2028b', 'a\u0000', '\u3164'],
      email: ['', 'a', 'a@', '@b', 'a@b@c', 'a@b\nBcc: c@d', 'a b@c', 'a@b\u200b']
    }
    for (const [field, values] of Object.entries(wrong)) {
      for (const value of values) {
        const refused = await post('/api/participants', { ...person, [field]: value })
        t.match(refused, { status: 400, body: { problems: [{ path: `/${field}` }] } }, `${field} ${encodeURIComponent(value)}`)
      }
    }
    t.match(await post('/api/participants', { ...person, email: 'muhasebe@example.com' }), {
      status: 201,
      body: { name: person.name, email: 'muhasebe@example.com' }
    })
  })

  await t.test('one participant, with places, meters and last indexes', async (t) => {
    await owner.query(`select metering.ensure_partitions('2025-08-01', '2026-11-30')`)
    await owner.query(
      `insert into metering.reading (register_id, at, raw, status, scaler, unit, source)
       select r.id, at, raw, 0, -3, 'm3', 'remote' from account.register r join account.meter m on m.id = r.meter_id
       cross join (values ('2026-11-19T21:00:00Z'::timestamptz, 50000000), ('2026-11-20T06:00:00Z', 50000123)) as v (at, raw)
       where m.serial = '68204411'`
    )
    const { body } = await call('/api/participants/100481')
    const detail = body as unknown as ParticipantDetail
    t.match(detail.subscriptions, [
      {
        number: 'S-1',
        property: '142/1',
        servicePoint: 'P-1',
        tariff: { code: 'sanayi', name: { tr: 'Sanayi' } },
        meters: [{ serial: '68204411', lastReading: { at: '2026-11-20T06:00:00.000Z', index: { value: '50000.123', unit: 'm3' } } }],
        thisMonth: null
      }
    ])
    t.match(detail.timeline, [{ kind: 'installation', label: '68204411' }])
  })

  await t.test('consumption by month keeps a gap a gap, and has the year before beside it', async (t) => {
    await owner.query(
      `insert into metering.daily_consumption (register_id, day, amount_milli, unit, quality)
       select r.id, day::date, 40000000, 'L', case when day = '2026-10-15' then 'estimated' else 'measured' end
       from account.register r join account.meter m on m.id = r.meter_id
       cross join generate_series('2026-10-01'::date, '2026-11-19', '1 day') as day where m.serial = '68204411'`
    )
    const { body } = await call('/api/participants/100481/consumption?months=3')
    t.same(body as unknown as Consumption, {
      unit: 'm3',
      months: [
        { month: '2026-09', amount: null, lastYear: null, estimated: false, running: false, until: '2026-10-01' },
        { month: '2026-10', amount: '1240.000', lastYear: null, estimated: true, running: false, until: '2026-11-01' },
        { month: '2026-11', amount: '760.000', lastYear: null, estimated: false, running: true, until: '2026-11-20' }
      ]
    })
    t.equal(((await call('/api/participants/100481/consumption')).body['months'] as unknown[]).length, 13)
    t.match((await call('/api/participants/100481')).body, { subscriptions: [{ thisMonth: { value: '760.000', unit: 'm3' } }] })
    t.match((await call('/api/participants/100482/consumption?months=1')).body, { unit: 'm3', months: [{ amount: null }] })
  })

  await t.test('a subscription is opened once, and only on what exists', async (t) => {
    const body = {
      number: 'S-9',
      contract: 'C-9',
      participant: '100484',
      commodity: 'water',
      route: 'R1',
      openedAt: opened,
      tariff: 'sanayi',
      supplies: [{ servicePoint: 'P-9', share: '1/3' }]
    }
    await post('/api/service-points', { code: 'P-9', commodity: 'water', property: { kind: 'parcel', label: '9' } })
    const made = await post('/api/subscriptions', body)
    t.match(made, {
      status: 201,
      body: { number: 'S-9', participant: { name: 'Ali Veli' }, supplies: [{ servicePoint: 'P-9', sign: 1, share: '1/3', to: null }] }
    })
    t.match(await post('/api/subscriptions', body), { status: 409, body: { code: 'ALREADY_EXISTS' } })
    t.match(
      await post('/api/subscriptions', { ...body, number: 'S-8', contract: 'C-1' }),
      { status: 409, body: { code: 'ALREADY_EXISTS' } },
      'a contract of another'
    )
    t.match(await post('/api/subscriptions', { ...body, number: 'S-8', participant: '5' }), {
      status: 404,
      body: { code: 'PARTICIPANT_NOT_FOUND' }
    })
    t.match(await post('/api/subscriptions', { ...body, number: 'S-8', tariff: 'none' }), {
      status: 404,
      body: { code: 'TARIFF_NOT_FOUND' }
    })
    t.match(await post('/api/subscriptions', { ...body, number: 'S-8', supplies: [{ servicePoint: 'P-0' }] }), {
      status: 404,
      body: { code: 'SERVICE_POINT_NOT_FOUND' }
    })
    const { body: page } = await call('/api/subscriptions?limit=2')
    t.same(
      (page['items'] as SubscriptionDetail[]).map((item) => item.number),
      ['S-1', 'S-2']
    )
    t.match((await call('/api/subscriptions?participant=100484')).body, {
      items: [{ number: 'S-9', tariffs: [{ code: 'sanayi' }] }],
      next: null
    })
  })

  await t.test('of a place no more is given away than there is', async (t) => {
    const opening = (number: string, share: string, more: object = {}) =>
      post('/api/subscriptions', {
        number,
        contract: 'C-9',
        participant: '100484',
        commodity: 'water',
        route: 'R1',
        openedAt: '2026-06-01T00:00:00Z',
        tariff: 'sanayi',
        supplies: [{ servicePoint: 'P-9', share }],
        ...more
      })
    t.match(await opening('S-10', '2/3', { supplies: [{ servicePoint: 'P-3' }] }), {
      status: 409,
      body: { code: 'FACT_OVERLAPS', problems: [{ path: '/subscriptions/0/supplies/0', message: /P-3 1\/1 is taken.*1\/1 more/ }] }
    })
    const both = await Promise.all([opening('S-11', '2/3'), opening('S-12', '2/3')])
    t.same(both.map((answer) => answer.status).sort(), [201, 409], 'two at once do not both find two thirds free')
    t.match(await opening('S-13', '1/1000000'), { status: 409, body: { detail: /P-9 1\/1 is taken/ } })
    t.match(
      await opening('S-13', '1/1000000', { openedAt: '2020-01-01T00:00:00Z' }),
      { status: 409 },
      'one that begins earlier runs into it later'
    )
    t.equal((await opening('S-14', '1/1', { supplies: [{ servicePoint: 'P-9', sign: -1 }] })).status, 201, 'taking off is another matter')
    await owner.query(`update account.subscription set closed_at = '2026-07-01T00:00:00Z' where number in ('S-11', 'S-12')`)
    t.equal((await opening('S-15', '2/3', { openedAt: '2026-07-01T00:00:00Z' })).status, 201, 'a closed one leaves its share')
  })

  await t.test('a subscription is of what its places give, by a tariff that prices it', async (t) => {
    const gas = { ...tariff, code: 'gaz', unit: 'kWh' }
    t.equal((await post('/api/tariffs', { document: gas })).status, 201)
    await post('/api/service-points', { code: 'P-8', commodity: 'gas', property: { kind: 'parcel', label: '8' } })
    const body = {
      number: 'S-20',
      contract: 'C-9',
      participant: '100484',
      commodity: 'gas',
      route: 'R1',
      openedAt: opened,
      tariff: 'gaz',
      supplies: [{ servicePoint: 'P-8' }]
    }
    t.match(await post('/api/subscriptions', { ...body, commodity: 'water', tariff: 'sanayi' }), {
      status: 400,
      body: { code: 'VALIDATION', problems: [{ path: '/subscriptions/0/supplies', message: /P-8 is a point of gas/ }] }
    })
    const heat = { code: 'P-H', commodity: 'heat', property: { kind: 'parcel', label: '8' } }
    t.equal((await post('/api/service-points', heat)).status, 201)
    t.match(await post('/api/subscriptions', { ...body, commodity: 'heat', tariff: 'sanayi', supplies: [{ servicePoint: 'P-H' }] }), {
      status: 422,
      body: { code: 'UNIT_MISMATCH', problems: [{ path: '/subscriptions/0/tariff', message: /m3/ }] }
    })
    t.equal((await post('/api/subscriptions', body)).status, 201)
  })

  await t.test('a meter is exchanged: the one that stood there ends where the new one begins', async (t) => {
    const made = await post('/api/meters', {
      serial: 'NEW-1',
      manufacturer: 'KAM',
      medium: 'cold-water',
      registers: [{ obis: '8-0:1.0.0*255', digits: 9, maxPerHour: { value: '2.5', unit: 'm3' } }]
    })
    t.equal(made.status, 201)
    const id = String(made.body['id'])
    const at = '2026-11-15T09:30:00Z'
    const installed = await post(`/api/meters/${id}/installations`, { servicePoint: 'P-1', from: at })
    t.match(installed, { status: 201, body: { installations: [{ servicePoint: 'P-1', from: '2026-11-15T09:30:00.000Z', to: null }] } })
    const old = ((await call('/api/meters?search=68204411')).body['items'] as MeterDetail[])[0]
    t.match(old?.installations, [{ from: '2025-12-31T21:00:00.000Z', to: '2026-11-15T09:30:00.000Z' }])
    const { rows } = await owner.query(
      `select valid_to is null as open, superseded_at is null as live from account.installation i join account.meter m on m.id = i.meter_id where m.serial = '68204411' order by i.id`
    )
    t.same(
      rows,
      [
        { open: true, live: false },
        { open: false, live: true }
      ],
      'what was known is kept'
    )
    t.match(
      await post(`/api/meters/${id}/installations`, { servicePoint: 'P-2', from: '2026-11-16T00:00:00Z' }),
      { status: 409, body: { code: 'FACT_OVERLAPS' } },
      'a meter stands in one place'
    )
    t.match(await post(`/api/meters/${id}/installations`, { servicePoint: 'P-0', from: at }), {
      status: 404,
      body: { code: 'SERVICE_POINT_NOT_FOUND' }
    })
    t.match(
      await post('/api/meters', {
        serial: 'NEW-1',
        manufacturer: 'KAM',
        medium: 'cold-water',
        registers: [{ obis: '8-0:1.0.0*255', digits: 9, maxPerHour: { value: '2.5', unit: 'm3' } }]
      }),
      { status: 409 }
    )
    t.match(
      await post('/api/meters', {
        serial: 'X',
        manufacturer: 'Y',
        medium: 'w',
        registers: [{ obis: '8-0:1.0.0*999', digits: 9, maxPerHour: { value: '0', unit: 'm3' } }]
      }),
      { status: 400, body: { problems: [{ path: '/meters/0/registers/0/obis' }, {}] } }
    )
    t.match((await call('/api/service-points?limit=1')).body, { items: [{ code: 'P-1', meter: { id, serial: 'NEW-1' } }], next: String })
    const commands = await owner.query(`select count(*)::integer as count from account.command where kind = 'adopt-unassigned'`)
    t.same(commands.rows, [{ count: 2 }], 'by the import and by the exchange')
  })

  await t.test('an exchange brings the indexes of both counters along', async (t) => {
    const counter = { digits: 9, maxPerHour: { value: '2.5', unit: 'm3' } }
    const several = [
      { ...counter, obis: '8-0:1.0.0*255', billed: true },
      { ...counter, obis: '8-0:1.1.0*255', billed: false }
    ]
    const meter = { serial: 'NEW-2', manufacturer: 'KAM', medium: 'cold-water', registers: several }
    t.match(
      await post('/api/meters', { ...meter, registers: several.map(({ obis }) => ({ ...counter, obis })) }),
      {
        status: 400,
        body: { code: 'VALIDATION', problems: [{ path: '/meters/0/registers/0/billed' }, { path: '/meters/0/registers/1/billed' }] }
      },
      'a total and its part are not both billed unless somebody says so'
    )
    const made = await post('/api/meters', meter)
    t.match(made, { status: 201, body: { registers: [{ billed: true }, { billed: false }] } })
    const path = `/api/meters/${String(made.body['id'])}/installations`
    const exchange = { servicePoint: 'P-2', from: '2026-11-18T10:00:00Z' }
    const index = (value: string) => ({ value, unit: 'm3' })
    t.match(await post(path, { ...exchange, openingIndex: index('-1') }), {
      status: 400,
      body: { problems: [{ path: '/openingIndex/value' }] }
    })
    t.match(await post(path, { ...exchange, servicePoint: 'P-2', from: '2025-01-01T00:00:00Z', closingIndex: index('1') }), { status: 409 })
    t.match(await post(path, { ...exchange, from: '2026-12-01T00:00:00Z', closingIndex: index('1') }), {
      status: 400,
      body: { problems: [{ path: '/from' }] }
    })
    t.equal((await post('/api/service-points', { code: 'P-7', commodity: 'water', property: { kind: 'parcel', label: '7' } })).status, 201)
    t.match(await post(path, { ...exchange, servicePoint: 'P-7', closingIndex: index('1') }), {
      status: 400,
      body: { problems: [{ path: '/closingIndex' }] }
    })
    const typed = `select r.obis, m.serial, c.payload->>'at' as at, c.payload->>'raw' as raw, c.payload->>'requestedBy' as by
      from account.command c join account.register r on r.id = (c.payload->>'registerId')::bigint join account.meter m on m.id = r.meter_id
      where c.kind = 'typed-reading' order by c.id`
    t.same((await owner.query(typed)).rows, [], 'what was refused left nothing behind')
    const answer = await post(path, { ...exchange, openingIndex: index('0.125'), closingIndex: index('51234.5') })
    t.match(answer, { status: 201, body: { installations: [{ servicePoint: 'P-2' }] } })
    t.same((await owner.query(typed)).rows, [
      { obis: '8-0:1.0.0*255', serial: '68204412', at: '2026-11-18T10:00:00.000Z', raw: '51234500', by: 'admin' },
      { obis: '8-0:1.0.0*255', serial: 'NEW-2', at: '2026-11-18T10:00:00.000Z', raw: '125', by: 'admin' }
    ])
    const stranger = await post('/api/meters', { ...meter, serial: 'NEW-3', registers: several.map((each) => ({ ...each, billed: true })) })
    t.match(
      await post(`/api/meters/${String(stranger.body['id'])}/installations`, {
        ...exchange,
        servicePoint: 'P-7',
        openingIndex: index('1')
      }),
      { status: 400, body: { problems: [{ path: '/openingIndex', message: /just one billed/ }] } }
    )
  })

  await t.test('service points, connections, gateways, tariffs', async (t) => {
    const place = { code: 'P-4', commodity: 'water', property: { kind: 'parcel', label: '142/1' } }
    t.match(await post('/api/service-points', place), { status: 201, body: { code: 'P-4', meter: null } })
    t.match(await post('/api/service-points', place), { status: 409 })
    t.match(await post('/api/service-points', { ...place, code: 'P-5', property: { kind: 'independent-section', label: '142/1' } }), {
      status: 409
    })
    const connection = { gateway: 'gw-1', bus: 'line', address: '4', servicePoint: 'P-4', from: opened }
    t.equal((await post('/api/connections', connection)).status, 204)
    t.match(await post('/api/connections', connection), { status: 409 })
    t.match(await post('/api/connections', { ...connection, gateway: 'gw-9' }), { status: 404, body: { code: 'GATEWAY_NOT_FOUND' } })
    t.match(await post('/api/connections', { ...connection, address: '5', to: opened }), {
      status: 400,
      body: { problems: [{ path: '/connections/0/to' }] }
    })
    t.match(await post('/api/gateways', { id: 'gw-2', name: 'Yeni' }), { status: 201, body: { password: /^[\w-]{32}$/ } })
    t.match((await call('/api/gateways')).body, {
      items: [
        { id: 'gw-1', meters: 4, lastHeardAt: null, openGaps: 0 },
        { id: 'gw-2', meters: 0 }
      ]
    })
    await owner.query(
      `insert into metering.sequence_range (gateway_id, epoch, lane, first, last)
       values ('gw-1', 'a', 'live', 1, 16), ('gw-1', 'a', 'live', 12, 12), ('gw-1', 'a', 'live', 15, 20), ('gw-2', 'a', 'live', 1, 3),
         ('gw-2', 'a', 'live', 2, 2), ('gw-2', 'a', 'live', 5, 6), ('gw-2', 'b', 'live', 9, 9)`
    )
    t.match((await call('/api/gateways')).body, { items: [{ openGaps: 0 }, { openGaps: 2 }] }, 'a redelivery within a range opens no gap')
    await owner.query(
      `insert into metering.sequence_loss (gateway_id, epoch, lane, first, last, readings, reason) values ('gw-2', 'b', 'live', 3, 5, 40, 'spool-limit')`
    )
    t.match((await call('/api/gateways')).body, { items: [{ lostReadings: 0 }, { openGaps: 3, lostReadings: 40 }] })
    t.match((await call('/api/gateways/gw-2/gaps')).body, {
      items: [
        { epoch: 'b', first: 3, last: 5, state: 'declared', readings: 40, reason: 'spool-limit' },
        { epoch: 'b', first: 1, last: 2, state: 'open', readings: null },
        { epoch: 'a', first: 4, last: 4, state: 'open' },
        { epoch: 'b', first: 6, last: 8, state: 'open' }
      ]
    })
    t.match(await call('/api/gateways/gw-9/gaps'), { status: 404, body: { code: 'GATEWAY_NOT_FOUND' } })
    const next = { ...tariff, version: '2026-2', validFrom: '2026-07-01', name: { tr: 'Sanayi suyu', en: 'Industrial water' } }
    t.match(await post('/api/tariffs', { document: next }), {
      status: 201,
      body: { code: 'sanayi', version: '2026-2', hash: /^[0-9a-f]{64}$/ }
    })
    t.match(await post('/api/tariffs', { document: next }), { status: 409 })
    t.match(await post('/api/tariffs', { document: { ...next, version: '2026-3' } }), { status: 409 }, 'two versions of one day')
    t.match(await post('/api/tariffs', { document: { ...next, components: [{ kind: 'odd' }, { kind: 'fixed', code: 'x' }] } }), {
      status: 422,
      body: { problems: [{ path: '/document/components/0/kind' }, {}] }
    })
    t.match((await call('/api/tariffs')).body, {
      items: [
        { code: 'gaz', name: { en: 'Industry' }, subscriptions: 1 },
        { code: 'sanayi', name: { en: 'Industrial water' }, subscriptions: 7, versions: [{ version: '2026-2' }, { version: '2026-1' }] }
      ]
    })
    t.match((await call('/api/tariffs/sanayi')).body, { document: { version: '2026-2', unit: 'm3' } })
  })

  await t.test('the largest and the finest index that the wire allows is shown', async (t) => {
    await owner.query(
      `insert into metering.reading (register_id, at, raw, status, scaler, unit, source)
       select r.id, at, 999999999999999999, 0, scaler, 'm3', 'remote'
       from account.register r join account.meter m on m.id = r.meter_id
       cross join (values ('2026-11-20T07:00:00Z'::timestamptz, 12), ('2026-11-20T07:30:00Z', -12)) as v (at, scaler)
       where m.serial = '68204413'`
    )
    const last = { index: { value: '999999.999999999999', unit: 'm3' } }
    const { body } = await call('/api/meters?search=68204413')
    t.match(body, { items: [{ registers: [{ lastReading: last }] }] })
    t.match((await call('/api/participants/100483')).body, { subscriptions: [{ meters: [{ lastReading: last }] }] })
    const register = String((body['items'] as MeterDetail[])[0]?.registers[0]?.id)
    t.match((await call(`/api/readings?register=${register}`)).body, {
      items: [{ index: last.index }, { index: { value: '999999999999999999000000000000' }, difference: null }]
    })
  })

  await t.test('readings of a register, with what lies between them', async (t) => {
    const meter = ((await call('/api/meters?search=68204411')).body['items'] as MeterDetail[])[0]
    const register = String(meter?.registers[0]?.id)
    const first = await call(`/api/readings?register=${register}&limit=1`)
    t.match(first.body['items'] as Reading[], [
      { index: { value: '50000.123' }, difference: { value: '0.123', unit: 'm3' }, source: 'remote', evidence: null }
    ])
    const rest = await call(`/api/readings?register=${register}&limit=1&cursor=${String(first.body['next'])}`)
    t.match(rest.body, { items: [{ raw: '50000000', difference: null }], next: null })
    t.match((await call(`/api/readings?register=${register}&from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00%2B03:00`)).body, {
      items: [{ raw: '50000123' }],
      next: null
    })
  })
})
