import { createHash } from 'node:crypto'
import type { Pool } from '@endeks/database/pool'
import { obis } from '@endeks/domain/metering'
import { type EpochMs, epochMs } from '@endeks/domain/time'
import { encodeReadings, type ParsedReadings, type WireExchange } from '@endeks/domain/wire'
import { hash } from '@node-rs/argon2'

export const waterVolume = obis('8-0:1.0.0*255')
export const password = 'correct horse battery staple'
/** cheap on purpose: the parameters stand in the hash */
const passwordHash = await hash(password, { memoryCost: 1024, timeCost: 1 })

export const installedFrom = '2025-01-01T00:00:00Z'
export const start = epochMs(Date.UTC(2026, 0, 1))
export const hour = 3_600_000

/** A utility with gateways and their credentials. */
export async function enterUtility(pool: Pool, gateways: readonly string[]): Promise<void> {
  await pool.query(
    `insert into account.utility (name, tax_number, tax_office, address, zone, currency, invoice_series, receipt_series, payment_days)
     values ('Test OSB', '1234567890', 'X', 'Y', 'Europe/Istanbul', 'TRY', 'TST', 'TSR', 10)`
  )
  for (const gateway of gateways) {
    await pool.query(`insert into account.gateway (id, name) values ($1, $1)`, [gateway])
    await pool.query(`insert into account.credential (gateway_id, password_hash) values ($1, $2)`, [gateway, passwordHash])
  }
}

export interface EnteredMeter {
  readonly registerId: bigint
  readonly meterId: bigint
  readonly servicePointId: bigint
}

/** A meter with one register at a service point, connected by `address` of the gateway's bus. */
export async function enterMeter(
  pool: Pool,
  where: { readonly gateway: string; readonly address: string; readonly serial: string; readonly from?: string }
): Promise<EnteredMeter> {
  const from = where.from ?? installedFrom
  const { rows } = await pool.query<{ register_id: bigint; meter_id: bigint; service_point_id: bigint }>(
    `with property as (insert into account.property (kind, label) values ('parcel', 'parcel of ' || $3) returning id),
     point as (insert into account.service_point (property_id, code, commodity) select id, 'SP ' || $3, 'water' from property returning id),
     meter as (insert into account.meter (serial, manufacturer, medium) values ($3, 'KAM', 'cold-water') returning id),
     register as (insert into account.register (meter_id, obis, digits, max_flow_milli_per_hour) select id, $5, 8, 1000000000 from meter returning id, meter_id),
     installed as (insert into account.installation (meter_id, service_point_id, valid_from) select meter.id, point.id, $4::timestamptz from meter, point),
     connected as (insert into account.connection (service_point_id, gateway_id, bus, address, valid_from) select id, $1, 'bus', $2, $4::timestamptz from point)
     select register.id as register_id, register.meter_id, point.id as service_point_id from register, point`,
    [where.gateway, where.address, where.serial, from, waterVolume]
  )
  const row = rows[0]
  if (row === undefined) throw new Error('nothing was entered')
  return { registerId: row.register_id, meterId: row.meter_id, servicePointId: row.service_point_id }
}

export interface Told {
  readonly address: string
  readonly serial: string
  readonly values: readonly (readonly [at: EpochMs, raw: bigint])[]
  readonly manufacturer?: string
}

let counter = 0

export function exchangeOf(told: Told, response: Buffer): WireExchange {
  const request = Buffer.from('107b017c16', 'hex')
  return {
    bus: 'bus',
    address: told.address,
    protocol: 'mbus',
    identity: { id: told.serial, manufacturer: told.manufacturer ?? 'KAM', version: 27, medium: 'cold-water' },
    profile: 'ab'.repeat(32),
    keyVersion: 0,
    zone: 'Europe/Istanbul',
    at: told.values[0]?.[0] ?? start,
    request: request.toString('base64'),
    response: response.toString('base64'),
    sha256: createHash('sha256').update(request).update(response).digest('hex')
  }
}

/** A readings message as a gateway would send it, one exchange a meter. */
export function readingsMessage(sequence: number, told: readonly Told[], other: Partial<ParsedReadings> = {}): string {
  const message: ParsedReadings = {
    epoch: '0a1b2c3d',
    lane: 'live',
    sequence,
    exchanges: told.map((each) => {
      counter += 1
      return exchangeOf(each, Buffer.from(`answer ${counter}`))
    }),
    readings: told.flatMap((each, exchange) =>
      each.values.map(([at, raw]) => ({ exchange, obis: waterVolume, at, raw, scaler: -3, unit: 'm3' as const, status: 0 }))
    ),
    ...other
  }
  return JSON.stringify(encodeReadings(message))
}

export async function count(pool: Pool, table: string, where = 'true'): Promise<number> {
  const { rows } = await pool.query<{ n: bigint }>(`select count(*) as n from metering.${table} where ${where}`)
  return Number(rows[0]?.n ?? -1n)
}
