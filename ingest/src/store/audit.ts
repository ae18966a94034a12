import type { PoolClient } from '@endeks/database/pool'
import { toIso } from '@endeks/domain/time'
import type { ReadingRow } from './readings.js'

export interface TypedEvent {
  /** who asked for it */
  readonly actor: string
  readonly commandId: bigint
  readonly row: ReadingRow
  /** whether it became the reading, was it already, or stands against another value */
  readonly outcome: true | 'same' | 'conflict'
}

/** Says who brought a reading, in the transaction that stores it. */
export async function recordTyped(client: PoolClient, { actor, commandId, row, outcome }: TypedEvent): Promise<void> {
  const { registerId, at, raw, scaler, unit, status, source } = row
  const details = { command: commandId.toString(), at: toIso(at), raw: raw.toString(), scaler, unit, status, source, stored: outcome }
  await client.query(`select audit.record($1, 'reading.typed', 'register', $2, $3)`, [
    actor,
    registerId.toString(),
    JSON.stringify(details)
  ])
}
