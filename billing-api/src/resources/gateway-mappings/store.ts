import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'
import { profileHash } from '@endeks/gateway/codec'
import { type GatewayFormat, gatewayFormats, type KeptMessage } from '@endeks/ingest/formats'
import { sql } from 'kysely'
import { asJson, type Database, execute, first, rows } from '../../store/query.js'
import type { CheckedMapping } from './check.js'
import type { GatewayMapping, MappedDevice, MappedKey } from './schema.js'

interface StoredMapping {
  readonly format: string
  readonly keys: MappedKey[]
  readonly devices: MappedDevice[]
}

/** What is entered for a gateway now. @throws {AppError} GATEWAY_NOT_FOUND */
export async function readMapping(database: Database, gateway: string): Promise<GatewayMapping> {
  const row = await first(
    database,
    sql<StoredMapping>`select g.format,
        coalesce((select jsonb_agg(jsonb_build_object('device', device, 'key', key, 'obis', obis, 'unit', unit, 'scaler', scaler)
          order by device collate "C" nulls first, key collate "C") from account.foreign_key where gateway_id = g.id and superseded_at is null), '[]') as keys,
        coalesce((select jsonb_agg(jsonb_build_object('device', device, 'serial', serial) order by device collate "C")
          from account.foreign_device where gateway_id = g.id and superseded_at is null), '[]') as devices
      from account.gateway g where g.id = ${gateway}`
  )
  if (row === undefined) throw new AppError('GATEWAY_NOT_FOUND', `there is no gateway ${gateway}`)
  const { keys, devices } = row
  const format = formatOf(row.format)
  return { gateway, format, keys, devices, version: profileHash({ format, keys, devices }) }
}

function formatOf(text: string): GatewayFormat {
  const format = gatewayFormats.find((each) => each === text)
  if (format === undefined) throw new AppError('INTERNAL', `a gateway speaks ${text}, which this version does not know`)
  return format
}

/** Holds off whoever else would replace it, until the transaction ends. */
export async function lockGateway(database: Database, gateway: string): Promise<void> {
  await execute(database, sql`select 1 from account.gateway where id = ${gateway} for no key update`)
}

export interface Replaced {
  readonly added: number
  readonly removed: number
}

/** Ends the rows that are not wanted any more and enters the new ones. None is changed or destroyed: what was, stays told. */
export async function replaceMapping(database: Database, gateway: string, { format, keys, devices }: CheckedMapping): Promise<Replaced> {
  await execute(database, sql`update account.gateway set format = ${format} where id = ${gateway} and format <> ${format}`)
  const wantedKeys = sql`jsonb_to_recordset(${asJson(keys)}::jsonb) as w (device text, key text, obis text, unit text, scaler smallint)`
  const sameKey = sql`k.key = w.key and coalesce(k.device, '') = coalesce(w.device, '')
    and (k.obis, k.unit, k.scaler) is not distinct from (w.obis, w.unit, w.scaler)`
  const wantedDevices = sql`jsonb_to_recordset(${asJson(devices)}::jsonb) as w (device text, serial text)`
  const sameDevice = sql`d.device = w.device and d.serial = w.serial`
  const live = sql`gateway_id = ${gateway} and superseded_at is null`
  const removed =
    (await execute(
      database,
      sql`update account.foreign_key k set superseded_at = now() where ${live} and not exists (select 1 from ${wantedKeys} where ${sameKey})`
    )) +
    (await execute(
      database,
      sql`update account.foreign_device d set superseded_at = now() where ${live} and not exists (select 1 from ${wantedDevices} where ${sameDevice})`
    ))
  const added =
    (await execute(
      database,
      sql`insert into account.foreign_key (gateway_id, device, key, obis, unit, scaler)
        select ${gateway}, w.device, w.key, w.obis, w.unit, w.scaler from ${wantedKeys}
        where not exists (select 1 from account.foreign_key k where ${live} and ${sameKey})`
    )) +
    (await execute(
      database,
      sql`insert into account.foreign_device (gateway_id, device, serial) select ${gateway}, w.device, w.serial from ${wantedDevices}
        where not exists (select 1 from account.foreign_device d where ${live} and ${sameDevice})`
    ))
  return { added, removed }
}

interface LetterRow {
  readonly topic: string
  readonly payload: Buffer
  readonly received_at: EpochMs
  readonly read_with: string | null
}

/** The latest messages of a gateway with keys that were not mapped, the last first; those that were taken since are not among them. */
export async function unmappedLetters(database: Database, gateway: string, limit: number): Promise<KeptMessage[]> {
  const found = await rows(
    database,
    sql<LetterRow>`select d.topic, d.payload, d.received_at, p.content as read_with
      from metering.dead_letter d left join metering.profile p on p.hash = d.read_with
      where d.gateway_id = ${gateway} and d.outcome is distinct from 'taken' and d.size = length(d.payload) and d.code = 'MESSAGE_KEY_UNMAPPED'
      order by d.received_at desc, d.id desc limit ${limit}`
  )
  return found.map((row) => ({
    gateway,
    topic: row.topic,
    payload: row.payload,
    receivedAt: row.received_at,
    ...(row.read_with === null ? {} : { readWith: row.read_with })
  }))
}
