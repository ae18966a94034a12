import type { Pool } from '@endeks/database/pool'
import type { GatewayId } from '@endeks/domain/identifiers'
import type { LiveProofs } from '../broker/sessions.js'

/** The hash that a gateway's password is checked against; undefined for an unknown gateway or one whose credential is revoked. */
export async function readPasswordHash(pool: Pool, gateway: string): Promise<string | undefined> {
  const { rows } = await pool.query<{ password_hash: string }>(
    'select password_hash from account.credential where gateway_id = $1 and revoked_at is null',
    [gateway]
  )
  return rows[0]?.password_hash
}

/** What lets gateways in, read anew each time. */
export function liveProofs(pool: Pool): LiveProofs {
  return {
    async passwordHashes(gateways: readonly GatewayId[]) {
      if (gateways.length === 0) return new Map()
      const { rows } = await pool.query<{ gateway_id: string; password_hash: string }>(
        'select gateway_id, password_hash from account.credential where gateway_id = any($1) and revoked_at is null',
        [gateways]
      )
      return new Map(rows.map((row) => [row.gateway_id, row.password_hash]))
    },
    async fingerprints(fingerprints: readonly string[]) {
      if (fingerprints.length === 0) return new Set()
      const { rows } = await pool.query<{ fingerprint: string }>(
        'select fingerprint from account.gateway_certificate where fingerprint = any($1) and revoked_at is null',
        [fingerprints]
      )
      return new Set(rows.map((row) => row.fingerprint))
    }
  }
}
