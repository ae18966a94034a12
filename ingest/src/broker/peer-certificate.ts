import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { type EpochMs, epochMs } from '@endeks/domain/time'
import { certificateTime } from './certificate-time.js'

/** What a client's certificate says, once its signature is checked against the authority of the broker. */
export interface PeerCertificate {
  /** the common name of its subject, which is the gateway's */
  readonly name: string
  /** SHA-256 of the certificate, in hexadecimal */
  readonly fingerprint: string
  readonly notAfter: EpochMs
  /** why it is not to be trusted, whatever it says */
  readonly invalid?: string
}

/** @returns undefined when the client has shown none */
export function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  const shown = socket.getPeerX509Certificate()
  if (shown === undefined) return undefined
  const names = commonNames(shown)
  const name = names[0] ?? ''
  const invalid = (why: string) => ({ name, fingerprint: fingerprintOf(shown), notAfter: epochMs(0), invalid: why })
  // Nothing else of it is read: whoever made it may have written anything into it.
  if (!socket.authorized) return invalid(inWords(shown, String(socket.authorizationError)))
  if (names.length !== 1) return invalid(`its subject has ${names.length} common names, not the one of a gateway`)
  return { name, fingerprint: fingerprintOf(shown), notAfter: certificateTime(shown.validTo) }
}

export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase()
}

/** Node writes a subject one part a line, and quotes what could be taken for the next. */
function commonNames(certificate: X509Certificate): string[] {
  return certificate.subject.split('\n').flatMap((line) => (line.startsWith('CN=') ? [line.slice(3)] : []))
}

function inWords(certificate: X509Certificate, code: string): string {
  if (code.includes('CERT_HAS_EXPIRED')) return `it expired on ${certificate.validTo}; enrol the gateway again`
  if (code.includes('CERT_NOT_YET_VALID')) return `it is valid from ${certificate.validFrom} only`
  return `it is not of our authority (${code})`
}
