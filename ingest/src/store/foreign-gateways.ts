import type { Pool } from '@endeks/database/pool'
import { ForeignGateway, gatewayFormats, type KeptKey, keyRowOf, mostMappingRows } from '../formats/foreign-gateway.js'

interface Row {
  readonly format: string
  readonly keys: readonly KeptKey[]
  readonly devices: { device: string; serial: string }[]
}

/** What was entered for a gateway of another maker; a gateway of ours, or one that is not there, has nothing entered. */
export async function readForeignGateway(pool: Pool, gateway: string): Promise<ForeignGateway> {
  const { rows } = await pool.query<Row>({
    name: 'read-foreign-gateway',
    text: `select g.format,
        coalesce((select jsonb_agg(jsonb_build_object('device', k.device, 'key', k.key, 'obis', k.obis, 'unit', k.unit, 'scaler', k.scaler))
          from (select * from account.foreign_key where gateway_id = g.id and superseded_at is null order by id limit $2) k), '[]') as keys,
        coalesce((select jsonb_agg(jsonb_build_object('device', d.device, 'serial', d.serial))
          from (select * from account.foreign_device where gateway_id = g.id and superseded_at is null order by id limit $2) d), '[]') as devices
      from account.gateway g where g.id = $1`,
    values: [gateway, mostMappingRows]
  })
  const row = rows[0]
  const format = gatewayFormats.find((each) => each === row?.format) ?? 'endeks'
  const serials = new Map(row?.devices.map((each) => [each.device, each.serial]))
  return new ForeignGateway(format, row?.keys.map(keyRowOf) ?? [], serials)
}
