import type { Pool } from '@endeks/database/pool'
import { type EpochMs, epochMs, toIso } from '@endeks/domain/time'
import { passwordHash } from './gateway-connection.js'
import { gatewayName, rawInSql, registers, site, tickMs } from './load.js'
import { bus, manufacturer, obisCodes, serialOf } from './messages.js'

/** The first instant of the month before that of `now`. */
export function formerMonth(now: EpochMs): EpochMs {
  const [year, month] = toIso(now).slice(0, 7).split('-').map(Number)
  return epochMs(Date.UTC(year ?? 0, (month ?? 1) - 2, 1))
}

/**
 * Enters fifty gateways, each with two hundred meters of ten registers. Register ids follow the order of gateways and
 * meters, as they do where a site is entered gateway by gateway.
 *
 * @param options.validation without it the utility itself is missing, and validation waits for its zone as it does on a new site
 * @returns the first register's id
 */
export async function enterUtility(pool: Pool, options: { readonly start: EpochMs; readonly validation: boolean }): Promise<bigint> {
  const { start } = options
  if (options.validation) await enterZone(pool)
  const gateways = Array.from({ length: site.gateways }, (_, gateway) => gatewayName(gateway))
  await pool.query('insert into account.gateway (id, name) select g, g from unnest($1::text[]) as t (g)', [gateways])
  await pool.query('insert into account.credential (gateway_id, password_hash) select g, $2 from unnest($1::text[]) as t (g)', [
    gateways,
    passwordHash
  ])
  const meters = site.registersPerGateway / site.registersPerMeter
  const serials = gateways.flatMap((_, gateway) => Array.from({ length: meters }, (_, meter) => serialOf(gateway, meter)))
  await pool.query(
    `with given as (select serial, n, $4::text[] as gateways from unnest($1::text[]) with ordinality as t (serial, n)),
     property as (insert into account.property (kind, label) select 'parcel', serial from given order by n returning id, label),
     point as (insert into account.service_point (property_id, code, commodity) select id, label, 'water' from property returning id, code),
     meter as (insert into account.meter (serial, manufacturer, medium) select serial, $2, 'cold-water' from given order by n returning id, serial),
     installed as (insert into account.installation (meter_id, service_point_id, valid_from)
       select meter.id, point.id, $3::timestamptz from meter join point on point.code = meter.serial)
     insert into account.connection (service_point_id, gateway_id, bus, address, valid_from)
     select point.id, gateways[1 + (n - 1) / $5], $6, serial, $3::timestamptz from given join point on point.code = given.serial`,
    [serials, manufacturer, toIso(epochMs(start - 86_400_000)), gateways, meters, bus]
  )
  const { rows } = await pool.query<{ first: bigint }>(
    `with entered as (
       insert into account.register (meter_id, obis, digits, max_flow_milli_per_hour)
       select m.id, o.obis, 8, 1000000000 from account.meter m cross join unnest($1::text[]) with ordinality as o (obis, n)
       order by m.serial, o.n returning id)
     select min(id) as first from entered`,
    [obisCodes]
  )
  await pool.query('analyze')
  return rows[0]?.first ?? 0n
}

async function enterZone(pool: Pool): Promise<void> {
  await pool.query(
    `insert into account.utility (name, tax_number, tax_office, address, zone, currency, invoice_series, receipt_series, payment_days)
     values ('Measured utility', '1234567890', 'X', 'Y', 'Europe/Istanbul', 'TRY', 'MSR', 'MSP', 10)`
  )
}

/** At most so long may the making of the stored readings take. */
const fillWithinMs = 400_000
const ticksAtOnce = 5

/** Stores readings of all registers at the first ticks of the month, as though they had come long ago. */
export async function fillHistory(
  pool: Pool,
  options: { readonly start: EpochMs; readonly firstRegister: bigint; readonly ticks: number }
): Promise<void> {
  const month = toIso(options.start).slice(0, 10)
  await pool.query('select metering.ensure_partitions($1::date, $1::date)', [month])
  const deadline = performance.now() + fillWithinMs
  for (let tick = 0; tick < options.ticks; tick += ticksAtOnce) {
    if (performance.now() > deadline)
      throw new Error(`${tick * registers} readings were stored in ${fillWithinMs / 1_000} s; ask for fewer`)
    await pool.query(
      `insert into metering.reading (register_id, at, raw, status, scaler, unit, source)
       select $1::bigint + register, $2::timestamptz + tick * $3::integer * interval '1 millisecond', ${rawInSql}, 0, -3, 'm3', 'remote'
       from generate_series($4::integer, $5::integer) as tick, generate_series(0, $6::integer) as register`,
      [options.firstRegister, toIso(options.start), tickMs, tick, Math.min(tick + ticksAtOnce, options.ticks) - 1, registers - 1]
    )
  }
  await pool.query('vacuum (analyze) metering.reading')
}
