import type { Pool, PoolClient } from '@endeks/database/pool'
import { type GatewayId, gatewayId } from '@endeks/domain/identifiers'
import type { EpochMs } from '@endeks/domain/time'
import { isMeterUnit, type MeterUnit } from '@endeks/domain/units'
import { instantText } from './exchanges.js'

/** Why a reading has no register yet. */
export type UnassignedReason = 'UNKNOWN_CONNECTION' | 'OTHER_DEVICE' | 'NOT_INSTALLED' | 'UNKNOWN_REGISTER' | 'FUTURE'

export interface UnassignedRow {
  readonly gateway: GatewayId
  readonly bus: string
  readonly address: string
  readonly deviceId: string
  /** empty where the device does not say */
  readonly manufacturer: string
  readonly obis: string
  readonly at: EpochMs
  /** decimal text */
  readonly raw: string
  readonly scaler: number
  readonly unit: MeterUnit
  readonly status: number
  readonly exchangeId: bigint
  readonly exchangeDay: string
  readonly reason: UnassignedReason
}

/**
 * Sets readings aside. The same again changes nothing; another value for the same instant waits beside it.
 *
 * @returns the exchanges of new rows
 */
export async function insertUnassigned(client: PoolClient, rows: readonly UnassignedRow[]): Promise<bigint[]> {
  if (rows.length === 0) return []
  const inserted = await client.query<{ exchange_id: bigint }>({
    name: 'insert-unassigned',
    text: `insert into metering.unassigned (gateway_id, bus, address, device_id, manufacturer, obis, at, raw, scaler, unit, status, exchange_id, exchange_day, reason)
      select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bigint[], $9::smallint[],
        $10::text[], $11::integer[], $12::bigint[], $13::date[], $14::text[])
      on conflict do nothing returning exchange_id`,
    values: parameters(rows)
  })
  return inserted.rows.map((row) => row.exchange_id)
}

function parameters(rows: readonly UnassignedRow[]): unknown[] {
  const column = <Value>(of: (row: UnassignedRow) => Value): Value[] => rows.map(of)
  return [
    column((row) => row.gateway),
    column((row) => row.bus),
    column((row) => row.address),
    column((row) => row.deviceId),
    column((row) => row.manufacturer),
    column((row) => row.obis),
    column((row) => instantText(row.at)),
    column((row) => row.raw),
    column((row) => row.scaler),
    column((row) => row.unit),
    column((row) => row.status),
    column((row) => row.exchangeId),
    column((row) => row.exchangeDay),
    column((row) => row.reason)
  ]
}

/** Whose waiting readings are looked at again; everything where a part is left out. */
export interface AdoptionScope {
  readonly gateway: string | undefined
  readonly bus: string | undefined
  readonly address: string | undefined
  /** only those that were ahead of their time and are not any more */
  readonly due: boolean
}

export interface WaitingRow extends UnassignedRow {
  readonly id: bigint
}

interface Row {
  readonly id: bigint
  readonly gateway_id: string
  readonly bus: string
  readonly address: string
  readonly device_id: string
  readonly manufacturer: string
  readonly obis: string
  readonly at: EpochMs
  readonly raw: bigint
  readonly scaler: number
  readonly unit: string
  readonly status: number
  readonly exchange_id: bigint
  readonly exchange_day: string
  readonly reason: UnassignedReason
}

/** Whether a reading that was ahead of its time waits, and its instant has passed. */
export async function isDue(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ due: boolean }>(
    `select exists (select from metering.unassigned where adopted_at is null and reason = 'FUTURE' and at <= now()) as due`
  )
  return rows[0]?.due ?? false
}

/**
 * Waiting readings after `afterId` in the order in which they came, locked until the transaction ends. Years that no meter
 * means are passed over, as they can't be read as an instant.
 */
export async function claimWaiting(client: PoolClient, scope: AdoptionScope, afterId: bigint, limit: number): Promise<WaitingRow[]> {
  const { rows } = await client.query<Row>(
    `select id, gateway_id, bus, address, device_id, manufacturer, obis, at, raw, scaler, unit, status, exchange_id, exchange_day, reason
     from metering.unassigned
     where adopted_at is null and id > $1 and at < now() + interval '5 minutes'
       and ($2::text is null or gateway_id = $2) and ($3::text is null or bus = $3) and ($4::text is null or address = $4)
       and (not $5 or reason = 'FUTURE' and at <= now())
     order by id limit $6 for update`,
    [afterId, scope.gateway ?? null, scope.bus ?? null, scope.address ?? null, scope.due, limit]
  )
  return rows.flatMap((row) => {
    const { unit } = row
    if (!isMeterUnit(unit)) return []
    return {
      id: row.id,
      gateway: gatewayId(row.gateway_id),
      bus: row.bus,
      address: row.address,
      deviceId: row.device_id,
      manufacturer: row.manufacturer,
      obis: row.obis,
      at: row.at,
      raw: row.raw.toString(),
      scaler: row.scaler,
      unit,
      status: row.status,
      exchangeId: row.exchange_id,
      exchangeDay: row.exchange_day,
      reason: row.reason
    }
  })
}

export async function markAdopted(client: PoolClient, ids: readonly bigint[]): Promise<void> {
  if (ids.length === 0) return
  await client.query('update metering.unassigned set adopted_at = now() where id = any($1::bigint[])', [ids])
}

export async function updateReasons(
  client: PoolClient,
  rows: readonly { readonly id: bigint; readonly reason: UnassignedReason }[]
): Promise<void> {
  if (rows.length === 0) return
  await client.query(
    `update metering.unassigned u set reason = new.reason from unnest($1::bigint[], $2::text[]) as new (id, reason) where u.id = new.id`,
    [rows.map((row) => row.id), rows.map((row) => row.reason)]
  )
}
