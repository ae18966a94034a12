import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { gatewayId } from '@endeks/domain/identifiers'
import { createLog, systemClock } from '@endeks/domain/process'
import { Aedes } from 'aedes'
import t from 'tap'
import { Counters } from '../../src/acquire/counters.js'
import { checkGatewaySite } from '../../src/config/index.js'
import { Spool } from '../../src/spool/spool.js'
import { BackOff } from '../../src/uplink/back-off.js'
import { isCertificateError } from '../../src/uplink/tls.js'
import { Uplink } from '../../src/uplink/uplink.js'
import { readout } from '../spool/readouts.js'

/** Certificates as a private authority makes them: for the broker, and for the gateway one that holds and one that has expired. */
function certificates(directory: string): (name: string) => string {
  const at = (name: string): string => join(directory, name)
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '3650', '-subj', '/CN=ca')
  writeFileSync(at('san'), 'subjectAltName=IP:127.0.0.1')
  const sign = (name: string, subject: string, days: string, ...more: string[]): void => {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${subject}`)
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      `${name}.pem`,
      '-days',
      days,
      ...more
    )
  }
  sign('broker', 'broker', '3650', '-extfile', 'san')
  sign('good', 'GW-01', '3650')
  sign('expired', 'GW-01', '-1')
  return at
}

const gateway = gatewayId('GW-01')

t.test(
  'an expired certificate is told by a code, nothing is lost, and the one that takes its place is used without a restart',
  async (t) => {
    const at = certificates(t.testdir())
    const aedes = await Aedes.createBroker()
    const server = createServer(
      {
        ca: readFileSync(at('ca.pem')),
        cert: readFileSync(at('broker.pem')),
        key: readFileSync(at('broker.key')),
        requestCert: true,
        rejectUnauthorized: true
      },
      aedes.handle
    )
    server.on('tlsClientError', () => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const url = `mqtts://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
    const lines: string[] = []
    const log = createLog('test', (line) => lines.push(line))
    const spool = await Spool.open({ directory: at('spool'), maxBytes: 1_000_000, log })
    const counters = new Counters()
    const backOff = new BackOff({ firstWithinMs: 5, withinMs: 5 })
    const tls = { ca: at('ca.pem'), certificate: at('own.pem'), key: at('own.key') }
    const uplink = new Uplink({ gateway, url, tls, spool, log, counters, clock: systemClock, backOff })
    t.teardown(async () => {
      await uplink.stop()
      await spool.close()
      server.close()
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
    })
    const failures = async (count: number): Promise<string> => {
      const until = counters.get('failed.UPLINK_CERTIFICATE') + count
      while (counters.get('failed.UPLINK_CERTIFICATE') < until) await new Promise((resolve) => setTimeout(resolve, 2))
      return lines.at(-1) ?? ''
    }
    const put = (name: string): void => {
      for (const end of ['key', 'pem']) copyFileSync(at(`${name}.${end}`), at(`own.${end}`))
    }
    uplink.start()
    t.match(await failures(1), /own\.pem can't be read/)
    put('expired')
    t.match(await failures(2), /own\.pem expired at .*enrol the gateway again/)
    await spool.append({ lane: 'live', readouts: [readout('1', 1)], profiles: [], marks: [] })
    writeFileSync(at('own.pem'), 'no certificate')
    t.match(await failures(2), /own\.pem can't be used/)
    copyFileSync(at('good.pem'), at('own.pem'))
    t.match(await failures(2), /own\.key is not the key of/)
    t.equal(spool.state.messages, 1, 'and what is read is kept')
    put('good')
    while (spool.state.messages > 0) await new Promise((resolve) => setTimeout(resolve, 2))
    t.equal(counters.get('uplink.acknowledged'), 1)
    await uplink.stop()
    // The broker's certificate of an authority that this gateway does not know.
    const stranger = new Uplink({ gateway, url, tls: { ...tls, ca: at('good.pem') }, spool, log, counters, clock: systemClock, backOff })
    stranger.start()
    t.match(await failures(1), /check the certificates of both sides/)
    await stranger.stop()
  }
)

t.test('a site file with certificates is refused with every problem of theirs', (t) => {
  const at = certificates(t.testdir())
  writeFileSync(at('broken.pem'), 'broken')
  const problems = (url: string, tls: object): string => {
    const bus = { name: 'b', protocol: 'modbus', host: '127.0.0.1', port: 1, meters: [] }
    const file = { gateway: 'GW-01', zone: 'Europe/Istanbul', mqtt: { url, tls }, schedules: {}, buses: [bus] }
    try {
      const { tls: checked } = checkGatewaySite(file, new Map(), { directory: at('.') })
      return checked?.certificate ?? ''
    } catch (thrown) {
      return thrown instanceof Error ? thrown.message : ''
    }
  }
  t.equal(problems('mqtts://b', { ca: 'ca.pem', certificate: 'good.pem', key: 'good.key' }), at('good.pem'))
  t.equal(problems('mqtts://b', { certificate: 'expired.pem', key: 'expired.key' }), at('expired.pem'), 'it may be replaced any time')
  t.match(problems('mqtt://b', { ca: 'broken.pem' }), /\/mqtt\/tls: is for an url.*[\s\S]*\/mqtt\/tls\/ca: .*broken\.pem can't be used/)
  t.match(problems('mqtts://b', { certificate: 'good.pem' }), /\/mqtt\/tls\/key: is missing beside certificate/)
  t.match(problems('mqtts://b', { certificate: 'good.pem', key: 'broker.key' }), /\/mqtt\/tls\/key: is not the key of/)
  t.match(problems('mqtts://b', { certificate: 'broker.pem', key: 'broker.key' }), /\/mqtt\/tls\/certificate: is for "broker"/)
  t.match(problems('mqtts://b', { certificate: 'nowhere.pem', key: 'good.key' }), /nowhere\.pem can't be used: ENOENT/)
  t.end()
})

t.test('what is wrong with certificates is told from what is wrong with the line', (t) => {
  const failed = (code: string, message = code): Error => Object.assign(new Error(message), { code })
  for (const code of ['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS_CERT_ALTNAME_INVALID'])
    t.ok(isCertificateError(failed(code)), code)
  t.ok(isCertificateError(failed('ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED')))
  t.ok(isCertificateError(failed('ERR_SSL_TLSV1_ALERT_UNKNOWN_CA')))
  for (const code of ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'ERR_SSL_WRONG_VERSION_NUMBER'])
    t.notOk(isCertificateError(failed(code)), code)
  t.end()
})
