import { hasSqlState, type Pool } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { type GatewayId, gatewayId } from '@endeks/domain/identifiers'
import { type EpochMs, toIso } from '@endeks/domain/time'

export interface EnrolledCertificate {
  readonly gateway: string
  readonly serial: string
  readonly issuedAt: EpochMs
  readonly notAfter: EpochMs
  readonly revokedAt: EpochMs | null
}

/** Lets a certificate in from now on, and says so in the audit trail. @throws {AppError} GATEWAY_NOT_FOUND */
export async function enrolCertificate(
  pool: Pool,
  enrolment: {
    readonly gateway: GatewayId
    readonly fingerprint: string
    readonly serial: string
    readonly notAfter: EpochMs
    readonly by: string
  }
): Promise<void> {
  const { gateway, fingerprint, serial, notAfter, by } = enrolment
  try {
    await pool.query('select account.enrol_certificate($1, $2, $3, $4, $5)', [gateway, fingerprint, serial, toIso(notAfter), by])
  } catch (thrown) {
    if (!hasSqlState(thrown, '23503')) throw thrown
    throw new AppError('GATEWAY_NOT_FOUND', `there is no gateway ${gateway}; enter it first`, { gateway }, thrown)
  }
}

/** @returns the serials of those that were in force and are no more */
export async function revokeCertificates(
  pool: Pool,
  revocation: { readonly gateway: GatewayId; readonly serial: string | undefined; readonly by: string }
): Promise<string[]> {
  const { gateway, serial, by } = revocation
  const { rows } = await pool.query<{ serial: string }>('select account.revoke_certificates($1, $2, $3) as serial', [
    gateway,
    serial ?? null,
    by
  ])
  return rows.map((row) => row.serial)
}

export async function listCertificates(pool: Pool, gateway: GatewayId | undefined): Promise<EnrolledCertificate[]> {
  const { rows } = await pool.query<EnrolledCertificate>(
    `select gateway_id as gateway, serial, issued_at as "issuedAt", not_after as "notAfter", revoked_at as "revokedAt"
     from account.gateway_certificate where $1::text is null or gateway_id = $1 order by gateway_id, issued_at`,
    [gateway ?? null]
  )
  return rows
}

/** By which gateways may connect now. */
export async function liveCertificates(pool: Pool, now: EpochMs): Promise<{ readonly gateway: GatewayId; readonly serial: string }[]> {
  const { rows } = await pool.query<{ gateway: string; serial: string }>(
    `select gateway_id as gateway, serial from account.gateway_certificate
     where revoked_at is null and not_after > $1::timestamptz order by gateway_id, issued_at, serial`,
    [toIso(now)]
  )
  return rows.map(({ gateway, serial }) => ({ gateway: gatewayId(gateway), serial }))
}
