import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { epochMs } from '@endeks/domain/time'
import t from 'tap'
import { certificateTime } from '../../src/broker/certificate-time.js'
import { issueAuthority, issueGateway, issueServer } from '../../src/certificates/issue.js'

const now = epochMs(Date.UTC(2026, 10, 24, 12, 0, 0, 500))
const issued = issueAuthority({ now, days: 10_000 })
const authority = { certificate: issued.certificate, key: createPrivateKey(issued.key) }

t.test('an authority is one, and lasts past 2050', (t) => {
  const ca = new X509Certificate(issued.certificate)
  t.ok(ca.ca)
  t.ok(ca.verify(createPublicKey(authority.key)))
  t.equal(certificateTime(ca.validTo), issued.notAfter)
  t.ok(ca.validTo.includes('2054'))
  t.end()
})

t.test('certificates of broker and gateway are signed by it, for their purpose and nothing else', (t) => {
  const server = new X509Certificate(issueServer(authority, ['broker.example', '10.0.0.1', 'fd00::1:2'], { now, days: 1 }).certificate)
  const gateway = issueGateway(authority, 'gw-1', { now, days: 30 })
  const client = new X509Certificate(gateway.certificate)
  const ca = new X509Certificate(issued.certificate)
  for (const leaf of [server, client]) {
    t.ok(leaf.checkIssued(ca) && leaf.verify(ca.publicKey))
    t.notOk(leaf.ca)
  }
  t.equal(server.checkHost('broker.example'), 'broker.example')
  t.equal(server.checkIP('10.0.0.1'), '10.0.0.1')
  t.equal(server.subjectAltName, 'DNS:broker.example, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:1:2')
  t.same(server.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  t.same(client.keyUsage, ['1.3.6.1.5.5.7.3.2'])
  t.equal(client.subject, 'CN=gw-1')
  t.equal(client.serialNumber.toLowerCase(), gateway.serial)
  t.ok(client.checkPrivateKey(createPrivateKey(gateway.key)))
  t.end()
})

t.test('what is no name of a host is not written into a certificate', (t) => {
  for (const host of ['a b', 'x,DNS:y', '', '-', '300.1.1.1.', 'a..b']) {
    t.throws(() => issueServer(authority, [host], { now, days: 1 }), { code: 'VALIDATION' }, host)
  }
  t.throws(() => issueServer(authority, [], { now, days: 1 }), { code: 'VALIDATION' })
  t.end()
})
