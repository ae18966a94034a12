import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'
import { sql } from 'kysely'
import { hashPassword, isPassword } from '../../passwords.js'
import { asJson, type Database, execute, rows } from '../../store/query.js'
import { missingOf, type Outcome, refuse, refuseRepeated } from '../../store/standing.js'

export interface GatewayRow {
  readonly id: string
  readonly name: string
  readonly last_heard_at: EpochMs | null
  readonly meters: number
  readonly unassigned: number
  readonly dead_letters: number
  readonly open_gaps: number
  readonly lost_readings: bigint
}

export interface GapRow {
  readonly epoch: string
  readonly lane: string
  readonly first: bigint
  readonly last: bigint
  readonly state: 'open' | 'declared'
  readonly since: EpochMs
  readonly readings: bigint | null
  readonly reason: string | null
}

/** Message numbers of a gateway that are missing, the latest first. @throws {AppError} GATEWAY_NOT_FOUND */
export async function listGaps(database: Database, gateway: string, limit: number): Promise<GapRow[]> {
  const known = await rows(database, sql<{ id: string }>`select id from account.gateway where id = ${gateway}`)
  if (known.length === 0) throw new AppError('GATEWAY_NOT_FOUND', `there is no gateway ${gateway}`)
  return rows(
    database,
    sql<GapRow>`select epoch, lane, first, last, state, since, readings, reason from metering.sequence_gap
      where gateway_id = ${gateway} order by since desc, epoch, lane, first desc limit ${limit}`
  )
}

export async function listGateways(database: Database): Promise<GatewayRow[]> {
  return rows(
    database,
    sql<GatewayRow>`
      select gateway.id, gateway.name, heard.at as last_heard_at, coalesce(connected.meters, 0) as meters,
        coalesce(strange.count, 0) as unassigned, coalesce(dead.count, 0) as dead_letters, coalesce(gaps.count, 0) as open_gaps,
        coalesce(gaps.lost_readings, 0) as lost_readings
      from account.gateway
      left join (select gateway_id, max(received_at) as at from metering.sequence_range group by 1) heard on heard.gateway_id = gateway.id
      left join (
        select gateway_id, count(distinct service_point_id)::integer as meters from account.connection
        where superseded_at is null and valid_to is null group by 1
      ) connected on connected.gateway_id = gateway.id
      left join (
        select gateway_id, count(*)::integer as count from metering.unassigned where adopted_at is null group by 1
      ) strange on strange.gateway_id = gateway.id
      left join (select gateway_id, count(*)::integer as count from metering.dead_letter group by 1) dead on dead.gateway_id = gateway.id
      left join (
        select gateway_id, count(*) filter (where state = 'open')::integer as count, sum(readings)::bigint as lost_readings
        from metering.sequence_gap group by 1
      ) gaps on gaps.gateway_id = gateway.id
      order by gateway.id limit 10000`
  )
}

export interface NewGateway {
  readonly id: string
  readonly name: string
  readonly password: string
}

interface Standing {
  readonly id: string
  readonly name: string
  readonly password_hash: string | null
}

/** Hashing takes a core for some 20 ms each: a few at a time keep the server answering. */
const hashedAtOnce = 4

/**
 * Gateways with their passwords, which are kept as hashes: a standing one is unchanged when its password verifies.
 *
 * @throws {AppError} ALREADY_EXISTS for one with another name or password
 */
export async function addGateways(database: Database, items: readonly NewGateway[]): Promise<Outcome> {
  refuseRepeated('gateways', items, (item) => item.id)
  const malformed = items.flatMap((item, index) =>
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(item.id)
      ? []
      : [{ path: `/gateways/${index}/id`, message: 'is not a gateway name: 1 to 32 letters, digits, - and _' }]
  )
  refuse('VALIDATION', malformed)
  const found = await rows(
    database,
    sql<Standing>`select gateway.id, gateway.name, credential.password_hash
      from account.gateway left join account.credential on credential.gateway_id = gateway.id and credential.revoked_at is null
      where gateway.id in (select jsonb_array_elements_text(${asJson(items.map((item) => item.id))}::jsonb))`
  )
  const byId = new Map(found.map((row) => [row.id, row]))
  const verified = new Set<string>()
  await eachOf(items, async (item) => {
    const hashed = byId.get(item.id)?.password_hash
    if (hashed !== undefined && hashed !== null && (await isPassword(hashed, item.password))) verified.add(item.id)
  })
  const { missing, unchanged } = missingOf<NewGateway, Standing>(
    {
      list: 'gateways',
      label: (item) => `the gateway ${item.id}`,
      differences: (item, row) => [...(item.name === row.name ? [] : ['name']), ...(verified.has(item.id) ? [] : ['password'])]
    },
    items,
    (item) => byId.get(item.id)
  )
  const records: { id: string; name: string; hash: string }[] = []
  await eachOf(missing, async (item) => {
    records.push({ id: item.id, name: item.name, hash: await hashPassword(item.password) })
  })
  await execute(
    database,
    sql`with i as (select * from jsonb_to_recordset(${asJson(records)}::jsonb) as i (id text, name text, hash text)),
        made as (insert into account.gateway (id, name) select id, name from i)
      insert into account.credential (gateway_id, password_hash) select id, hash from i`
  )
  return { created: missing.length, unchanged }
}

async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += hashedAtOnce) {
    await Promise.all(items.slice(start, start + hashedAtOnce).map(work))
  }
}
