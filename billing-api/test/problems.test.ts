import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { toAppError } from '../src/plugins/problems.js'
import { testServer } from './fixtures/server.js'

t.test('every refusal is a problem document with a code', async (t) => {
  const server = await testServer(t)
  const huge = '9999999999999999999'
  const cases: readonly {
    readonly path: string
    readonly method?: 'POST' | 'PUT'
    readonly body?: unknown
    readonly status: number
    readonly code: string
  }[] = [
    { path: '/api/nothing', status: 404, code: 'ROUTE_UNKNOWN' },
    { path: '/api', status: 404, code: 'ROUTE_UNKNOWN' },
    { path: '/api/participants/1', method: 'PUT', body: {}, status: 404, code: 'ROUTE_UNKNOWN' },
    { path: '/api/participants/999', status: 404, code: 'PARTICIPANT_NOT_FOUND' },
    { path: '/api/participants/abc', status: 400, code: 'VALIDATION' },
    { path: '/api/participants/9999999999999', status: 400, code: 'VALIDATION' },
    { path: '/api/participants/999/consumption', status: 404, code: 'PARTICIPANT_NOT_FOUND' },
    { path: '/api/participants/100481/consumption?months=37', status: 400, code: 'VALIDATION' },
    { path: '/api/participants?limit=0', status: 400, code: 'VALIDATION' },
    { path: '/api/participants/100481/consumption?months=1.5', status: 400, code: 'VALIDATION' },
    { path: '/api/participants?limit=1e2', status: 400, code: 'VALIDATION' },
    { path: '/api/participants?limit=0x10', status: 400, code: 'VALIDATION' },
    { path: '/api/invoices?year=2026.5', status: 400, code: 'VALIDATION' },
    { path: '/api/participants?limit=1&limit=2', status: 400, code: 'VALIDATION' },
    { path: '/api/participants?surprise=1', status: 400, code: 'VALIDATION' },
    { path: '/api/participants?cursor=WyJ4Il0', status: 400, code: 'VALIDATION' },
    { path: '/api/invoices?cursor=%F0%9F', status: 400, code: 'VALIDATION' },
    { path: '/api/invoices?issuedFrom=2026-02-31', status: 400, code: 'VALIDATION' },
    { path: '/api/invoices?period=2026-13', status: 400, code: 'VALIDATION' },
    { path: '/api/invoices?period=0000-01', status: 400, code: 'VALIDATION' },
    { path: '/api/invoices?grossFrom=1.0000000001', status: 400, code: 'VALIDATION' },
    { path: '/api/invoices?grossFrom=1e5', status: 400, code: 'VALIDATION' },
    { path: '/api/invoices?grossFrom=999999999999999999999999', status: 422, code: 'AMOUNT_INVALID' },
    { path: `/api/invoices/${huge}`, status: 404, code: 'INVOICE_NOT_FOUND' },
    { path: '/api/invoices/1', status: 404, code: 'INVOICE_NOT_FOUND' },
    { path: '/api/invoices/END2026000000001', status: 404, code: 'INVOICE_NOT_FOUND' },
    { path: '/api/invoices/1/lines/1/explain', status: 404, code: 'INVOICE_NOT_FOUND' },
    { path: '/api/invoices/1/lines/0/explain', status: 400, code: 'VALIDATION' },
    { path: `/api/collections/${huge}`, status: 404, code: 'COLLECTION_NOT_FOUND' },
    { path: '/api/collections?date=2026-02-29', status: 400, code: 'VALIDATION' },
    { path: `/api/meters/${huge}`, status: 404, code: 'METER_NOT_FOUND' },
    { path: `/api/bill-runs/${huge}`, status: 404, code: 'RUN_NOT_FOUND' },
    { path: '/api/bill-runs/7/issue', method: 'POST', body: { bills: 1 }, status: 404, code: 'RUN_NOT_FOUND' },
    { path: '/api/bill-runs', method: 'POST', body: { period: '2026-00' }, status: 400, code: 'VALIDATION' },
    { path: '/api/bill-runs', method: 'POST', body: { period: '1899-12' }, status: 400, code: 'VALIDATION' },
    { path: '/api/subscriptions/S-99', status: 404, code: 'SUBSCRIPTION_NOT_FOUND' },
    { path: '/api/tariffs/none', status: 404, code: 'TARIFF_NOT_FOUND' },
    { path: '/api/tariffs', method: 'POST', body: { document: { format: 2 } }, status: 422, code: 'TARIFF_INVALID' },
    { path: `/api/readings?register=${huge}`, status: 404, code: 'METER_NOT_FOUND' },
    { path: '/api/readings?register=1&from=2026-02-31T00:00:00Z', status: 400, code: 'VALIDATION' },
    { path: '/api/readings?register=1&from=0000-01-01T00:00:00Z', status: 400, code: 'VALIDATION' },
    { path: '/api/readings?register=1&from=2026-01-01T24:00:00Z', status: 400, code: 'VALIDATION' },
    { path: '/api/participants', method: 'POST', body: { name: '' }, status: 400, code: 'VALIDATION' },
    {
      path: '/api/participants',
      method: 'POST',
      body: { kind: 'natural', name: 'Ali', ownershipStatus: 'owner', taxNumber: '10000000147' },
      status: 422,
      code: 'IDENTIFIER_INVALID'
    }
  ]
  for (const { path, status, code, ...call } of cases) {
    const answer = await server.call(path, call)
    t.match(answer, { status, body: { status, code, type: `urn:endeks:problem:${code}`, requestId: /^[0-9A-F]{10}$/ } }, path)
    t.match(answer.headers, { 'content-type': /^application\/problem\+json/, 'x-request-id': answer.body['requestId'] as string }, path)
  }

  await t.test('a body that is not JSON, is none at all, or is too large', async (t) => {
    const cookie = await server.signIn('admin')
    const send = async (payload: string, type: string) => {
      const answer = await server.app.inject({ method: 'POST', url: '/api/gateways', payload, headers: { cookie, 'content-type': type } })
      return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() }
    }
    t.match(await send('{"id":', 'application/json'), { status: 400, body: { code: 'VALIDATION' } })
    t.match(await send('', 'application/json'), { status: 400, body: { code: 'VALIDATION' } })
    t.match(await send('id=1', 'application/x-www-form-urlencoded'), { status: 400, body: { code: 'VALIDATION' } })
    t.match(await send('{}', 'text/plain'), { status: 400, body: { code: 'VALIDATION' } })
    t.match(await send(`"${'x'.repeat(1_100_000)}"`, 'application/json'), { status: 413, body: { code: 'PAYLOAD_TOO_LARGE' } })
    t.match(await send('{"id":"a","name":"b","__proto__":{"admin":true}}', 'application/json'), { status: 400 })
  })

  await t.test('every wrong path of a body is told at once', async (t) => {
    const body = { serial: '', manufacturer: 'KAM', medium: 'water', registers: [{ obis: '1.8.0', digits: 2 }], colour: 'red' }
    const { body: problem } = await server.call('/api/meters', { method: 'POST', body })
    const paths = (problem['problems'] as { path: string }[]).map((each) => each.path).sort()
    t.same([...new Set(paths)], ['/', '/registers/0', '/registers/0/digits', '/registers/0/obis', '/serial'])
  })

  await t.test('a text that can not be stored is told by its path, however deep it is', async (t) => {
    const nested = JSON.stringify({ document: { name: { tr: ['a', '\u0000'] }, half: '\ud800' } })
    const cookie = await server.signIn('admin')
    const send = (payload: string) =>
      server.app.inject({ method: 'POST', url: '/api/tariffs', payload, headers: { cookie, 'content-type': 'application/json' } })
    const refused = await send(nested)
    t.match(refused.json(), { status: 400, code: 'VALIDATION', problems: [{ path: '/document/half' }, { path: '/document/name/tr/1' }] })
    const deep = await send(`{"document":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)
    t.equal(deep.json<{ code: string }>().code, 'TARIFF_INVALID')
    t.match(await server.call('/api/participants?search=%00'), { status: 400, body: { problems: [{ path: 'query/search' }] } })
  })

  await t.test('a fault of ours is logged under its number, and told without what it was', async (t) => {
    await server.owner.query('alter table account.gateway rename column name to title')
    const answer = await server.call('/api/gateways')
    await server.owner.query('alter table account.gateway rename column title to name')
    t.match(answer, { status: 500, body: { code: 'INTERNAL' } })
    t.notMatch(JSON.stringify(answer.body), /select|gateway\.name|column/i)
    const line = server.logged.find((each) => each.includes(String(answer.body['requestId']))) ?? ''
    t.match(JSON.parse(line), { level: 'error', event: 'request failed', message: /column/ })
  })
})

t.test('an address that can not be read, or that leaves the folder of files, is refused and not logged', async (t) => {
  const webRoot = t.testdir({ 'index.html': '<title>Endeks</title>', assets: { 'a.js': '' } })
  const server = await testServer(t, { empty: true, webRoot })
  await server.app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = server.app.server.address() as AddressInfo
  for (const path of [
    '/../../etc/passwd',
    '//etc/passwd',
    '/assets/%00',
    '/.',
    '/assets/..%2f..%2fetc/passwd',
    '/api/%',
    '/api/tariffs/%ff',
    '/%'
  ]) {
    const answer = await raw(port, path)
    if (answer.status === 200) t.match(answer.body, /Endeks/, `${path} is the console's page`)
    else t.match(answer, { status: 404, type: 'application/problem+json', body: /ROUTE_UNKNOWN/ }, path)
    t.match(answer.headers, { 'x-content-type-options': 'nosniff', 'x-request-id': /^[0-9A-F]{10}$/ }, path)
  }
  t.same(
    server.logged.filter((line) => line.includes('request failed')),
    []
  )
})

/** As curl --path-as-is: nothing of the address is resolved before it is sent. */
function raw(port: number, path: string): Promise<{ status: number; type: string; headers: object; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        body += chunk
      })
      answer.on('end', () => {
        const type = (answer.headers['content-type'] ?? '').split(';', 1)[0] ?? ''
        resolve({ status: answer.statusCode ?? 0, type, headers: answer.headers, body })
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}

t.test('what PostgreSQL says becomes a code of ours', async (t) => {
  const codes = {
    EN001: 'LEDGER_UNBALANCED',
    EN002: 'PERIOD_CLOSED',
    EN003: 'RUN_STATE',
    EN005: 'RUN_IN_PROGRESS',
    EN006: 'INVOICE_NOT_FOUND',
    EN007: 'COLLECTION_TOO_MUCH',
    '23P01': 'FACT_OVERLAPS',
    '23505': 'ALREADY_EXISTS',
    '22008': 'VALIDATION',
    '57P01': 'DATABASE_UNREACHABLE',
    ECONNREFUSED: 'DATABASE_UNREACHABLE',
    '57014': 'TIMEOUT',
    '42703': 'INTERNAL'
  }
  for (const [code, ours] of Object.entries(codes)) {
    const error = toAppError(Object.assign(new Error('relation "ledger.secret"'), { code }))
    t.equal(error.code, ours, code)
    if (ours !== 'INTERNAL') t.notMatch(error.message, /secret/)
  }
})
