import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { testDatabase } from '@endeks/database/testing'
import t from 'tap'
import { commoditySql } from '../../grafana/src/consumption.js'
import { provisioningFiles } from '../../grafana/src/files.js'
import { expandMacros, rawSqlOf } from './macros.js'

const folder = fileURLToPath(new URL('../../../grafana/provisioning/', import.meta.url))

t.test('the provisioning files are what their sources say', (t) => {
  for (const file of provisioningFiles()) t.equal(readFileSync(`${folder}${file.path}`, 'utf8'), file.text, file.path)
  t.end()
})

// Goal: every panel's SQL runs as the role that Grafana has, and gives what was put there.
// Method: two meters with days of consumption, one of them moved; macros expanded as the data source does it.
t.test('every panel runs as endeks_grafana', async (t) => {
  const database = await testDatabase(t)
  const admin = database.createPool()
  await admin.query(`
    SELECT metering.ensure_partitions('2026-10-01', '2026-11-01');
    WITH place AS (
      INSERT INTO account.property (kind, label) VALUES ('parcel', '142/7') RETURNING id
    ), point AS (
      INSERT INTO account.service_point (property_id, code, commodity)
      SELECT place.id, kind.code, kind.commodity FROM place, (VALUES ('SU-1', 'water'), ('SU-2', 'water'), ('GAZ-1', 'gas')) AS kind (code, commodity)
      RETURNING id, code
    ), meter AS (
      INSERT INTO account.meter (serial, manufacturer, medium) VALUES ('68204417', 'KAM', 'cold-water'), ('70000001', 'ELS', 'gas') RETURNING id, serial
    ), register AS (
      INSERT INTO account.register (meter_id, obis, digits, max_flow_milli_per_hour)
      SELECT id, '8-0:1.0.0*255', 8, 100000000 FROM meter RETURNING id, meter_id
    ), installed AS (
      INSERT INTO account.installation (meter_id, service_point_id, valid_from, valid_to)
      SELECT meter.id, point.id, stay.since::timestamptz, stay.until::timestamptz
      FROM (VALUES ('68204417', 'SU-1', '2026-01-01Z', '2026-10-02T09:00Z'), ('68204417', 'SU-2', '2026-10-02T09:00Z', NULL), ('70000001', 'GAZ-1', '2026-01-01Z', NULL))
        AS stay (serial, code, since, until)
      JOIN meter USING (serial) JOIN point USING (code)
    )
    INSERT INTO metering.daily_consumption (register_id, day, amount_milli, unit, quality)
    SELECT register.id, days.day::date, days.amount, days.unit, 'measured'
    FROM (VALUES ('68204417', '2026-10-01', 38214000, 'L'), ('68204417', '2026-10-02', 1000000, 'L'), ('70000001', '2026-10-02', 5500000000, 'Wh'))
      AS days (serial, day, amount, unit)
    JOIN meter USING (serial) JOIN register ON register.meter_id = meter.id`)
  const grafana = database.createPool('endeks_grafana')
  const commodities = await grafana.query<{ commodity: string }>(commoditySql)
  t.same(
    commodities.rows.map((row) => row.commodity),
    ['gas', 'water']
  )
  const panels = provisioningFiles()
    .filter((file) => file.path.endsWith('.json'))
    .flatMap((file) => rawSqlOf(JSON.parse(file.text)))
  t.equal(panels.length, 1)
  for (const sql of panels) {
    const expanded = expandMacros(sql, {
      from: '2026-10-01T00:00:00Z',
      to: '2026-10-31T00:00:00Z',
      variables: { commodity: commodities.rows.map((row) => row.commodity) }
    })
    const { rows } = await grafana.query<{ metric: string; value: number }>(expanded)
    t.same(
      rows.map((row) => [row.metric, row.value]),
      [
        ['68204417 water', 38.214],
        ['68204417 water', 1],
        ['70000001 gas', 5500]
      ],
      'the day of the move is counted once'
    )
  }
  await t.rejects(grafana.query('SELECT * FROM account.person'), { code: '42501' }, 'names stay out of its reach')
})
