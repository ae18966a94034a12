import { createHash } from 'node:crypto'
import { canonicalJson, mbus, profileHash } from '@endeks/gateway/codec'
import t from 'tap'
import { KeyVault } from '../../src/key-vault.js'
import { prove } from '../../src/resources/invoices/explain/evidence.js'
import { keysOfExchanges } from '../../src/resources/invoices/explain/keys.js'
import { evidenceOf } from '../../src/resources/invoices/store/evidence.js'
import { type Answer, type TestServer, testServer } from '../fixtures/server.js'

const secret = 'the secret of this service'
const key = '0102030405060708090A0B0C0D0E0F11'
const otherKey = 'A0A1A2A3A4A5A6A7A8A9AAABACADAEAF'

function send(server: TestServer, file: string, cookie?: string): Promise<Answer> {
  return server.call('/api/meter-keys', { method: 'POST', body: { file }, ...(cookie === undefined ? {} : { cookie }) })
}

t.test('meter keys', async (t) => {
  const server = await testServer(t, { empty: true, keySecret: secret })
  const heard: string[] = []
  const call = async (path: string, options = {}): Promise<Answer> => {
    const answer = await server.call(path, options)
    heard.push(JSON.stringify(answer.body))
    return answer
  }

  await t.test('a file goes in, and what comes out are names, kinds and versions', async (t) => {
    const file = `Serial number;Manufacturer;Key;LLS\n12345678;KAM;${key};\nELS-0042;ELS;${otherKey};open-sesame\n`
    t.match(await send(server, file), { status: 200, body: { added: 2, changed: 0, unchanged: 0 } })
    t.match(await send(server, file), { status: 200, body: { added: 0, changed: 0, unchanged: 2 } })
    t.match(await send(server, `Seri No;Anahtar\n12345678;${otherKey}\n`), { body: { added: 0, changed: 1, unchanged: 0 } })
    t.match(await send(server, `Seri No;Anahtar\n12345678;${key}\n`), { body: { changed: 1 } }, 'one that comes back')
    t.match(await call('/api/meter-keys'), {
      body: {
        items: [
          { name: '12345678', version: 1, kinds: ['encryption'] },
          { name: 'ELS-0042', version: 1, kinds: ['encryption', 'password'] }
        ],
        next: null
      }
    })
    const first = await call('/api/meter-keys?limit=1')
    t.match(await call(`/api/meter-keys?limit=1&cursor=${String(first.body['next'])}`), {
      body: { items: [{ name: 'ELS-0042' }], next: null }
    })
    const { rows } = await server.owner.query(`select details from audit.event where action = 'meter-keys.imported' order by id`)
    t.same(
      rows.map((row: { details: unknown }) => row.details),
      [
        { added: 2, changed: 0, unchanged: 0 },
        { added: 0, changed: 1, unchanged: 0 },
        { added: 0, changed: 1, unchanged: 0 }
      ],
      'what changed nothing is not on the trail'
    )
  })

  await t.test('a bad file is refused as a whole, with every line and no secret', async (t) => {
    const refused = await send(server, `Serial;Key\n7;${key}\n8;${key.slice(1)}\n9;${key}FF\n`)
    heard.push(JSON.stringify(refused.body))
    t.match(refused, { status: 422, body: { code: 'KEY_FILE_INVALID', problems: [{ path: 'line 3' }, { path: 'line 4' }] } })
    t.match(await call('/api/meter-keys?limit=5'), { body: { items: [{}, {}] } }, 'nothing of it came in')
    t.match(await call('/api/meter-keys', { method: 'POST', body: { keys: [key] } }), { status: 400, body: { code: 'VALIDATION' } })
  })

  await t.test('only an admin', async (t) => {
    const cookie = await server.signIn('clerk')
    t.match(await send(server, `Serial;Key\n7;${key}\n`, cookie), { status: 403, body: { code: 'RIGHT_MISSING' } })
    t.match(await server.call('/api/meter-keys', { cookie }), { status: 403 })
  })

  await t.test('the table holds no key, and nobody else may read it', async (t) => {
    const { rows } = await server.owner.query('select k::text as text from account.meter_key k')
    heard.push(...rows.map((row: { text: string }) => row.text), ...server.logged)
    for (const each of [key, otherKey]) {
      for (const text of [each, each.toLowerCase(), Buffer.from(each, 'hex').toString('base64').slice(0, 20)]) {
        t.notOk(heard.join('\n').includes(text))
      }
    }
    t.notOk(heard.join('\n').includes('open-sesame'))
    t.notOk(heard.join('\n').includes(Buffer.from('open-sesame').toString('hex')))
    for (const role of ['endeks_ingest', 'endeks_rating', 'endeks_grafana'] as const) {
      await t.rejects(server.database.createPool(role).query('select name from account.meter_key'), { code: '42501' }, role)
    }
    await t.rejects(server.pool.query('delete from account.meter_key'), { code: '42501' })
    await t.rejects(server.pool.query(`update account.meter_key set encryption = '\\x00'`), { code: '42501' })
  })

  await t.test('sealed secrets that were swapped do not open', async (t) => {
    await server.owner.query(
      `update account.meter_key a set encryption = b.encryption from account.meter_key b where a.name = '12345678' and a.version = 1 and b.version = 2 and b.name = a.name`
    )
    t.match(await send(server, `Serial;Key\n12345678;${key}\n`), { status: 500, body: { code: 'KEYS_UNREADABLE' } })
  })
})

t.test('a service without the secret takes no key', async (t) => {
  const server = await testServer(t, { empty: true })
  t.match(await send(server, `Serial;Key\n7;${key}\n`), { status: 409, body: { code: 'KEY_MISSING' } })
  t.match(await server.call('/api/meter-keys'), { status: 200, body: { items: [] } })
})

// Goal: what a ciphered meter was billed by can be shown again. Method: an answer of a meter that ciphers, kept as evidence, is proved
// with the key of the version that it names, and with everything else that may be there instead.
t.test('evidence of a ciphered conversation is decoded with the key that it names', async (t) => {
  const server = await testServer(t, { empty: true, keySecret: secret })
  const identity = { id: '12345678', manufacturer: 'KAM', version: 27, medium: 'cold-water' }
  const register = { obis: '8-0:1.0.0*255', quantity: 'volume', function: 'instantaneous', tariff: 0, subunit: 0, storage: 'current' }
  const profile = { name: 'water', protocol: 'mbus', registers: [register] }
  const response = mbus.encodeResponse({
    address: 5,
    identity,
    access: 42,
    status: 0,
    records: [{ quantity: 'volume', unit: 'm3', scaler: -3, value: { coding: 'bcd', size: 4, raw: 1234567n } }],
    moreFollow: false,
    security: { mode: 5, key: Buffer.from(key, 'hex') }
  })
  const request = Buffer.from('107b058016', 'hex')
  const keep = (id: number, version: number) =>
    server.owner.query(
      `insert into rating.evidence (sha256, exchange_id, at, exchange_day, key_version, gateway_id, bus, address, protocol, zone, identity,
         profile_hash, profile, request, response)
       values ($1, $2, '2026-10-31T21:00:00Z', '2026-10-31', $3, 'gw-1', 'b', '5', 'mbus', 'Europe/Istanbul', $4, $5, $6, $7, $8)`,
      [
        createHash('sha256').update(request).update(response).digest(),
        id,
        version,
        identity,
        Buffer.from(profileHash(profile), 'hex'),
        canonicalJson(profile),
        request,
        Buffer.from(response)
      ]
    )
  for (const [id, version] of [
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 0]
  ] as const)
    await keep(id, version)
  const names = [1, 2, 3, 4].map((id) => `2026-10-31/${id}`)
  const decodedWith = async (vault: KeyVault | undefined) => {
    const rows = await evidenceOf(server.pool, names)
    const keys = await keysOfExchanges(server.pool, vault, rows, [])
    return rows.map((row) => {
      const { decoded } = prove(row, [], keys.get(row.exchange)).evidence
      return decoded.ok ? decoded.readings.map(({ raw }) => raw).join() : decoded.code
    })
  }
  const vault = new KeyVault(secret)
  const [, , , plain] = await decodedWith(vault)
  t.same(await decodedWith(vault), ['KEY_MISSING', 'KEY_MISSING', 'KEY_MISSING', plain])
  await send(server, `Serial;Key\n12345678;${otherKey}\n`)
  await send(server, `Serial;Key\n12345678;${key}\n`)
  const [wrong, right, missing] = await decodedWith(vault)
  t.match(wrong, /^MBUS_/, 'a wrong key')
  t.equal(right, '1234567')
  t.equal(missing, 'KEY_MISSING')
  await send(server, `Serial;Key\nKAM-12345678;${key}\n`)
  t.equal((await decodedWith(vault))[0], '1234567', "the maker's own number stands before one that another maker gives as well")
  t.same((await decodedWith(undefined)).slice(0, 3), ['KEY_MISSING', 'KEY_MISSING', 'KEY_MISSING'])
  t.same((await decodedWith(new KeyVault('another secret of length'))).slice(0, 2), ['KEYS_UNREADABLE', 'KEYS_UNREADABLE'])
})
