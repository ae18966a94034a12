import type { PoolClient } from '@endeks/database/pool'
import type { EpochMs } from '@endeks/domain/time'
import { toIso } from '@endeks/domain/time'

/** Where a device is connected: a gateway, a bus, an address on it. */
export interface PlaceKey {
  readonly gateway: string
  readonly bus: string
  readonly address: string
}

export interface InstalledMeter {
  readonly from: number
  /** infinite for one that still stands there */
  readonly to: number
  readonly serial: string
  readonly manufacturer: string
  readonly registers: Map<string, bigint>
}

/** A time during which an address belongs to a service point, and the meters that stood there. */
export interface Connection {
  readonly from: number
  readonly to: number
  readonly installations: InstalledMeter[]
}

interface Row {
  readonly n: bigint
  readonly connection_id: bigint
  readonly connected_from: EpochMs | null
  readonly connected_to: EpochMs | null
  readonly installation_id: bigint | null
  readonly installed_from: EpochMs | null
  readonly installed_to: EpochMs | null
  readonly serial: string | null
  readonly manufacturer: string | null
  readonly obis: string | null
  readonly register_id: bigint | null
}

/** What is known of each place, in the order of the keys: every connection that is or was in force, with what stood there. */
export async function readPlaces(client: PoolClient, keys: readonly PlaceKey[]): Promise<Connection[][]> {
  const { rows } = await client.query<Row>({
    name: 'read-places',
    text: `select k.n, c.id as connection_id, nullif(c.valid_from, '-infinity') as connected_from, nullif(c.valid_to, 'infinity') as connected_to,
        i.id as installation_id, nullif(i.valid_from, '-infinity') as installed_from, nullif(i.valid_to, 'infinity') as installed_to,
        m.serial, m.manufacturer, r.obis, r.id as register_id
      from unnest($1::text[], $2::text[], $3::text[]) with ordinality as k (gateway_id, bus, address, n)
      join account.connection c on c.gateway_id = k.gateway_id and c.bus = k.bus and c.address = k.address and c.superseded_at is null
      left join account.installation i on i.service_point_id = c.service_point_id and i.superseded_at is null
      left join account.meter m on m.id = i.meter_id
      left join account.register r on r.meter_id = m.id
      order by k.n, c.id, i.valid_from`,
    values: [keys.map((key) => key.gateway), keys.map((key) => key.bus), keys.map((key) => key.address)]
  })
  const places = keys.map(() => new Map<bigint, { connection: Connection; meters: Map<bigint, InstalledMeter> }>())
  for (const row of rows) {
    const place = places[Number(row.n) - 1]
    let known = place?.get(row.connection_id)
    if (known === undefined) {
      const connection = { from: row.connected_from ?? -Infinity, to: row.connected_to ?? Infinity, installations: [] }
      known = { connection, meters: new Map() }
      place?.set(row.connection_id, known)
    }
    addInstallation(known, row)
  }
  return places.map((place) => [...place.values()].map((each) => each.connection))
}

/** Changes whenever a row is added to what places are read from. */
export async function readAccountVersion(client: PoolClient): Promise<string> {
  const { rows } = await client.query<{ version: string }>(
    `select concat_ws(' ', (select max(id) from account.connection), (select max(id) from account.installation),
       (select max(id) from account.meter), (select max(id) from account.register)) as version`
  )
  return rows[0]?.version ?? ''
}

function addInstallation(place: { connection: Connection; meters: Map<bigint, InstalledMeter> }, row: Row): void {
  if (row.installation_id === null || row.serial === null || row.manufacturer === null) return
  let meter = place.meters.get(row.installation_id)
  if (meter === undefined) {
    meter = {
      from: row.installed_from ?? -Infinity,
      to: row.installed_to ?? Infinity,
      serial: row.serial,
      manufacturer: row.manufacturer,
      registers: new Map()
    }
    place.meters.set(row.installation_id, meter)
    place.connection.installations.push(meter)
  }
  if (row.obis !== null && row.register_id !== null) meter.registers.set(row.obis, row.register_id)
}

/** Whether a register exists, and whether its meter was installed at the instant or removed at it. */
export async function readRegisterAt(
  client: PoolClient,
  registerId: bigint,
  at: EpochMs
): Promise<{ readonly known: boolean; readonly installed: boolean }> {
  const { rows } = await client.query<{ installed: boolean }>(
    `select exists (select from account.installation i where i.meter_id = r.meter_id and i.superseded_at is null
       and i.valid_from <= $2::timestamptz and coalesce(i.valid_to, 'infinity') >= $2::timestamptz) as installed
     from account.register r where r.id = $1`,
    [registerId, toIso(at)]
  )
  return { known: rows[0] !== undefined, installed: rows[0]?.installed ?? false }
}
