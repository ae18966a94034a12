import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { AppError, asError } from '@endeks/domain/errors'
import { type Clock, type EpochMs, fromIso, toIso } from '@endeks/domain/time'

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
  if (ca !== undefined && content.ca !== undefined) parsed(ca, () => new X509Certificate(content.ca ?? ''))
  const own = ownCertificate(files, content)
  if (own !== undefined && key !== undefined) {
    // Between the two steps of a replacement they do not fit: that passes.
    const fits = own.checkPrivateKey(parsed(key, () => createPrivateKey(content.key ?? '')))
    if (!fits) throw new AppError('UPLINK_CERTIFICATE', `${key} is not the key of ${files.certificate}`, { key })
  }
  return content
}

/** What is wrong with this gateway's own certificate now, in words; undefined: nothing that can be told here. */
export function ownCertificateTrouble(files: TlsFiles, content: TlsContent, clock: Clock): string | undefined {
  const own = ownCertificate(files, content)
  if (own === undefined) return undefined
  const now = clock.now()
  if (instantOf(own.validTo) < now)
    return `the certificate ${files.certificate} expired at ${own.validTo}: enrol the gateway again and put the new one in its place`
  if (instantOf(own.validFrom) > now)
    return `the certificate ${files.certificate} is valid from ${own.validFrom} on, and the clock of this gateway says ${toIso(now)}`
  return undefined
}

function ownCertificate({ certificate }: TlsFiles, { cert }: TlsContent): X509Certificate | undefined {
  return certificate === undefined || cert === undefined ? undefined : parsed(certificate, () => new X509Certificate(cert))
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

function parsed<Value>(path: string, parse: () => Value): Value {
  try {
    return parse()
  } catch (thrown) {
    throw new AppError('UPLINK_CERTIFICATE', `${path} can't be used: ${asError(thrown).message}`, { path }, thrown)
  }
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** An instant as OpenSSL prints it: `Nov  4 16:14:30 2026 GMT`. */
function instantOf(text: string): EpochMs {
  const [month = '', day = '', time = '', year = ''] = text.split(/ +/)
  return fromIso(`${year}-${String(months.indexOf(month) + 1).padStart(2, '0')}-${day.padStart(2, '0')}T${time}Z`)
}
