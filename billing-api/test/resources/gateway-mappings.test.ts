import t from 'tap'
import type { GatewayMapping } from '../../src/contract.js'
import { testServer } from '../fixtures/server.js'

t.test('what is entered for a gateway of another maker', async (t) => {
  const server = await testServer(t)
  const { call, owner } = server
  const path = '/api/gateways/gw-1/mapping'
  const put = (body: unknown, at = path) => call(at, { method: 'PUT', body })
  const volume = { device: null, key: 'volume', obis: '8-0:1.0.0*255', unit: 'm3', scaler: -3 }
  const battery = { device: null, key: 'battery', obis: null, unit: null, scaler: null }
  const flat = { device: 'Flat 3', serial: '00012345' }
  let version = ''

  await t.test('is nothing at first, and then what was put, with nothing left out', async (t) => {
    t.match(await call(path), { status: 200, body: { gateway: 'gw-1', format: 'endeks', keys: [], devices: [] } })
    const answer = await put({
      format: 'thingsboard',
      keys: [{ key: 'volume', obis: '8-0:1.0.0*255', unit: 'm3', scaler: -3 }, { key: 'battery' }],
      devices: [flat]
    })
    t.match(answer, { status: 200 })
    const { keys, devices, format } = answer.body as unknown as GatewayMapping
    t.same({ keys, devices, format }, { keys: [battery, volume], devices: [flat], format: 'thingsboard' })
    t.same((await call(path)).body, answer.body)
    version = String(answer.body['version'])
  })

  await t.test('is replaced by a new version; what stays is not entered anew, and what goes is kept with its end', async (t) => {
    const litres = { ...volume, unit: 'L', scaler: null }
    const answer = await put({ format: 'thingsboard', keys: [litres, battery], devices: [flat], replaces: version })
    t.match(answer, { status: 200, body: { keys: [battery, litres] } })
    const { rows } = await owner.query(
      `select key, unit, superseded_at is null as live from account.foreign_key where gateway_id = 'gw-1' order by id`
    )
    t.same(rows, [
      { key: 'volume', unit: 'm3', live: false },
      { key: 'battery', unit: null, live: true },
      { key: 'volume', unit: 'L', live: true }
    ])
    t.match(await put({ format: 'thingsboard', keys: [], devices: [], replaces: version }), {
      status: 409,
      body: { code: 'MAPPING_CHANGED' }
    })
    t.match(await put({ format: 'thingsboard', keys: [litres, battery], devices: [flat] }), { status: 200, body: answer.body })
    const events = await owner.query(`select actor, details from audit.event where action = 'gateway.mapped' order by id`)
    t.match(events.rows, [
      { actor: 'admin', details: { format: 'thingsboard', added: 3, removed: 0 } },
      { details: { added: 1, removed: 1, replaced: version } }
    ])
    t.equal(events.rows.length, 2, 'what changes nothing is no event')
  })

  await t.test('is refused as a whole, every wrong row with its place and what to do', async (t) => {
    const standing = (await call(path)).body
    const answer = await put({
      format: 'thingsboard',
      keys: [
        { key: 'a', obis: '8-0:1.0.0*256', unit: 'm3' },
        { key: 'b', obis: '8-0:1.0.0*255' },
        { key: 'c', obis: '8-0:1.0.0*255', unit: 'gal', scaler: 1.5 },
        { key: 'd', unit: 'm3' },
        { key: '*', obis: '8-0:1.0.0*255', unit: 'm3' },
        { device: '', key: 'x'.repeat(257) },
        { device: null, key: 'a' },
        { device: 'Flat 3', key: 'a\tb' },
        { key: 'good', obis: '8-0:1.0.0*255', unit: 'm3' }
      ],
      devices: [flat, { device: 'Flat 4', serial: '00012345' }, { device: 'Flat 3', serial: ' 7' }]
    })
    t.match(answer, { status: 400, body: { code: 'VALIDATION' } })
    t.same(
      (answer.body['problems'] as { path: string }[]).map((each) => each.path),
      [
        '/keys/0/obis',
        '/keys/1/unit',
        '/keys/2/unit',
        '/keys/2/scaler',
        '/keys/3/unit',
        '/keys/4/obis',
        '/keys/5/device',
        '/keys/5/key',
        '/keys/7/key',
        '/keys/6/key',
        '/devices/2/serial',
        '/devices/2/device',
        '/devices/1/serial'
      ]
    )
    for (const body of [{}, { format: 'lorawan', keys: [], devices: [] }, { format: 'sparkplug', keys: [{ key: 1 }], devices: [] }])
      t.match(await put(body), { status: 400, body: { code: 'VALIDATION' } })
    t.match(await put({ format: 'endeks', keys: [battery], devices: [] }), { status: 400, body: { problems: [{ path: '/format' }] } })
    t.match(await put({ format: 'sparkplug', keys: [], devices: [] }, '/api/gateways/nobody/mapping'), {
      status: 404,
      body: { code: 'GATEWAY_NOT_FOUND' }
    })
    t.same((await call(path)).body, standing, 'and nothing of it is entered')
  })

  await t.test('is read by a clerk and written by an admin', async (t) => {
    const cookie = await server.signIn('clerk')
    t.match(await call(path, { cookie }), { status: 200 })
    t.match(await call(path, { method: 'PUT', body: { format: 'thingsboard', keys: [], devices: [] }, cookie }), { status: 403 })
  })

  await t.test('the keys that are missing are told from what was refused, each once, as they came last', async (t) => {
    const letter = (minute: number, text: string, size = text.length) =>
      owner.query(
        `insert into metering.dead_letter (received_at, gateway_id, topic, code, message, payload, size, sha256)
         values ($1, 'gw-1', 'v1/gateway/telemetry', 'MESSAGE_KEY_UNMAPPED', '', $2, $3, sha256($2))`,
        [`2026-11-20T08:0${minute}:00Z`, Buffer.from(text), size]
      )
    await letter(
      0,
      '{"Flat 3":[{"ts":1,"values":{"flow":1,"volume":2,"battery":3,"online":true}}],"Flat 4":[{"ts":1,"values":{"flow":9}}]}'
    )
    await letter(1, '{"Flat 3":[{"ts":1,"values":{"flow":1.50}}]}')
    await letter(2, '{"Flat 3":[{"ts":1,"values":{"cut', 70_000)
    t.match(await call('/api/gateways/gw-1/unmapped-keys'), {
      status: 200,
      body: {
        messages: 2,
        items: [
          { device: 'Flat 3', key: 'flow', value: '1.50', unit: null, heardAt: '2026-11-20T08:01:00.000Z' },
          { device: 'Flat 4', key: 'flow', value: '9' }
        ]
      }
    })
    await put({ format: 'thingsboard', keys: [volume, battery, { device: 'Flat 3', key: 'flow' }], devices: [flat] })
    t.match((await call('/api/gateways/gw-1/unmapped-keys')).body, { items: [{ device: 'Flat 4' }] })
    t.match(await call('/api/gateways/nobody/unmapped-keys'), { status: 404 })
  })
})
