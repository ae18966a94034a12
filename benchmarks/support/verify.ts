import type { Pool } from '@endeks/database/pool'
import { toIso } from '@endeks/domain/time'
import { exchangesPerMessage, gatewayName, instantOf, type Load, messagesPerGateway, rawInSql, site, tickMs } from './load.js'

/** What stands in the tables of some gateways beside the readings themselves. */
export interface Standing {
  readonly exchanges: number
  readonly conflicts: number
  readonly unassigned: number
  readonly deadLetters: number
}

export async function standing(pool: Pool, load: Load): Promise<Standing> {
  const { rows } = await pool.query<Standing>(
    `select (select count(*)::integer from metering.exchange where gateway_id = any ($1)) as exchanges,
       (select count(*)::integer from metering.reading_conflict) as conflicts,
       (select count(*)::integer from metering.unassigned where gateway_id = any ($1)) as unassigned,
       (select count(*)::integer from metering.dead_letter where gateway_id = any ($1)) as "deadLetters"`,
    [gatewaysOf(load)]
  )
  const [row] = rows
  if (row === undefined) throw new Error('the tables could not be counted')
  return row
}

function gatewaysOf(load: Load): string[] {
  return Array.from({ length: load.gateways }, (_, gateway) => gatewayName(gateway))
}

/**
 * Holds the tables against what was acknowledged: every register has its value at every tick of the load and none twice, every
 * message's number is there, each exchange was stored once, and nothing was set aside.
 *
 * @param options.again the load had been stored before `before` was counted
 * @throws {Error} with everything that is wrong
 */
export async function verify(
  pool: Pool,
  load: Load,
  options: { readonly firstRegister: bigint; readonly before: Standing; readonly again: boolean }
): Promise<void> {
  const wrong: string[] = []
  const expect = (what: string, found: number, expected: number): void => {
    if (found !== expected) wrong.push(`${what}: ${found}, and ${expected} were expected`)
  }
  const readings = await countReadings(pool, load, options.firstRegister)
  expect('readings stored', readings.stored, load.gateways * site.registersPerGateway * load.ticks)
  expect('readings with another value', readings.wrong, 0)
  expect('gateways whose numbers are complete', await completeGateways(pool, load), load.gateways)
  const after = await standing(pool, load)
  const exchanges = messagesPerGateway(load) * load.gateways * exchangesPerMessage(load)
  expect('exchanges stored', after.exchanges - options.before.exchanges, options.again ? 0 : exchanges)
  expect('conflicts', after.conflicts, options.before.conflicts)
  expect('readings set aside', after.unassigned, options.before.unassigned)
  expect('dead letters', after.deadLetters, options.before.deadLetters)
  if (wrong.length > 0) throw new Error(`what is stored is not what was acknowledged. ${wrong.join('; ')}`)
}

/** How many readings of a load are stored, and how many of them with another value than was sent. */
export async function countReadings(
  pool: Pool,
  load: Load,
  firstRegister: bigint
): Promise<{ readonly stored: number; readonly wrong: number }> {
  const { rows } = await pool.query<{ stored: number; wrong: number }>(
    `select count(*)::integer as stored, (count(*) filter (where raw <> ${rawInSql}))::integer as wrong
     from (select raw, register_id - $1::bigint as register, (extract(epoch from at - $2::timestamptz) * 1000)::bigint / $3::integer as tick
       from metering.reading where at >= $4::timestamptz and at < $5::timestamptz and register_id < $1::bigint + $6::integer) as reading`,
    [
      firstRegister,
      toIso(load.start),
      tickMs,
      toIso(instantOf(load, load.firstTick)),
      toIso(instantOf(load, load.firstTick + load.ticks)),
      load.gateways * site.registersPerGateway
    ]
  )
  return rows[0] ?? { stored: 0, wrong: 0 }
}

/** A gateway is complete when its stored ranges together are 1 to its last number. */
async function completeGateways(pool: Pool, load: Load): Promise<number> {
  const { rows } = await pool.query<{ complete: number }>(
    `select count(*)::integer as complete from (
       select gateway_id from metering.sequence_range where epoch = $1 and lane = 'live' and gateway_id = any ($2)
       group by gateway_id having range_agg(int8range(first, last, '[]')) = int8multirange(int8range(1, $3::bigint, '[]'))) as g`,
    [load.epoch, gatewaysOf(load), messagesPerGateway(load)]
  )
  return rows[0]?.complete ?? 0
}
