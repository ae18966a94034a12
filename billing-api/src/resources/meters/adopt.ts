import { enqueue } from '@endeks/database/commands'
import type { PoolClient } from '@endeks/database/pool'
import type { Clock } from '@endeks/domain/time'

const deadlineMs = 86_400_000

/**
 * Asks ingest to look again at readings that nobody was known for: a meter, a place or a connection has come. In the
 * transaction that brings it, so that the one is never without the other.
 */
export async function adoptUnassigned(client: PoolClient, requestedBy: string, clock: Clock): Promise<void> {
  await enqueue(client, { owner: 'ingest', kind: 'adopt-unassigned', payload: {}, requestedBy, deadlineMs }, clock)
}
