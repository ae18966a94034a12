import { createHash } from 'node:crypto'
import { fastify } from 'fastify'
import t from 'tap'
import { registerAccess } from '../src/plugins/session.js'
import { mayDo, rights, rightsOf } from '../src/rights.js'
import { ensureUser } from '../src/service.js'
import { password, testServer } from './fixtures/server.js'

t.test('sessions', async (t) => {
  const server = await testServer(t, { empty: true })
  const login = (body: unknown, headers: Record<string, string> = {}) =>
    server.call('/api/session', { method: 'POST', body, headers, cookie: null })

  await t.test('a right login gives a cookie that scripts can not read, and the hash of it is kept', async (t) => {
    const answer = await login({ login: ' Admin', password })
    t.match(answer, { status: 200, body: { login: 'admin', name: 'Ayşe Yıldız', role: 'admin', rights: rightsOf('admin') } })
    const cookie = String(answer.headers['set-cookie'])
    t.match(cookie, /^endeks_session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/)
    const token = /=([\w-]{43})/.exec(cookie)?.[1] ?? ''
    const { rows } = await server.owner.query('select count(*) as count from account.session where token_hash = $1', [
      createHash('sha256').update(token).digest()
    ])
    t.same(rows, [{ count: 1n }])
  })

  await t.test('a wrong password, an unknown user and a disabled one get the same answer', async (t) => {
    await server.owner.query(
      `insert into account."user" (login, name, role, password_hash, disabled_at) select 'gone', name, role, password_hash, now() from account."user" where login = 'clerk'`
    )
    const answers = await Promise.all([
      login({ login: 'clerk', password: 'wrong' }),
      login({ login: 'nobody', password }),
      login({ login: 'gone', password })
    ])
    for (const answer of answers) t.match(answer, { status: 401, body: { code: 'LOGIN_WRONG' }, headers: { 'set-cookie': undefined } })
    t.equal(new Set(answers.map((answer) => answer.body['detail'])).size, 1)
  })

  await t.test('a dictionary is stopped after five tries a minute, for that login only', async (t) => {
    const tries: number[] = []
    for (let index = 0; index < 7; index += 1) tries.push((await login({ login: 'guessed', password: `${index}` })).status)
    t.same(tries, [401, 401, 401, 401, 401, 429, 429])
    t.match(await login({ login: 'GUESSED', password }), { status: 429, body: { code: 'LOGIN_TOO_MANY' } }, 'however it is typed')
    t.equal((await login({ login: 'clerk', password })).status, 200)
  })

  await t.test('no session, a made-up one, one that is over and one that was closed', async (t) => {
    const cookie = await server.signIn('clerk')
    t.match(await server.call('/api/session', { cookie }), { status: 200, body: { login: 'clerk', role: 'clerk' } })
    const strangers = [null, 'endeks_session=x', `endeks_session=${'A'.repeat(43)}`]
    for (const each of strangers)
      t.match(await server.call('/api/session', { cookie: each }), { status: 401, body: { code: 'NOT_SIGNED_IN' } })
    server.clock.set('2026-11-20T21:00:01Z')
    t.match(await server.call('/api/session', { cookie }), { status: 401 }, 'twelve hours are over')
    server.clock.set('2026-11-20T09:00:00Z')
    t.equal((await server.call('/api/session', { method: 'DELETE', cookie })).status, 204)
    t.match(await server.call('/api/session', { cookie }), { status: 401 }, 'signed out')
  })

  await t.test('a new password ends the sessions of its user, the same one again does not', async (t) => {
    const cookie = await server.signIn('clerk')
    const clerk = { login: 'clerk', name: 'Ali Kaya', role: 'clerk' as const }
    t.equal(await ensureUser(server.pool, { ...clerk, password }), false)
    t.equal((await server.call('/api/session', { cookie })).status, 200)
    t.equal(await ensureUser(server.pool, { ...clerk, password: 'another password' }), true)
    t.equal((await server.call('/api/session', { cookie })).status, 401)
    await t.rejects(ensureUser(server.pool, { ...clerk, password: 'short' }), { code: 'VALIDATION' })
    await t.rejects(ensureUser(server.pool, { ...clerk, login: 'İlk', password }), { code: 'VALIDATION' })
  })
})

t.test('rights', async (t) => {
  const server = await testServer(t, { empty: true })
  const clerk = await server.signIn('clerk')

  await t.test('a clerk is refused what only an admin may, before the body is looked at', async (t) => {
    const refused = [
      ['PUT', '/api/site'],
      ['POST', '/api/gateways'],
      ['POST', '/api/tariffs'],
      ['POST', '/api/meters'],
      ['POST', '/api/bill-runs/1/issue'],
      ['POST', '/api/bill-runs/1/abandon']
    ] as const
    for (const [method, path] of refused) {
      t.match(await server.call(path, { method, body: {}, cookie: clerk }), { status: 403, body: { code: 'RIGHT_MISSING' } }, path)
    }
    t.equal((await server.call('/api/overview', { cookie: clerk })).status, 200)
    t.notOk(rightsOf('clerk').some((right) => !mayDo('clerk', right)))
    t.same(rightsOf('admin'), Object.keys(rights), 'an admin may everything')
  })

  await t.test('a route that declares no right keeps the server from starting', async (t) => {
    const app = fastify()
    registerAccess(app, { pool: server.pool, clock: server.clock, log: { info() {}, warn() {}, error() {} } })
    t.throws(() => app.get('/open', async () => 'everything'), { message: /does not declare the right/ })
    t.throws(() => app.get('/odd', { config: { access: 'everything' as 'public' } }, async () => ''), { code: 'INTERNAL' })
    await app.close()
  })

  await t.test("another site's page changes nothing in the name of who is signed in", async (t) => {
    const foreign = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://elsewhere.example' },
      { origin: 'null' }
    ]
    for (const headers of foreign) {
      const answer = await server.call('/api/gateways', { method: 'POST', body: { id: 'gw-x', name: 'x' }, headers })
      t.match(answer, { status: 403, body: { code: 'ORIGIN_FOREIGN' } }, JSON.stringify(headers))
    }
    const own = { origin: 'http://localhost:80', host: 'localhost:80', 'sec-fetch-site': 'same-origin' }
    t.equal((await server.call('/api/gateways', { method: 'POST', body: { id: 'gw-x', name: 'x' }, headers: own })).status, 201)
    t.equal((await server.call('/api/overview', { headers: { 'sec-fetch-site': 'cross-site' } })).status, 200, 'reading is no change')
  })
})
