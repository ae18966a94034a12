import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { testDatabase } from '@endeks/database/testing'
import { createLog } from '@endeks/domain/process'
import t from 'tap'
import { startApi } from '../src/service.js'
import { TestClock, testServer } from './fixtures/server.js'

const main = fileURLToPath(new URL('../src/main.js', import.meta.url))
const clock = new TestClock('2026-11-20T09:00:00Z')
const log = createLog('billing-api', () => undefined)

/** Runs the program to its end, with nothing but these in its environment. */
function run(args: string[], environment: Record<string, string>, input = ''): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env: environment, timeout: 30_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
    child.stdin?.end(input)
  })
}

t.test('the service listens where it is told, or on a free port', async (t) => {
  const database = await testDatabase(t)
  const service = await startApi({ databaseUrl: database.adminUrl, connections: 2, host: '127.0.0.1', port: 0, clock, log })
  t.teardown(() => service.stop())
  const answer = await fetch(`http://127.0.0.1:${service.port}/api/session`)
  t.match(await answer.json(), { code: 'NOT_SIGNED_IN' })

  const blocker = createServer()
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve))
  t.teardown(() => blocker.close())
  const address = blocker.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await t.rejects(startApi({ databaseUrl: database.adminUrl, host: '127.0.0.1', port, portSetting: 'ENDEKS_API_PORT', clock, log }), {
    code: 'PORT_TAKEN',
    message: new RegExp(`port ${port}.*ENDEKS_API_PORT`)
  })
})

t.test('the first admin is set on the command line', async (t) => {
  const database = await testDatabase(t)
  const environment = { ENDEKS_DATABASE_URL: database.adminUrl }
  const set = ['user', 'set', 'admin', '--role', 'admin', '--name', 'Ayşe']
  t.match(await run(set, environment, 'from standard input\n'), { code: 0, out: /admin may sign in as admin/ })
  t.match(await run(set, { ...environment, ENDEKS_PASSWORD: 'from standard input' }), { code: 0, out: /as described already/ })
  t.match(await run(set, { ...environment, ENDEKS_PASSWORD: 'short' }), { code: 2, err: /8 to 256/ })
  t.match(await run(['user', 'set', 'admin', '--role', 'king', '--name', 'x'], environment), { code: 2, err: /user set LOGIN/ })
})

t.test('a configuration is checked whole, and shown without its secrets', async (t) => {
  const wrong = await run(['run'], { ENDEKS_DATABASE_URL: 'mysql://x', ENDEKS_API_PORT: 'eighty' })
  t.match(wrong, { code: 2, err: /ENDEKS_DATABASE_URL[\s\S]*ENDEKS_API_PORT|ENDEKS_API_PORT[\s\S]*ENDEKS_DATABASE_URL/ })
  const shown = await run(['run', '--check-config'], { ENDEKS_DATABASE_URL: 'postgres://api:secret@db/endeks' })
  t.equal(shown.code, 0)
  t.match(JSON.parse(shown.out), { port: 8080, host: '127.0.0.1', databaseUrl: 'postgres://api:***@db/endeks' })
  t.match(await run(['walk'], {}), { code: 2, err: /"walk" is not a verb/ })
})

t.test('the console and its headers', async (t) => {
  const webRoot = t.testdir({
    'index.html': '<!doctype html><title>Endeks</title>',
    'favicon.svg': '<svg/>',
    assets: { 'app-4f3a.js': 'export {}' }
  })
  const { app } = await testServer(t, { empty: true, webRoot })
  const get = (url: string, method: 'GET' | 'HEAD' | 'POST' = 'GET') => app.inject({ method, url })

  const page = await get('/')
  t.match(page.headers, {
    'content-type': /text\/html/,
    'cache-control': 'no-cache',
    'content-security-policy': /default-src 'self'; script-src 'self';.*frame-ancestors 'none'/,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'same-origin'
  })
  for (const path of ['/invoices/END2026000000001', '/participants?search=a.b', '/login']) {
    const answer = await get(path)
    t.match(answer, { statusCode: 200, body: /<title>Endeks/ }, path)
    t.equal(answer.headers['cache-control'], 'no-cache', path)
  }
  t.match(await get('/assets/app-4f3a.js'), { statusCode: 200, headers: { 'cache-control': 'public, max-age=31536000, immutable' } })
  t.equal((await get('/favicon.svg')).headers['cache-control'], 'no-cache')
  for (const path of ['/assets/gone.js', '/robots.txt', '/api/nothing', '/docs/nothing', '/%2e%2e/package.json']) {
    const answer = await get(path)
    t.match(answer, { statusCode: 404, headers: { 'content-type': /problem\+json/ } }, path)
    t.equal(answer.json<{ code: string }>().code, 'ROUTE_UNKNOWN', path)
  }
  t.match(await get('/../../etc/passwd'), { body: /<title>Endeks/ }, 'an address of the console like any other: no file')
  t.equal((await get('/invoices', 'POST')).statusCode, 404)
  const api = await get('/api/session')
  t.match(api.headers, { 'cache-control': 'no-store', 'content-security-policy': "default-src 'none'; frame-ancestors 'none'" })
})

t.test('without a console there are only the API and its documentation', async (t) => {
  const { app } = await testServer(t, { empty: true, webRoot: join('nowhere', 'at', 'all') })
  t.equal((await app.inject('/')).statusCode, 404)
  const docs = await app.inject('/docs')
  t.equal(docs.statusCode, 200)
  t.match(docs.headers['content-security-policy'], /^default-src 'self'; script-src 'self';/)
  t.match((await app.inject('/docs/json')).json(), { openapi: '3.1.0' })
})
