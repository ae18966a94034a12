import type { PoolClient } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { type Clock, fromIso } from '@endeks/domain/time'
import { enqueueTyped, refuseFuture } from '../readings/enqueue.js'
import type { TypedIndex } from '../readings/typed.js'
import type { NewInstallation } from './schema.js'
import type { Dismounted } from './store/installations.js'
import { billedRegisters, type MeterRow } from './store/meters.js'

/** Nobody waits for these and would type them again, so they outlive a weekend during which ingest is down. */
const deadlineMs = 7 * 86_400_000

export interface MeterExchange {
  readonly meter: MeterRow
  readonly dismounted: Dismounted | undefined
  readonly body: NewInstallation
  readonly actor: string
}

/**
 * Asks ingest to book the indexes that were read when one meter took another's place, both at that instant. In the transaction
 * that says so: without them the days since the last reading of the old meter are nobody's.
 *
 * @throws {AppError} VALIDATION when no meter stood there, the instant is still to come, or the meter has several billed counters
 */
export async function typeIndexes(client: PoolClient, exchange: MeterExchange, clock: Clock): Promise<void> {
  const { meter, dismounted, body, actor } = exchange
  const { openingIndex, closingIndex, from } = body
  if (openingIndex === undefined && closingIndex === undefined) return
  refuseFuture(clock, from, '/from')
  const type = async (meterId: bigint, index: TypedIndex, path: string): Promise<void> => {
    const register = await soleRegister(client, meterId, path)
    await enqueueTyped(client, { register, at: fromIso(from), index, path, requestedBy: actor, deadlineMs }, clock)
  }
  if (closingIndex !== undefined) {
    if (dismounted === undefined) throw invalid('/closingIndex', `no meter stood at ${body.servicePoint} then`)
    await type(dismounted.meter_id, closingIndex, '/closingIndex')
  }
  if (openingIndex !== undefined) await type(meter.id, openingIndex, '/openingIndex')
}

/** One index is of one counter: of several billed ones it does not say which. */
async function soleRegister(client: PoolClient, meterId: bigint, path: string): Promise<bigint> {
  const [register, another] = await billedRegisters(client, meterId)
  if (register !== undefined && another === undefined) return register
  throw invalid(path, 'the meter has not just one billed register: type the index of each by itself')
}

function invalid(path: string, message: string): AppError {
  return new AppError('VALIDATION', `${path}: ${message}`, { problems: [{ path, message }] })
}
