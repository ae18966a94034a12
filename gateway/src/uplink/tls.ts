import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { AppError, asError } from '@endeks/domain/errors'
import { type Clock, toIso } from '@endeks/domain/time'

/** Where the certificates of the connection are, as absolute paths. */
export interface TlsFiles {
  /** of the authority that signed the broker's certificate; without it those that the system trusts */
  readonly ca?: string
  /** this gateway's own, with its key */
  readonly certificate?: string
  readonly key?: string
}

export interface TlsContent {
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
}

/**
 * Reads the files, at each connection anew: a certificate that was replaced takes effect without a restart.
 *
 * @throws {AppError} UPLINK_CERTIFICATE naming the file, and what is wrong with it
 */
export function readTls(files: TlsFiles): TlsContent {
  const { ca, certificate, key } = files
  const content = {
    ...(ca === undefined ? {} : { ca: fileContent(ca) }),
    ...(certificate === undefined ? {} : { cert: fileContent(certificate) }),
    ...(key === undefined ? {} : { key: fileContent(key) })
  }
  for (const [path, bytes] of [
    [ca, content.ca],
    [certificate, content.cert]
  ] as const) {
    if (path !== undefined && bytes !== undefined) parsedCertificate(path, bytes)
  }
  return content
}

/** What is wrong with this gateway's own certificate now, in words; undefined: nothing that can be told here. */
export function ownCertificateTrouble(files: TlsFiles, clock: Clock): string | undefined {
  if (files.certificate === undefined) return undefined
  const certificate = parsedCertificate(files.certificate, fileContent(files.certificate))
  const now = clock.now()
  if (Date.parse(certificate.validTo) < now)
    return `the certificate ${files.certificate} expired at ${certificate.validTo}: enrol the gateway again and put the new one in its place`
  if (Date.parse(certificate.validFrom) > now)
    return `the certificate ${files.certificate} is valid from ${certificate.validFrom} on, and the clock of this gateway says ${toIso(now)}`
  return undefined
}

/** OpenSSL's words for a certificate that one of the two sides did not take, its alerts among them. */
const certificateErrors =
  /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ISSUER|ALERT_(BAD|UNKNOWN|UNSUPPORTED|ACCESS|REVOKED)|ALERT_HANDSHAKE|certificate/i

/** Whether a connection failed for its certificates. */
export function isCertificateError(thrown: Error): boolean {
  const code = 'code' in thrown ? String(thrown.code) : ''
  return certificateErrors.test(code) || (code.startsWith('ERR_SSL') && certificateErrors.test(thrown.message))
}

function fileContent(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (thrown) {
    throw new AppError('UPLINK_CERTIFICATE', `${path} can't be read: ${asError(thrown).message}`, { path }, thrown)
  }
}

function parsedCertificate(path: string, bytes: Buffer): X509Certificate {
  try {
    return new X509Certificate(bytes)
  } catch (thrown) {
    throw new AppError('UPLINK_CERTIFICATE', `${path} is no certificate (PEM): ${asError(thrown).message}`, { path }, thrown)
  }
}
