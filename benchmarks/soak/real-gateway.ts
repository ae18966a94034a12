import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type EpochMs, epochMs, toIso } from '@endeks/domain/time'
import { gatewaySite, type MeasuredMeter, measuredMeters, simulatedSite } from '../polling/site.js'
import type { Bench } from '../support/bench.js'
import { startService } from '../support/child.js'
import { password, passwordHash } from '../support/gateway-connection.js'

/** The product's gateway reading simulated meters, and what simulates them. */
export interface RealGateway {
  readonly gateway: { readonly pid: number }
  readonly simulator: { readonly pid: number }
  stop(): Promise<void>
}

const name = 'GW-REAL'

/** Starts a gateway that reads its meters each `everyMs` and sends what they say to the bench's ingest. */
export async function startRealGateway(bench: Bench, everyMs: number): Promise<RealGateway> {
  const meters = measuredMeters().filter((meter) => meter.kind === 'healthy')
  await enterMeters(bench, meters)
  const { directory } = bench.cluster
  const file = (fileName: string, content: unknown): string => {
    const path = join(directory, fileName)
    writeFileSync(path, JSON.stringify(content))
    return path
  }
  const simulator = await startService('firmware-sim', {
    arguments: ['run', file('simulated.json', simulatedSite(meters))],
    log: join(directory, 'firmware-sim.log')
  })
  try {
    const ports = new Map(Object.entries(simulator.ready['ports'] as Record<string, number>))
    const mqttUrl = `mqtt://127.0.0.1:${bench.ingest.port}`
    const gateway = await startService('gateway', {
      arguments: ['run', file('gateway.json', gatewaySite(meters, { gateway: name, mqttUrl, everyMs, ports }))],
      environment: { ENDEKS_SPOOL: join(directory, 'spool'), ENDEKS_MQTT_PASSWORD: password },
      log: join(directory, 'gateway.log')
    })
    return {
      ...{ gateway, simulator },
      stop: async () => {
        await gateway.stop()
        await simulator.stop()
      }
    }
  } catch (thrown) {
    await simulator.stop()
    throw thrown
  }
}

async function enterMeters({ cluster: { pool }, start }: Bench, meters: readonly MeasuredMeter[]): Promise<void> {
  const from = toIso(epochMs(start - 86_400_000))
  await pool.query('insert into account.gateway (id, name) values ($1, $1)', [name])
  await pool.query('insert into account.credential (gateway_id, password_hash) values ($1, $2)', [name, passwordHash])
  await pool.query(
    `with given as (select * from unnest($1::text[], $2::text[], $3::text[]) as t (serial, bus, address)),
     property as (insert into account.property (kind, label) select 'parcel', serial from given returning id, label),
     point as (insert into account.service_point (property_id, code, commodity) select id, label, 'water' from property returning id, code),
     meter as (insert into account.meter (serial, manufacturer, medium) select serial, 'END', 'cold-water' from given returning id, serial),
     register as (insert into account.register (meter_id, obis, digits, max_flow_milli_per_hour) select id, '8-0:1.0.0*255', 8, 1000000000 from meter),
     installed as (insert into account.installation (meter_id, service_point_id, valid_from)
       select meter.id, point.id, $4::timestamptz from meter join point on point.code = meter.serial)
     insert into account.connection (service_point_id, gateway_id, bus, address, valid_from)
     select point.id, $5, bus, address, $4::timestamptz from given join point on point.code = given.serial`,
    [meters.map(({ index }) => String(60_000_000 + index)), meters.map(({ bus }) => bus), meters.map(({ address }) => address), from, name]
  )
}

/** Readings that came from it since an instant, and those of them that found no register. */
export async function readingsOf(
  { cluster: { pool } }: Bench,
  since: EpochMs
): Promise<{ readonly stored: number; readonly aside: number }> {
  const { rows } = await pool.query<{ stored: number; aside: number }>(
    `select (select count(*)::integer from metering.reading where at >= $1::timestamptz) as stored,
       (select count(*)::integer from metering.unassigned where gateway_id = $2) as aside`,
    [toIso(since), name]
  )
  return rows[0] ?? { stored: 0, aside: 0 }
}
