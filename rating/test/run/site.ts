import { readFileSync } from 'node:fs'
import type { Pool } from '@endeks/database/pool'
import { checkTariff, type TariffDocument } from '../../src/tariff/index.js'
import { tariffHash } from '../../src/tariff-hash.js'

const tariffFile = new URL('../../../tariffs/osb-sanayi.json', import.meta.url)

/** The rates that the shipped tariff's classes need; the accruals of these tests are of 2026. */
const kdv = { water: '0.01', wastewater: '0.20', general: '0.20' }

export function shippedTariff(): TariffDocument {
  const table = Object.fromEntries(Object.entries(kdv).map(([kdvClass, rate]) => [kdvClass, [{ from: '2022-01-01', rate }]]))
  const checked = checkTariff(JSON.parse(readFileSync(tariffFile, 'utf8')), table)
  if (!checked.ok) throw new Error(JSON.stringify(checked.error))
  return checked.value
}

/**
 * Subscriptions with a meter each, month-end readings and their segments from January 2026 on, written as the services that own
 * them would. Meter n uses 100 m3 + n m3 a month, so every amount can be told from its number.
 */
export async function seedSite(admin: Pool, { subscriptions, months }: { subscriptions: number; months: number }): Promise<void> {
  const tariff = shippedTariff()
  await admin.query(`INSERT INTO account.utility (name, tax_number, tax_office, address, zone, currency, invoice_series, receipt_series, payment_days)
    VALUES ('Endeks OSB', '0010213576', 'Merkez', 'Sanayi Caddesi 1', 'Europe/Istanbul', 'TRY', 'END', 'MKB', 10)`)
  for (const [kdvClass, rate] of Object.entries(kdv)) {
    await admin.query('INSERT INTO account.parameter (name, valid_from, value) VALUES ($1, $2, $3)', [
      `kdv.${kdvClass}`,
      '2022-01-01',
      { rate }
    ])
  }
  await admin.query(`INSERT INTO account.tariff (code, name_tr, name_en) VALUES ('sanayi', 'Sanayi', 'Industry')`)
  await admin.query(
    `INSERT INTO account.rate_schedule (tariff_id, version, valid_from, document, hash, published_by)
     SELECT id, $1, $2, $3, decode($4, 'hex'), 'test' FROM account.tariff`,
    [tariff.version, tariff.validFrom, JSON.stringify(tariff), tariffHash(tariff)]
  )
  await admin.query(`SELECT metering.ensure_partitions('2025-12-01', '2026-12-31')`)
  await admin.query(accounts, [subscriptions])
  await admin.query(`SELECT setval('account.registry_no', 100000 + $1)`, [subscriptions])
  await admin.query(readings, [subscriptions, months])
}

const accounts = `
  WITH n AS (SELECT n FROM generate_series(1, $1::integer) n),
  person AS (INSERT INTO account.person (kind, name, name_folded) SELECT 'organisation', 'Firma ' || n, 'firma ' || n FROM n ORDER BY n RETURNING id),
  participant AS (INSERT INTO account.participant (registry_no, person_id, ownership_status)
    SELECT 100000 + row_number() OVER (ORDER BY id), id, 'owner' FROM person RETURNING id, registry_no - 100000 AS n),
  property AS (INSERT INTO account.property (kind, label) SELECT 'parcel', '142/' || n FROM n RETURNING id, split_part(label, '/', 2)::integer AS n),
  point AS (INSERT INTO account.service_point (code, property_id, commodity) SELECT 'P-' || n, id, 'water' FROM property RETURNING id, split_part(code, '-', 2)::integer AS n),
  contract AS (INSERT INTO account.contract (participant_id, number, signed_on) SELECT id, 'C-' || n, '2025-12-01' FROM participant RETURNING id, split_part(number, '-', 2)::integer AS n),
  subscription AS (INSERT INTO account.subscription (contract_id, number, commodity, route, opened_at)
    SELECT id, 'S-' || n, 'water', 'R1', '2025-12-31T21:00:00Z' FROM contract RETURNING id, split_part(number, '-', 2)::integer AS n),
  supply AS (INSERT INTO account.supply (service_point_id, subscription_id, valid_from, recorded_at)
    SELECT point.id, subscription.id, '2025-12-31T21:00:00Z', '2026-01-01' FROM point JOIN subscription USING (n)),
  assigned AS (INSERT INTO account.tariff_assignment (subscription_id, tariff_id, valid_from, recorded_at)
    SELECT s.id, t.id, '2025-12-31T21:00:00Z', '2026-01-01' FROM subscription s CROSS JOIN account.tariff t),
  meter AS (INSERT INTO account.meter (serial, manufacturer, medium) SELECT (68200000 + n)::text, 'KAM', 'cold-water' FROM n RETURNING id, serial::integer - 68200000 AS n),
  register AS (INSERT INTO account.register (meter_id, obis, digits, max_flow_milli_per_hour) SELECT id, '8-0:1.0.0*255', 9, 100000000 FROM meter)
  INSERT INTO account.installation (meter_id, service_point_id, valid_from, recorded_at)
  SELECT meter.id, point.id, '2025-12-31T21:00:00Z', '2026-01-01' FROM meter JOIN point USING (n)`

const readings = `
  WITH indexed AS (
    SELECT r.id AS register_id, m.serial::integer - 68200000 AS n, g.month, (date '2026-01-01' + make_interval(months => g.month))::timestamp AT TIME ZONE 'Europe/Istanbul' AS at
    FROM account.register r JOIN account.meter m ON m.id = r.meter_id CROSS JOIN generate_series(0, $2::integer) AS g (month)
    WHERE m.serial::integer <= 68200000 + $1::integer),
  read AS (INSERT INTO metering.reading (register_id, at, raw, status, scaler, unit, source)
    SELECT register_id, at, (1000 + month * (100 + n)) * 1000, 0, -3, 'm3', 'hand-held' FROM indexed)
  INSERT INTO metering.segment (register_id, from_at, to_at, amount_milli, from_raw, to_raw, recorded_at, revision, scaler, meter_unit, unit, quality, rule)
  SELECT a.register_id, a.at, b.at, (100 + a.n) * 1000000::bigint, (1000 + a.month * (100 + a.n)) * 1000, (1000 + b.month * (100 + b.n)) * 1000,
    '2026-01-01', 1, -3, 'm3', 'L', 'measured', 'difference'
  FROM indexed a JOIN indexed b ON b.register_id = a.register_id AND b.month = a.month + 1`
