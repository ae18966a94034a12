import type { GatewayId } from '@endeks/domain/identifiers'
import { type Clock, toIso } from '@endeks/domain/time'
import { connackCode, type Refusal } from './connect-rules.js'
import type { Credentials } from './credentials.js'
import type { PeerCertificate } from './peer-certificate.js'
import type { LiveProofs, Proof } from './sessions.js'

export interface AuthenticationDependencies {
  readonly credentials: Credentials
  readonly proofs: LiveProofs
  readonly clock: Clock
  /** whether a password is enough for who comes by TLS */
  readonly certificateRequired: boolean
}

export interface Claim {
  readonly gateway: GatewayId
  readonly username: string | undefined
  readonly password: Buffer | undefined
  readonly secure: boolean
  readonly certificate: PeerCertificate | undefined
  /** its address has tried too many passwords */
  readonly heldOff: boolean
}

const { notAuthorized, serverUnavailable } = connackCode

/**
 * Whether a connection is the gateway's that it says it is. A certificate counts for itself, and a bad one is not mended by a
 * password; without one the password counts.
 *
 * @throws {AppError} LOGIN_TOO_MANY, or what reading the database throws
 */
export async function authenticate(dependencies: AuthenticationDependencies, claim: Claim): Promise<Proof | Refusal> {
  if (claim.certificate !== undefined) return byCertificate(dependencies, claim.certificate, claim.gateway)
  if (claim.secure && dependencies.certificateRequired) {
    return { reason: 'certificate-required', returnCode: notAuthorized, why: 'a certificate is required, and it has shown none' }
  }
  return byPassword(dependencies.credentials, claim)
}

async function byPassword(credentials: Credentials, claim: Claim): Promise<Proof | Refusal> {
  const { gateway, username, password, heldOff } = claim
  const wrong: Refusal = { reason: 'password', returnCode: notAuthorized, why: 'wrong gateway name or password' }
  if (username !== gateway || password === undefined) return wrong
  const answer = await credentials.check(gateway, password, !heldOff)
  if (answer === 'not computed') {
    return { reason: 'held-off', returnCode: serverUnavailable, why: 'too many wrong passwords from its address; try again in a minute' }
  }
  return answer === undefined ? wrong : { kind: 'password', hash: answer.hash }
}

async function byCertificate(
  { proofs, clock }: AuthenticationDependencies,
  certificate: PeerCertificate,
  gateway: GatewayId
): Promise<Proof | Refusal> {
  const { name, fingerprint, notAfter, invalid } = certificate
  const refuse = (why: string): Refusal => ({
    reason: 'certificate',
    returnCode: notAuthorized,
    why: `its certificate for ${JSON.stringify(name.slice(0, 40))}: ${why}`
  })
  if (invalid !== undefined) return refuse(invalid)
  if (name !== gateway) return refuse('it is not for this client id')
  if (notAfter <= clock.now()) return refuse(`it expired at ${toIso(notAfter)}; enrol the gateway again`)
  const known = await proofs.fingerprints([fingerprint])
  return known.has(fingerprint) ? { kind: 'certificate', fingerprint, notAfter } : refuse('it was never enrolled, or is revoked')
}
