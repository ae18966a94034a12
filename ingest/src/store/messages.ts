import type { PoolClient } from '@endeks/database/pool'
import type { ErrorCode } from '@endeks/domain/errors'
import type { GatewayId } from '@endeks/domain/identifiers'

export interface ProfileRow {
  readonly gateway: GatewayId
  readonly hash: Buffer
  readonly content: string
}

export async function insertProfiles(client: PoolClient, profiles: readonly ProfileRow[]): Promise<void> {
  if (profiles.length === 0) return
  await client.query(
    `insert into metering.profile (hash, content, gateway_id)
     select distinct on (hash) * from unnest($1::bytea[], $2::text[], $3::text[]) as t (hash, content, gateway_id) on conflict do nothing`,
    [profiles.map((each) => each.hash), profiles.map((each) => each.content), profiles.map((each) => each.gateway)]
  )
}

/** A message that could not be taken, kept so that a person, or a corrected program, can look at it. */
export interface DeadLetterRow {
  readonly gateway: GatewayId
  readonly topic: string
  readonly code: ErrorCode
  readonly message: string
  readonly size: number
  readonly sha256: Buffer
  /** the first 64 KB */
  readonly payload: Buffer
  /** hash of the profile without which its bytes can't be read another time */
  readonly readWith?: Buffer
}

/**
 * Keeps dead letters as far as the gateway's quota of the UTC day goes.
 *
 * @returns how many were kept of each gateway
 */
export async function insertDeadLetters(
  client: PoolClient,
  letters: readonly DeadLetterRow[],
  quota: { readonly perDay: number; readonly day: string }
): Promise<number> {
  if (letters.length === 0) return 0
  const { rowCount } = await client.query(
    `insert into metering.dead_letter (gateway_id, topic, code, message, size, sha256, payload, read_with)
     select l.gateway_id, l.topic, l.code, l.message, l.size, l.sha256, l.payload, l.read_with
     from (select t.*, row_number() over (partition by gateway_id order by n) as place
       from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::bytea[], $7::bytea[], $8::bytea[])
         with ordinality as t (gateway_id, topic, code, message, size, sha256, payload, read_with, n)) l
     join (select g.gateway_id, (select count(*) from (select from metering.dead_letter d
         where d.gateway_id = g.gateway_id and d.received_at >= $9::timestamptz limit $10) kept) as kept
       from (select distinct unnest($1::text[]) as gateway_id) g) k on k.gateway_id = l.gateway_id
     where k.kept + l.place <= $10
     order by l.n`,
    [
      letters.map((each) => each.gateway),
      letters.map((each) => each.topic),
      letters.map((each) => each.code),
      letters.map((each) => each.message),
      letters.map((each) => each.size),
      letters.map((each) => each.sha256),
      letters.map((each) => each.payload),
      letters.map((each) => each.readWith ?? null),
      `${quota.day}T00:00:00Z`,
      quota.perDay
    ]
  )
  return rowCount ?? 0
}
