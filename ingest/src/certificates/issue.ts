import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { isIP, isIPv4 } from 'node:net'
import { AppError } from '@endeks/domain/errors'
import { type EpochMs, epochMs } from '@endeks/domain/time'
import { bitString, boolean, explicit, implicit, integer, octetString, oid, sequence, set, time, utf8 } from './der.js'

export interface Issued {
  readonly certificate: string
  readonly key: string
  /** in hexadecimal */
  readonly serial: string
  readonly notAfter: EpochMs
}

/** Who signs. */
export interface Authority {
  readonly certificate: string
  readonly key: KeyObject
}

export interface Validity {
  readonly now: EpochMs
  readonly days: number
}

const dayMs = 86_400_000
/** Clocks of gateways are not exact. */
const earlierMs = 3_600_000

const ids = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  subjectKey: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKey: '2.5.29.35',
  extendedUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2'
} as const

/** A private authority (EC P-256), which signs the broker's and the gateways' certificates and no other authority. */
export function issueAuthority(validity: Validity): Issued {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = `Endeks CA ${randomBytes(4).toString('hex')}`
  const usages = [
    extension(ids.basicConstraints, sequence(boolean(true), integer(Buffer.from([0]))), true),
    // keyCertSign and cRLSign
    extension(ids.keyUsage, bitString(Buffer.from([0x06]), 1), true)
  ]
  return issue({
    name,
    keys,
    validity,
    serial: newSerial(),
    extensions: usages,
    signer: { name, key: keys.privateKey, publicKey: keys.publicKey }
  })
}

/** The broker's certificate for the names and addresses under which gateways reach it. @throws {AppError} VALIDATION */
export function issueServer(authority: Authority, hosts: readonly string[], validity: Validity): Issued {
  const first = hosts[0]
  if (first === undefined) throw new AppError('VALIDATION', 'name at least one --name or --address under which gateways reach the broker')
  const alternatives = extension(ids.alternativeName, sequence(...hosts.map(alternativeName)))
  return issueLeaf(authority, {
    name: first.slice(0, 64),
    purpose: ids.serverAuth,
    validity,
    serial: newSerial(),
    extensions: [alternatives]
  })
}

/**
 * A gateway's certificate. Its common name is the gateway's; its alternative name is that of this one certificate, by which a
 * broker that knows no fingerprints, which is NATS, lets it in and a revoked one not.
 */
export function issueGateway(authority: Authority, gateway: string, validity: Validity): Issued {
  const serial = newSerial()
  const own = implicit(6, Buffer.from(certificateName(gateway, serial.toString('hex'))))
  return issueLeaf(authority, {
    name: gateway,
    purpose: ids.clientAuth,
    validity,
    serial,
    extensions: [extension(ids.alternativeName, sequence(own))]
  })
}

/** What a gateway's certificate is called, which no other ever is. */
export function certificateName(gateway: string, serial: string): string {
  return `urn:endeks:gateway:${gateway}:${serial}`
}

interface Leaf {
  readonly name: string
  readonly purpose: string
  readonly validity: Validity
  readonly serial: Buffer
  readonly extensions: readonly Buffer[]
}

function issueLeaf(authority: Authority, { name, purpose, validity, serial, extensions }: Leaf): Issued {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer = signerOf(authority)
  const usages = [
    extension(ids.basicConstraints, sequence(), true),
    // digitalSignature
    extension(ids.keyUsage, bitString(Buffer.from([0x80]), 7), true),
    extension(ids.extendedUsage, sequence(oid(purpose)))
  ]
  return issue({ name, keys, validity, serial, signer, extensions: [...usages, ...extensions] })
}

interface Signer {
  readonly name: string
  readonly key: KeyObject
  readonly publicKey: KeyObject
}

/** @throws {AppError} VALIDATION for an authority that was not made here: its name would have to be copied byte by byte */
function signerOf({ certificate, key }: Authority): Signer {
  const ca = new X509Certificate(certificate)
  const [, name] = /^CN=(Endeks CA [0-9a-f]{8})$/.exec(ca.subject) ?? []
  if (name === undefined || !ca.ca || !ca.checkPrivateKey(key)) {
    throw new AppError('VALIDATION', 'ca.pem and ca-key.pem are not an authority that "ingest ca create" has made')
  }
  return { name, key, publicKey: createPublicKey(key) }
}

interface Request {
  readonly name: string
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
  readonly validity: Validity
  readonly serial: Buffer
  readonly signer: Signer
  readonly extensions: readonly Buffer[]
}

/** @see RFC 5280, 4.1 */
function issue({ name, keys, validity, serial, signer, extensions }: Request): Issued {
  const { now, days } = validity
  // Certificates count in seconds.
  const notAfter = epochMs(Math.floor((now + days * dayMs) / 1_000) * 1_000)
  const algorithm = sequence(oid(ids.ecdsaWithSha256))
  const identifiers = [
    extension(ids.subjectKey, octetString(keyIdentifier(keys.publicKey))),
    extension(ids.authorityKey, sequence(implicit(0, keyIdentifier(signer.publicKey))))
  ]
  const body = sequence(
    // version 3
    explicit(0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    nameOf(signer.name),
    sequence(time(epochMs(now - earlierMs)), time(notAfter)),
    nameOf(name),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(...extensions, ...identifiers))
  )
  const certificate = sequence(body, algorithm, bitString(sign('sha256', body, signer.key)))
  return {
    certificate: pem(certificate),
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    serial: serial.toString('hex'),
    notAfter
  }
}

function newSerial(): Buffer {
  const serial = randomBytes(16)
  // Positive, and as long as it is.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  return serial
}

function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value))
}

function nameOf(commonName: string): Buffer {
  return sequence(set(sequence(oid(ids.commonName), utf8(commonName))))
}

/** Of the bits of the key alone (RFC 5280, 4.2.1.2): the last 65 bytes of a P-256 key, a point that is not compressed. */
function keyIdentifier(publicKey: KeyObject): Buffer {
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65)
  return createHash('sha1').update(point).digest()
}

const hostPattern = /^(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/

/** A name or an address (RFC 5280, 4.2.1.6). @throws {AppError} VALIDATION */
function alternativeName(host: string): Buffer {
  if (isIP(host) !== 0) return implicit(7, addressBytes(host))
  if (host.length > 253 || !hostPattern.test(host))
    throw new AppError('VALIDATION', `"${host.slice(0, 80)}" is neither the name of a host nor an address`)
  return implicit(2, Buffer.from(host))
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0')
  return Buffer.from([...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(''), 'hex')
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
