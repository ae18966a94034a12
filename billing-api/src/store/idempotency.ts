import { createHash } from 'node:crypto'
import type { PoolClient } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { canonicalJson } from '@endeks/gateway/codec'
import { sql } from 'kysely'
import { asJson, execute, first } from './query.js'

export interface Idempotent {
  readonly key: string
  readonly userId: bigint
  /** what was asked, whole: another one under the same key is a mistake of the caller's */
  readonly request: unknown
}

/**
 * Does what moves money once: the same key again waits for the first to end and gets its answer. Both are in the caller's
 * transaction, so a failure leaves nothing and the key is free again.
 *
 * @throws {AppError} IDEMPOTENCY_KEY_REUSED when the key stands for another request or is another user's
 */
export async function onceOnly<Answer>(
  client: PoolClient,
  { key, userId, request }: Idempotent,
  work: () => Promise<Answer>
): Promise<{ readonly answer: Answer; readonly repeated: boolean }> {
  await execute(client, sql`select pg_advisory_xact_lock(hashtextextended(${`idempotency ${key}`}, 0))`)
  const hash = createHash('sha256').update(canonicalJson(request)).digest()
  const stored = await first(
    client,
    sql<{ user_id: bigint; request_hash: Buffer; response: Answer }>`
      select user_id, request_hash, response from account.idempotency where key = ${key}`
  )
  if (stored !== undefined) {
    if (stored.user_id === userId && stored.request_hash.equals(hash)) return { answer: stored.response, repeated: true }
    throw new AppError('IDEMPOTENCY_KEY_REUSED', 'this key was used for another request; mint a new one for each form that opens')
  }
  const answer = await work()
  await execute(
    client,
    sql`insert into account.idempotency (key, user_id, request_hash, response) values (${key}, ${userId}, ${hash}, ${asJson(answer)}::jsonb)`
  )
  return { answer, repeated: false }
}
