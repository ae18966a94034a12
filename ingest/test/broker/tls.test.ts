import { createPrivateKey } from 'node:crypto'
import { copyFile, readFile, stat, writeFile } from 'node:fs/promises'
import { connect as connectSocket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { testDatabase } from '@endeks/database/testing'
import { createLog, systemClock } from '@endeks/domain/process'
import { epochMs } from '@endeks/domain/time'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import t from 'tap'
import { issueAuthority, issueGateway } from '../../src/certificates/issue.js'
import { startIngest } from '../../src/service.js'
import { ca } from '../../src/verbs/ca.js'
import { ended, publish, readingsTopic } from '../support/client.js'
import { count, enterUtility, password } from '../support/site.js'

const database = await testDatabase(t)
const pool = database.createPool()
await enterUtility(pool, ['gw-1', 'gw-2', 'gw-3'])
const environment = { ENDEKS_DATABASE_URL: database.adminUrl }
const folder = t.testdir({ untrusted: {} })
const directory = join(folder, 'ca')
const lines: string[] = []
const told = (text: string): boolean => lines.some((line) => line.includes(text))

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (await what()) return
    await sleep(25)
  }
  throw new Error('it never came to be')
}

await ca(['create', directory, '--name', 'localhost', '--address', '127.0.0.1'], {})
const authorityFile = await readFile(join(directory, 'ca.pem'), 'utf8')
const authority = { certificate: authorityFile, key: createPrivateKey(await readFile(join(directory, 'ca-key.pem'))) }

/** by how much the service's clock is fast */
let aheadMs = 0

async function start(certificateRequired: boolean) {
  return startIngest({
    databaseUrl: database.adminUrl,
    ...{ mqttHost: '127.0.0.1', mqttPort: 0 },
    mqtts: { port: 0, directory, certificateRequired },
    clock: { now: () => epochMs(systemClock.now() + aheadMs) },
    log: createLog('test', (line) => lines.push(line)),
    limits: { broker: { lookAtProofsEveryMs: 25, lookAtTlsEveryMs: 25, sweepEveryMs: 25, handshakeWithinMs: 300 } }
  })
}

const ingest = await start(false)
t.teardown(() => ingest.stop())
const port = ingest.tlsPort ?? 0

async function connect(options: IClientOptions, to = port): Promise<MqttClient> {
  const settings: IClientOptions = { ca: authorityFile, keepalive: 60, reconnectPeriod: 0, ...options }
  const client = await mqtt.connectAsync(`mqtts://localhost:${to}`, settings, false)
  t.teardown(() => client.endAsync(true))
  return client
}

async function enrolled(gateway: string, out: string): Promise<IClientOptions> {
  await ca(['enrol', directory, gateway, '--out', join(folder, out)], environment)
  return {
    clientId: gateway,
    cert: await readFile(join(folder, out, 'gateway.pem'), 'utf8'),
    key: await readFile(join(folder, out, 'gateway-key.pem'), 'utf8')
  }
}

t.test('an enrolled gateway comes in by its certificate alone, under its own name', async (t) => {
  const first = await enrolled('gw-1', 'one')
  t.equal((await stat(join(folder, 'one', 'gateway-key.pem'))).mode & 0o777, 0o600)
  const gateway = await connect(first)
  await publish(gateway, readingsTopic('gw-1'), 'not a message')
  t.equal(await count(pool, 'dead_letter'), 1)
  await t.rejects(connect({ ...first, clientId: 'gw-2' }), { code: 5 }, 'not under another')
  await t.rejects(connect({ ...first, clientId: 'gw-2', username: 'gw-2', password }), { code: 5 }, 'nor with its password')
  t.match(await ca(['list', 'gw-1'], environment), /^gw-1\t[0-9a-f]{32}\t\S+\t\S+\tin force$/)
  await t.rejects(
    ca(['enrol', directory, 'gw-1', '--out', join(folder, 'one')], environment),
    { code: 'CONFIG_INVALID' },
    'no key is overwritten'
  )
  await t.rejects(ca(['enrol', directory, 'nobody', '--out', join(folder, 'none')], environment), { code: 'GATEWAY_NOT_FOUND' })
  const { rows } = await pool.query(`select actor, subject from audit.event where action = 'certificate.enrolled'`)
  t.match(rows, [{ actor: /^cli:/, subject: 'gw-1' }])
})

t.test('a revoked certificate ends its connection and lets nobody in; a new one does', async (t) => {
  const options = await enrolled('gw-2', 'two')
  const gateway = await connect(options)
  t.match(await ca(['revoke', 'gw-2'], environment), /^revoked gw-2 [0-9a-f]{32}$/)
  await ended(gateway)
  await t.rejects(connect(options), { code: 5 })
  await t.rejects(ca(['revoke', 'gw-2'], environment), { code: 'GATEWAY_NOT_FOUND' })
  await connect(await enrolled('gw-2', 'two-again'))
  t.equal(ingest.statistics().connectionsCutBy['certificate-revoked'], 1)
})

t.test('certificates that are expired, of somebody else or never enrolled are refused in words', async (t) => {
  const now = systemClock.now()
  const expired = issueGateway(authority, 'gw-3', { now: epochMs(now - 10 * 86_400_000), days: 1 })
  await t.rejects(connect({ clientId: 'gw-3', cert: expired.certificate, key: expired.key }), { code: 5 })
  t.ok(told('it expired on'))
  const other = issueAuthority({ now, days: 1 })
  const foreign = issueGateway({ certificate: other.certificate, key: createPrivateKey(other.key) }, 'gw-3', { now, days: 1 })
  await t.rejects(connect({ clientId: 'gw-3', cert: foreign.certificate, key: foreign.key }), { code: 5 })
  t.ok(told('it is not of our authority'))
  const unknown = issueGateway(authority, 'gw-3', { now, days: 1 })
  await t.rejects(connect({ clientId: 'gw-3', cert: unknown.certificate, key: unknown.key }), { code: 5 })
  t.ok(told('it was never enrolled'))
  const server = {
    cert: await readFile(join(directory, 'server.pem'), 'utf8'),
    key: await readFile(join(directory, 'server-key.pem'), 'utf8')
  }
  await t.rejects(connect({ clientId: 'gw-3', ...server }), { code: 5 }, "the broker's own is not for a gateway")
})

t.test('a certificate that expires ends its connection', async (t) => {
  const gateway = await connect(await enrolled('gw-3', 'three'))
  aheadMs = 398 * 86_400_000
  await ended(gateway)
  aheadMs = 0
  t.ok(ingest.statistics().connectionsCutBy['certificate-expired'] > 0)
  t.ok(told('enrol the gateway again'))
})

t.test('a password is enough by TLS, unless a certificate is required', async (t) => {
  await connect({ clientId: 'gw-3', username: 'gw-3', password })
  const strict = await start(true)
  t.teardown(() => strict.stop())
  await t.rejects(connect({ clientId: 'gw-3', username: 'gw-3', password }, strict.tlsPort), { code: 5 })
  t.equal(strict.statistics().connectsRefusedBy['certificate-required'], 1)
})

t.test('what is no TLS, too old, or never goes on is ended', async (t) => {
  const plain = connectSocket(port, '127.0.0.1')
  plain.on('error', () => undefined).write('\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00')
  const silent = connectSocket(port, '127.0.0.1').on('error', () => undefined)
  const old = connectTls({ port, host: 'localhost', ca: authorityFile, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }).on(
    'error',
    () => undefined
  )
  await Promise.all([plain, silent, old].map((socket) => new Promise((resolve) => socket.once('close', resolve))))
  await until(() => ingest.statistics().connectionsCutBy.handshake === 3)
  t.ok(told('a TLS handshake failed'))
})

t.test('a renewed certificate of the broker is taken into use, and a bad one is not', async (t) => {
  const shown = () =>
    new Promise<string>((resolve, reject) => {
      const socket: TLSSocket = connectTls({ port, host: 'localhost', ca: authorityFile }, () => {
        resolve(socket.getPeerCertificate().fingerprint256)
        socket.destroy()
      })
      socket.on('error', reject)
    })
  const before = await shown()
  await copyFile(join(directory, 'server.pem'), join(folder, 'old.pem'))
  await writeFile(join(directory, 'server.pem'), 'no certificate')
  await until(() => told("the files can't be used"))
  t.equal(await shown(), before)
  await ca(['server', directory, '--name', 'localhost', '--days', '10'], {})
  await until(async () => (await shown()) !== before)
  t.ok(told('renew it with'), 'and one that ends soon is told')
})
