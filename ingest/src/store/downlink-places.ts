import type { PoolClient } from '@endeks/database/pool'
import { type EpochMs, toIso } from '@endeks/domain/time'

/** Where a command goes, and to whom. */
export interface Target {
  readonly gateway: string
  readonly bus: string
  readonly address: string
  readonly servicePointId: bigint
  /** the meter installed there now; null where none is */
  readonly meterId: bigint | null
}

/** What a command was asked for: one of the three. */
export interface Wanted {
  readonly meterId?: bigint | undefined
  readonly servicePointId?: bigint | undefined
  readonly place?: { readonly gateway: string; readonly bus: string; readonly address: string } | undefined
}

interface TargetRow {
  readonly gateway_id: string
  readonly bus: string
  readonly address: string
  readonly service_point_id: bigint
  readonly meter_id: bigint | null
}

/** The connection that is in force now; of two ways to a place the one that was entered last. */
export async function findTarget(client: PoolClient, wanted: Wanted, now: EpochMs): Promise<Target | undefined> {
  const { meterId, servicePointId, place } = wanted
  const { rows } = await client.query<TargetRow>(
    `select c.gateway_id, c.bus, c.address, c.service_point_id, i.meter_id
     from account.connection c
     left join account.installation i on i.service_point_id = c.service_point_id and i.superseded_at is null
       and tstzrange(i.valid_from, i.valid_to) @> $1::timestamptz
     where c.superseded_at is null and tstzrange(c.valid_from, c.valid_to) @> $1::timestamptz
       and ($2::bigint is null or i.meter_id = $2) and ($3::bigint is null or c.service_point_id = $3)
       and ($4::text is null or (c.gateway_id = $4 and c.bus = $5 and c.address = $6))
     order by c.id desc limit 1`,
    [toIso(now), meterId ?? null, servicePointId ?? null, place?.gateway ?? null, place?.bus ?? null, place?.address ?? null]
  )
  const row = rows[0]
  if (row === undefined) return undefined
  return {
    gateway: row.gateway_id,
    bus: row.bus,
    address: row.address,
    servicePointId: row.service_point_id,
    meterId: row.meter_id
  }
}

/** How the meter was read last at this place: protocol and profile; undefined where nothing is known of it. */
export async function lastReadWith(
  client: PoolClient,
  { meterId, gateway, bus, address }: Target
): Promise<{ readonly protocol: string; readonly profile: unknown } | undefined> {
  const { rows } = await client.query<{ protocol: string; content: string | null }>(
    `select x.protocol, p.content from account.register r
     join lateral (select exchange_day, exchange_id from metering.reading where register_id = r.id and exchange_id is not null
       order by at desc limit 1) newest on true
     join metering.exchange x on x.day = newest.exchange_day and x.id = newest.exchange_id
     left join metering.profile p on p.hash = x.profile_hash
     where r.meter_id = $1 and x.gateway_id = $2 and x.bus = $3 and x.address = $4
     order by x.at desc limit 1`,
    [meterId, gateway, bus, address]
  )
  const row = rows[0]
  if (row === undefined || row.content === null) return undefined
  const profile: unknown = JSON.parse(row.content)
  return { protocol: row.protocol, profile }
}
