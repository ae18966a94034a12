import type { Pool } from '@endeks/database/pool'
import { type EpochMs, toIso } from '@endeks/domain/time'

/** Which dead letters are meant; all that are not taken yet where nothing is said. */
export interface LetterChoice {
  readonly code?: string
  readonly gateway?: string
  readonly since?: EpochMs
}

/** A dead letter as it is read again. */
export interface KeptLetter {
  readonly id: bigint
  readonly receivedAt: EpochMs
  readonly gateway: string
  readonly topic: string
  readonly code: string
  /** undefined where only the first 64 KB were kept */
  readonly payload: Buffer | undefined
  /** the profile that was kept with it */
  readonly readWith: string | undefined
}

interface Row {
  readonly id: bigint
  readonly received_at: EpochMs
  readonly gateway_id: string
  readonly topic: string
  readonly code: string
  readonly payload: Buffer | null
  readonly read_with: string | null
}

/** How many are meant, and the last of them: what comes later is another replay's. */
export async function countLetters(pool: Pool, choice: LetterChoice): Promise<{ readonly count: number; readonly lastId: bigint }> {
  const { rows } = await pool.query<{ count: bigint; last_id: bigint | null }>(
    `select count(*) as count, max(id) as last_id from metering.dead_letter where ${meant}`,
    valuesOf(choice)
  )
  return { count: Number(rows[0]?.count ?? 0n), lastId: rows[0]?.last_id ?? 0n }
}

/** The next of them in the order in which they came, at most `limit`. */
export async function readLetters(
  pool: Pool,
  choice: LetterChoice,
  part: { readonly afterId: bigint; readonly lastId: bigint; readonly limit: number }
): Promise<KeptLetter[]> {
  const { rows } = await pool.query<Row>(
    `select d.id, d.received_at, d.gateway_id, d.topic, d.code, p.content as read_with,
       case when d.size = length(d.payload) then d.payload end as payload
     from (select * from metering.dead_letter where ${meant} and id > $4 and id <= $5 order by id limit $6) d
     left join metering.profile p on p.hash = d.read_with order by d.id`,
    [...valuesOf(choice), part.afterId, part.lastId, part.limit]
  )
  return rows.map((row) => ({
    id: row.id,
    receivedAt: row.received_at,
    gateway: row.gateway_id,
    topic: row.topic,
    code: row.code,
    payload: row.payload ?? undefined,
    readWith: row.read_with ?? undefined
  }))
}

/** Says what became of a letter: taken, or the code of why it still is not. */
export async function markReplayed(pool: Pool, id: bigint, outcome: string): Promise<void> {
  await pool.query(`update metering.dead_letter set replayed_at = now(), outcome = $2 where id = $1 and outcome is distinct from 'taken'`, [
    id,
    outcome
  ])
}

const meant = `outcome is distinct from 'taken' and ($1::text is null or code = $1) and ($2::text is null or gateway_id = $2)
  and ($3::timestamptz is null or received_at >= $3)`

function valuesOf(choice: LetterChoice): (string | null)[] {
  return [choice.code ?? null, choice.gateway ?? null, choice.since === undefined ? null : toIso(choice.since)]
}
