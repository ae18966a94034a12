import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'
import { sql } from 'kysely'
import { type Database, first, rows } from '../../store/query.js'

export interface DownlinkRow {
  readonly id: bigint
  readonly meter_id: bigint | null
  readonly serial: string | null
  readonly service_point: string
  readonly gateway_id: string
  readonly bus: string
  readonly address: string
  readonly kind: string
  readonly parameters: Record<string, string>
  readonly requested_by: string
  readonly requested_at: EpochMs
  readonly deadline: EpochMs
  readonly state: 'queued' | 'sent' | 'done' | 'failed' | 'expired'
  readonly effect: 'done' | 'none' | 'unclear' | null
  readonly attempts: number
  readonly sent_at: EpochMs | null
  readonly finished_at: EpochMs | null
  readonly result: Record<string, string | number | boolean> | null
  readonly error_code: string | null
  readonly error_message: string | null
  readonly late_effect: 'done' | 'none' | 'unclear' | null
  readonly late_code: string | null
  readonly late_message: string | null
  readonly late_at: EpochMs | null
}

const columns = sql`
  select d.id, d.meter_id, m.serial, s.code as service_point, d.gateway_id, d.bus, d.address, d.kind, d.parameters, d.requested_by, d.requested_at,
    d.deadline, d.state, d.effect, d.attempts, d.sent_at, d.finished_at, d.result, d.error_code, d.error_message,
    d.late ->> 'effect' as late_effect, d.late ->> 'code' as late_code, d.late ->> 'message' as late_message,
    (d.late ->> 'receivedAt')::timestamptz as late_at
  from metering.downlink d
  join account.service_point s on s.id = d.service_point_id
  left join account.meter m on m.id = d.meter_id`

export interface DownlinkListQuery {
  readonly meter: bigint | undefined
  readonly gateway: string | undefined
  /** the lowest number of the page before */
  readonly before: bigint | undefined
  readonly limit: number
}

/** One page and one row more, newest first. */
export async function listDownlinks(database: Database, query: DownlinkListQuery): Promise<DownlinkRow[]> {
  const meter = query.meter === undefined ? sql`true` : sql`d.meter_id = ${query.meter}`
  const gateway = query.gateway === undefined ? sql`true` : sql`d.gateway_id = ${query.gateway}`
  const before = query.before === undefined ? sql`true` : sql`d.id < ${query.before}`
  return rows(
    database,
    sql<DownlinkRow>`${columns} where ${meter} and ${gateway} and ${before} order by d.id desc limit ${query.limit + 1}`
  )
}

/** @throws {AppError} DOWNLINK_NOT_FOUND */
export async function getDownlink(database: Database, id: bigint | undefined): Promise<DownlinkRow> {
  const row = id === undefined ? undefined : await first(database, sql<DownlinkRow>`${columns} where d.id = ${id}`)
  if (row === undefined) throw new AppError('DOWNLINK_NOT_FOUND', 'there is no command of this number')
  return row
}

/** @throws {AppError} METER_NOT_FOUND */
export async function checkMeter(database: Database, id: bigint | undefined): Promise<bigint> {
  const row = id === undefined ? undefined : await first(database, sql<{ id: bigint }>`select id from account.meter where id = ${id}`)
  if (row === undefined) throw new AppError('METER_NOT_FOUND', 'there is no such meter')
  return row.id
}

/** @throws {AppError} SERVICE_POINT_NOT_FOUND */
export async function servicePointOf(database: Database, code: string): Promise<bigint> {
  const row = await first(database, sql<{ id: bigint }>`select id from account.service_point where code = ${code}`)
  if (row === undefined) throw new AppError('SERVICE_POINT_NOT_FOUND', `there is no service point ${code}`)
  return row.id
}

/** @throws {AppError} GATEWAY_NOT_FOUND */
export async function checkGateway(database: Database, id: string): Promise<void> {
  const row = await first(database, sql<{ id: string }>`select id from account.gateway where id = ${id}`)
  if (row === undefined) throw new AppError('GATEWAY_NOT_FOUND', `there is no gateway ${id}`)
}
