import { type CommandHandler, serveCommands } from '@endeks/database/commands'
import { AppError } from '@endeks/domain/errors'
import t from 'tap'
import type { Downlink, MeterDetail } from '../../src/contract.js'
import { testServer } from '../fixtures/server.js'

t.test('what a meter is told is asked of ingest, and shown as it stands', async (t) => {
  const server = await testServer(t)
  const { call, owner } = server
  const meter = ((await call('/api/meters?search=68204411')).body['items'] as MeterDetail[])[0]
  const meterId = String(meter?.id)
  const post = (kind: string, body: unknown, cookie?: string) =>
    call(`/api/downlinks/${kind}`, { method: 'POST', body, ...(cookie === undefined ? {} : { cookie }) })

  await t.test('a clerk has a meter read, and only who manages moves a valve, gives a credit or sets a clock', async (t) => {
    const clerk = await server.signIn('clerk')
    for (const [kind, parameters] of [
      ['valve', { position: 'closed' }],
      ['credit', { amount: '1', unit: 'm3' }],
      ['set-clock', undefined]
    ] as const)
      t.match(await post(kind, { meter: meterId, parameters }, clerk), { status: 403, body: { code: 'RIGHT_MISSING' } }, kind)
    t.match(await post('read-now', { meter: '999' }, clerk), { status: 404, body: { code: 'METER_NOT_FOUND' } })
  })

  await t.test('what is asked wrongly is refused before anybody is asked', async (t) => {
    const wrong: readonly [string, unknown, number, string][] = [
      ['read-now', {}, 400, 'VALIDATION'],
      ['read-now', { meter: meterId, servicePoint: 'x' }, 400, 'VALIDATION'],
      ['read-now', { meter: meterId, deadlineMinutes: 10_081 }, 400, 'VALIDATION'],
      ['read-now', { meter: meterId, parameters: { position: 'open' } }, 400, 'VALIDATION'],
      ['valve', { meter: meterId }, 400, 'VALIDATION'],
      ['valve', { meter: meterId, parameters: { position: 'ajar' } }, 400, 'VALIDATION'],
      ['credit', { meter: meterId, parameters: { amount: '1,5', unit: 'm3' } }, 400, 'VALIDATION'],
      ['read-now', { servicePoint: 'NOWHERE' }, 404, 'SERVICE_POINT_NOT_FOUND'],
      ['read-now', { place: { gateway: 'GW-99', bus: 'b', address: '1' } }, 404, 'GATEWAY_NOT_FOUND'],
      ['explode', { meter: meterId }, 404, 'ROUTE_UNKNOWN']
    ]
    for (const [kind, body, status, code] of wrong)
      t.match(await post(kind, body), { status, body: { code } }, `${kind} ${JSON.stringify(body)}`)
    const { rowCount } = await owner.query(`select from account.command where kind = 'downlink'`)
    t.equal(rowCount, 0)
  })

  await t.test('nobody there: 202, with the deadline that was asked for', async (t) => {
    t.match(await post('valve', { meter: meterId, deadlineMinutes: 30, parameters: { position: 'closed' } }), {
      status: 202,
      body: { state: 'queued', command: /^\d+$/ }
    })
    const { rows } = await owner.query(`select payload, requested_by from account.command where kind = 'downlink'`)
    t.same(rows, [
      {
        requested_by: 'admin',
        payload: { meterId, kind: 'valve', parameters: { position: 'closed' }, deadline: '2026-11-20T09:30:00.000Z' }
      }
    ])
    await owner.query(`update account.command set state = 'expired', finished_at = now() where state = 'queued'`)
  })

  await t.test('it is shown as it stands, and an overdue one as expired', async (t) => {
    const enter: CommandHandler = async (payload, { commandId }) => {
      if (typeof payload === 'object' && payload !== null && 'kind' in payload && payload['kind'] === 'credit')
        throw new AppError('COMMAND_UNSUPPORTED', 'no credit here')
      const { rows } = await owner.query<{ id: bigint }>(
        `insert into metering.downlink (command_id, gateway_id, bus, address, service_point_id, meter_id, kind, parameters, requested_by, requested_at, deadline)
         select $1, 'GW-01', 'bus', '7', (select min(id) from account.service_point), $2, 'read-now', '{}', 'admin', '2026-11-20T09:00:00Z', '2026-11-20T09:10:00Z'
         returning id`,
        [commandId, meterId]
      )
      return { id: String(rows[0]?.id) }
    }
    const ingest = serveCommands({
      pool: server.database.createPool(),
      owner: 'ingest',
      handlers: { downlink: enter },
      clock: server.clock
    })
    t.teardown(() => ingest.stop())
    t.match(await post('credit', { meter: meterId, parameters: { amount: '1', unit: 'm3' } }), {
      status: 422,
      body: { code: 'COMMAND_UNSUPPORTED' }
    })
    const created = await post('read-now', { meter: meterId })
    t.match(created, { status: 201, body: { state: 'queued', effect: null, serial: '68204411', attempts: 0, late: null } })
    const id = String(created.body['id'])
    server.clock.set('2026-11-20T09:10:00Z')
    t.match(await call(`/api/downlinks/${id}`), { body: { state: 'expired', effect: 'none', code: 'COMMAND_EXPIRED' } })
    await owner.query(
      `update metering.downlink set state = 'expired', effect = 'done', finished_at = now(), late = '{"effect":"done","receivedAt":"2026-11-20T09:11:00Z"}'`
    )
    t.match(await call(`/api/downlinks/${id}`), {
      body: { state: 'expired', effect: 'done', late: { effect: 'done', code: null, receivedAt: '2026-11-20T09:11:00.000Z' } }
    })
    const second = await post('read-now', { meter: meterId })
    const page = await call(`/api/downlinks?meter=${meterId}&limit=1`)
    t.same(
      (page.body['items'] as Downlink[]).map((each) => each.id),
      [second.body['id']]
    )
    const rest = await call(`/api/downlinks?meter=${meterId}&gateway=GW-01&cursor=${String(page.body['next'])}`)
    t.same(
      (rest.body['items'] as Downlink[]).map((each) => each.id),
      [id]
    )
    t.match(await call('/api/downlinks/424242'), { status: 404, body: { code: 'DOWNLINK_NOT_FOUND' } })
  })
})
