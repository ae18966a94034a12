import { enqueue } from '@endeks/database/commands'
import type { Pool } from '@endeks/database/pool'
import { systemClock } from '@endeks/domain/process'
import { epochMs, toIso } from '@endeks/domain/time'
import { type ChaosMeter, gateways, meters, waterVolume } from './meters.js'

export const password = 'a-password-for-chaos'
/** Cheap on purpose, as it is computed again at every reconnect: the parameters stand in the hash. */
const passwordHash = '$argon2id$v=19$m=1024,t=1,p=1$QGMfW20rmH7nfrSLQjerkg$fwwyXJzenWfGPap/6xIzQO1/gkpxlPoLW3aJKMQ3gIs'

/** Enters the utility, its gateways, and every meter but the late ones. */
export async function enterSite(pool: Pool): Promise<void> {
  await pool.query(
    `insert into account.utility (name, tax_number, tax_office, address, zone, currency, invoice_series, receipt_series, payment_days)
     values ('Deneme OSB', '1234567890', 'X', 'Y', 'Europe/Istanbul', 'TRY', 'TST', 'TSR', 10)`
  )
  for (const gateway of gateways) {
    await pool.query('insert into account.gateway (id, name) values ($1, $1)', [gateway])
    await pool.query('insert into account.credential (gateway_id, password_hash) values ($1, $2)', [gateway, passwordHash])
  }
  for (const meter of meters) if (!meter.late) await enterMeter(pool, meter)
}

async function enterMeter(pool: Pool, { gateway, bus, address, serial }: ChaosMeter): Promise<void> {
  await pool.query(
    `with property as (insert into account.property (kind, label) values ('parcel', 'parcel of ' || $4) returning id),
     point as (insert into account.service_point (property_id, code, commodity) select id, 'SP ' || $4, 'water' from property returning id),
     meter as (insert into account.meter (serial, manufacturer, medium) values ($4, 'END', 'cold-water') returning id),
     register as (insert into account.register (meter_id, obis, digits, max_flow_milli_per_hour) select id, $5, 8, 1000000000000 from meter),
     installed as (insert into account.installation (meter_id, service_point_id, valid_from) select meter.id, point.id, '2020-01-01Z' from meter, point)
     insert into account.connection (service_point_id, gateway_id, bus, address, valid_from) select id, $1, $2, $3, '2020-01-01Z' from point`,
    [gateway, bus, address, serial, waterVolume]
  )
}

/** Enters a meter whose readings have been waiting, and asks for them. */
export async function enterLate(pool: Pool, meter: ChaosMeter): Promise<void> {
  await enterMeter(pool, meter)
  const order = { owner: 'ingest', kind: 'adopt-unassigned', payload: { gatewayId: meter.gateway }, requestedBy: 'chaos' } as const
  await enqueue(pool, { ...order, deadlineMs: 600_000 }, systemClock)
}

/** Somebody wants to know what the first meter of a gateway shows now, or to set its clock, which this meter takes no notice of. */
export async function command(pool: Pool, gateway: string, kind: 'read-now' | 'set-clock'): Promise<void> {
  const meter = meters.find((each) => each.gateway === gateway)
  if (meter === undefined) throw new Error(`${gateway} has no meter`)
  const { bus, address } = meter
  const deadline = toIso(epochMs(systemClock.now() + 600_000))
  const payload = { place: { gateway, bus, address }, kind, parameters: {}, deadline }
  await enqueue(pool, { owner: 'ingest', kind: 'downlink', payload, requestedBy: 'chaos', deadlineMs: 600_000 }, systemClock)
}
