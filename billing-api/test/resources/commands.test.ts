import { type CommandHandler, serveCommands } from '@endeks/database/commands'
import { AppError } from '@endeks/domain/errors'
import t from 'tap'
import type { MeterDetail } from '../../src/contract.js'
import { refuseDigits, refuseUnit } from '../../src/resources/readings/counter.js'
import { typedIndex } from '../../src/resources/readings/typed.js'
import { testServer } from '../fixtures/server.js'

t.test('what another service does is asked of it by a command', async (t) => {
  const server = await testServer(t)
  const { call, owner } = server
  const meter = ((await call('/api/meters?search=68204411')).body['items'] as MeterDetail[])[0]
  const register = String(meter?.registers[0]?.id)
  const reading = { register, at: '2026-11-20T08:00:00Z', index: { value: '49451', unit: 'm3' } }
  const post = (path: string, body: unknown = {}) => call(path, { method: 'POST', body })

  await t.test('nobody there: 202 after two seconds, and the command goes on', async (t) => {
    const answers = await Promise.all([post('/api/readings', reading), post('/api/bill-runs', { period: '2026-10' })])
    t.match(answers[0], { status: 202, body: { state: 'queued', outcome: null } })
    t.match(answers[1], { status: 202, body: { state: 'queued', command: /^\d+$/ } })
    const { rows } = await owner.query(
      `select owner, kind, payload, requested_by from account.command where state = 'queued' and kind <> 'adopt-unassigned' order by owner`
    )
    t.same(rows, [
      {
        owner: 'ingest',
        kind: 'typed-reading',
        requested_by: 'admin',
        payload: {
          registerId: register,
          at: '2026-11-20T08:00:00.000Z',
          raw: '49451000',
          scaler: -3,
          unit: 'm3',
          source: 'manual',
          requestedBy: 'admin'
        }
      },
      { owner: 'rating', kind: 'start-bill-run', requested_by: 'admin', payload: { period: '2026-10', requestedBy: 'admin' } }
    ])
    await owner.query(`update account.command set state = 'expired' where state = 'queued'`)
  })

  await t.test('an owner that answers', async (t) => {
    await owner.query(
      `insert into rating.run (period, state, period_from, period_to, cutoff_at, issue_date, due_date, series, number_base, subjects, bills,
         net_micro, tax_micro, gross_micro, requested_by, created_at)
       values ('2026-09', 'issued', now(), now(), now(), '2026-10-05', '2026-10-15', 'END', 1, 3, 3, 10000, 0, 10000, 'admin', now()),
         ('2026-10', 'checked', now(), now(), now(), '2026-11-20', '2026-11-30', 'END', 4, 3, 2, 2000000, 20000, 2020000, 'admin', now() - interval '10 s')`
    )
    await owner.query(`insert into rating.run_shard values (2, 1, 1, 2, 'done', 2, now()), (2, 2, 3, 3, 'pending', 0, null)`)
    await owner.query(
      `insert into rating.run_check values (2, 'ledger-sums-to-zero', true, '0', '0', '[]'), (2, 'bills-are-segments', false, '1', '2', '[{"id":"7"}]')`
    )
    await owner.query(
      `insert into rating.run_exclusion (run_id, subscription_id, reason) select 2, id, 'NO_BOUNDARY' from account.subscription where number = 'S-2'`
    )
    const handlers: Record<string, CommandHandler> = {
      'start-bill-run': async (payload) => {
        if (typeof payload === 'object' && payload !== null && 'period' in payload && payload.period === '2026-10') return { runId: '2' }
        throw new AppError('PERIOD_NOT_OVER', 'the month is not over')
      },
      'issue-bill-run': async () => {
        throw new AppError('RUN_STATE', 'run 2 has 2 invoices, not 9')
      },
      'abandon-bill-run': async (_payload, { client }) => {
        await client.query(`update rating.run set state = 'abandoned' where id = 2`)
        return null
      }
    }
    const pool = server.database.createPool()
    const rating = serveCommands({ pool, owner: 'rating', handlers, clock: server.clock })
    const typed: CommandHandler = async () => ({ stored: 'conflict' })
    const ingest = serveCommands({ pool, owner: 'ingest', handlers: { 'typed-reading': typed }, clock: server.clock })
    t.teardown(async () => {
      await Promise.all([rating.stop(), ingest.stop()])
    })
    t.match(await post('/api/readings', reading), { status: 201, body: { state: 'done', outcome: 'conflict' } })
    t.match(await post('/api/bill-runs', { period: '2026-11' }), {
      status: 422,
      body: { code: 'PERIOD_NOT_OVER', detail: 'the month is not over' }
    })
    const started = await post('/api/bill-runs', { period: '2026-10' })
    t.match(started, {
      status: 201,
      body: {
        id: '2',
        state: 'checked',
        excluded: 1,
        gross: '2.02',
        progress: { done: 2, total: 3, secondsLeft: null },
        checks: [
          { name: 'bills-are-segments', passed: false, offenders: [{ id: '7' }] },
          { passed: true, offenders: [] }
        ],
        exclusions: [{ subscription: 'S-2', participant: { registryNo: '100482' }, reason: 'NO_BOUNDARY' }],
        numbers: { first: 'END2026000000004', last: 'END2026000000005' },
        previousGross: '0.01',
        actions: [
          { name: 'issue', allowed: true, reason: null },
          { name: 'abandon', allowed: true }
        ]
      }
    })
    const clerk = await server.signIn('clerk')
    t.match((await call('/api/bill-runs/2', { cookie: clerk })).body, {
      actions: [{ name: 'issue', allowed: false, reason: 'RIGHT_MISSING bill-runs.issue' }, {}]
    })
    t.match(await post('/api/bill-runs/2/issue', { bills: 9 }), { status: 409, body: { code: 'RUN_STATE' } })
    t.match(await post('/api/bill-runs/2/abandon'), {
      status: 200,
      body: { state: 'abandoned', numbers: null, actions: [{ allowed: false, reason: 'RUN_STATE' }, { allowed: false }] }
    })
    t.match((await call('/api/bill-runs')).body, { items: [{ id: '2' }, { id: '1', state: 'issued' }] })
    t.match((await call('/api/overview')).body, { lastRun: { id: '2', state: 'abandoned', excluded: 1 } })
  })

  await t.test('a slip of the hand is refused before anybody is asked', async (t) => {
    t.match(await post('/api/readings', { ...reading, index: { value: '-1', unit: 'm3' } }), {
      status: 400,
      body: { problems: [{ path: '/index/value' }] }
    })
    t.match(await post('/api/readings', { ...reading, at: '2026-11-20T09:06:00Z' }), { status: 400, body: { problems: [{ path: '/at' }] } })
    t.match(await post('/api/readings', { ...reading, index: { value: '49451', unit: 'kWh' } }), {
      status: 400,
      body: { problems: [{ path: '/index/unit', message: /m3/ }] }
    })
    await owner.query(`select metering.ensure_partitions('2026-11-01', '2026-11-30')`)
    await owner.query(
      `insert into metering.reading (register_id, at, raw, status, scaler, unit, source) values ($1, '2026-11-19T00:00:00Z', 49451000, 0, -3, 'm3', 'remote')`,
      [register]
    )
    t.match(await post('/api/readings', { ...reading, index: { value: '1000000', unit: 'm3' } }), {
      status: 400,
      body: { problems: [{ path: '/index/value', message: /9/ }] }
    })
    t.match(await post('/api/readings', { ...reading, register: '99' }), { status: 404, body: { code: 'METER_NOT_FOUND' } })
  })
})

t.test('an index is refused in a unit or with digits that its counter has not', async (t) => {
  const heat = { obis: '6-0:1.0.0*255', digits: 7, medium: 'heat', scaler: null, unit: null }
  t.throws(() => refuseUnit('m3', heat, '/index'), { code: 'VALIDATION', details: { problems: [{ path: '/index/unit' }] } })
  t.doesNotThrow(() => refuseUnit('MJ', heat, '/index'))
  t.doesNotThrow(() => refuseUnit('m3', { ...heat, obis: '6-0:2.0.0*255' }, '/index'), 'a heat meter counts the water too')
  t.throws(() => refuseUnit('MJ', { ...heat, obis: '7-0:3.0.0*255', medium: 'gas' }, '/index'))
  t.doesNotThrow(() => refuseUnit('kWh', { ...heat, obis: '7-0:3.0.0*255', medium: 'gas', scaler: 0, unit: 'Wh' }, '/index'), 'as it says')
  t.doesNotThrow(() => refuseUnit('m3', { ...heat, obis: '0-0:96.1.0*255', medium: 'other' }, '/index'))
  const heard = { ...heat, scaler: 1, unit: 'kWh' }
  t.doesNotThrow(() => refuseDigits({ raw: 99_999_999_999n, scaler: -3, unit: 'kWh' }, heard, '/index'))
  t.throws(() => refuseDigits({ raw: 100_000_000_000n, scaler: -3, unit: 'kWh' }, heard, '/index'), { code: 'VALIDATION' })
  t.doesNotThrow(() => refuseDigits({ raw: 100_000_000_000n, scaler: 0, unit: 'kWh' }, heat, '/index'), 'never heard')
})

t.test('a typed index takes the form of its counter, exactly or not at all', async (t) => {
  const counter = (scaler: number, unit: string) => ({ raw: 1n, scaler, unit })
  t.same(typedIndex({ value: '49451.5', unit: 'm3' }, undefined), { raw: 49_451_500n, scaler: -3, unit: 'm3' })
  t.same(typedIndex({ value: '49451.5', unit: 'm3' }, counter(0, 'L')), { raw: 49_451_500n, scaler: 0, unit: 'L' })
  t.same(typedIndex({ value: '49451', unit: 'm3' }, counter(0, 'm3')), { raw: 49_451n, scaler: 0, unit: 'm3' })
  t.same(
    typedIndex({ value: '49451.5', unit: 'm3' }, counter(0, 'm3')),
    { raw: 49_451_500n, scaler: -3, unit: 'm3' },
    'half a unit is finer than the counter'
  )
  t.same(typedIndex({ value: '12.3456', unit: 'kWh' }, counter(2, 'Wh')), { raw: 123_456n, scaler: -4, unit: 'kWh' })
  t.same(typedIndex({ value: '12.3', unit: 'kWh' }, counter(-3, 'm3')), { raw: 12_300n, scaler: -3, unit: 'kWh' }, 'energy is no volume')
  t.throws(() => typedIndex({ value: '999999999999999999999999', unit: 'm3' }, undefined), { code: 'VALIDATION' })
})
