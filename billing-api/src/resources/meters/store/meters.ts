import { AppError } from '@endeks/domain/errors'
import { isObis } from '@endeks/domain/metering'
import type { EpochMs } from '@endeks/domain/time'
import { meterUnits, parseScaled } from '@endeks/domain/units'
import { sql } from 'kysely'
import { fitsColumn, literalLike } from '../../../identifiers.js'
import { asJson, type Database, execute, first, rows } from '../../../store/query.js'
import { differing, keyOf, missingOf, type Outcome, refuse, refuseRepeated } from '../../../store/standing.js'

export interface MeterRow {
  readonly id: bigint
  readonly serial: string
  readonly manufacturer: string
  readonly model: string | null
  readonly medium: string
}

export interface RegisterRow {
  readonly id: bigint
  readonly meter_id: bigint
  readonly obis: string
  readonly digits: number
  readonly billed: boolean
  readonly at: EpochMs | null
  readonly raw: bigint | null
  readonly scaler: number | null
  readonly unit: string | null
}

export interface InstallationRow {
  readonly meter_id: bigint
  readonly service_point: string
  readonly property: string
  readonly valid_from: EpochMs
  readonly valid_to: EpochMs | null
}

export async function listMeters(
  database: Database,
  query: { readonly search: string | undefined; readonly after: bigint | undefined; readonly limit: number }
): Promise<MeterRow[]> {
  const prefix = `${literalLike(query.search?.trim() ?? '')}%`
  return rows(
    database,
    sql<MeterRow>`select id, serial, manufacturer, model, medium from account.meter
      where id > ${query.after ?? -1n} and serial ilike ${prefix} order by id limit ${query.limit + 1}`
  )
}

/** @throws {AppError} METER_NOT_FOUND */
export async function getMeter(database: Database, id: bigint | undefined): Promise<MeterRow> {
  const row =
    id === undefined
      ? undefined
      : await first(database, sql<MeterRow>`select id, serial, manufacturer, model, medium from account.meter where id = ${id}`)
  if (row === undefined) throw new AppError('METER_NOT_FOUND', 'there is no such meter')
  return row
}

/** @throws {AppError} METER_NOT_FOUND */
export async function findMeterId(database: Database, serial: string, manufacturer: string): Promise<bigint> {
  const row = await first(
    database,
    sql<{ id: bigint }>`select id from account.meter where serial = ${serial} and manufacturer = ${manufacturer}`
  )
  if (row === undefined) throw new AppError('METER_NOT_FOUND', `there is no meter ${manufacturer} ${serial}`)
  return row.id
}

/** The registers of these meters, each with its last index. */
export async function registersOf(database: Database, meterIds: readonly bigint[]): Promise<RegisterRow[]> {
  return rows(
    database,
    sql<RegisterRow>`
      select r.id, r.meter_id, r.obis, r.digits, r.billed, last.at, last.raw, last.scaler, last.unit
      from account.register r
      left join lateral (select at, raw, scaler, unit from metering.reading where register_id = r.id order by at desc limit 1) last on true
      where r.meter_id in (select (jsonb_array_elements_text(${asJson(meterIds)}::jsonb))::bigint)
      order by r.id`
  )
}

/** The registers of a meter that are billed. */
export async function billedRegisters(database: Database, meterId: bigint): Promise<bigint[]> {
  const found = await rows(
    database,
    sql<{ id: bigint }>`select id from account.register where meter_id = ${meterId} and billed order by id`
  )
  return found.map((row) => row.id)
}

/** Where these meters stood and stand, newest first. */
export async function installationsOf(database: Database, meterIds: readonly bigint[]): Promise<InstallationRow[]> {
  return rows(
    database,
    sql<InstallationRow>`
      select i.meter_id, point.code as service_point, property.label as property, i.valid_from, i.valid_to
      from account.installation i
      join account.service_point point on point.id = i.service_point_id
      join account.property on property.id = point.property_id
      where i.superseded_at is null and i.meter_id in (select (jsonb_array_elements_text(${asJson(meterIds)}::jsonb))::bigint)
      order by i.valid_from desc`
  )
}

export interface NewMeter {
  readonly serial: string
  readonly manufacturer: string
  readonly model?: string
  readonly medium: string
  readonly registers: readonly {
    readonly obis: string
    readonly digits: number
    readonly maxPerHour: { readonly value: string; readonly unit: 'm3' | 'kWh' | 'MJ' }
    /** true unless told; one of several has to be told */
    readonly billed?: boolean
  }[]
}

interface StandingMeter {
  readonly serial: string
  readonly manufacturer: string
  readonly model: string | null
  readonly medium: string
  readonly registers: string[]
}

/** @throws {AppError} ALREADY_EXISTS for one that stands differently, VALIDATION for one given twice or registers that can't be */
export async function addMeters(database: Database, items: readonly NewMeter[]): Promise<Outcome> {
  refuseRepeated('meters', items, meterKey)
  checkRegisters(items)
  const found = await rows(
    database,
    sql<StandingMeter>`
      select m.serial, m.manufacturer, m.model, m.medium,
        array(select concat_ws(' ', r.obis, r.digits, r.max_flow_milli_per_hour, r.billed) from account.register r where r.meter_id = m.id) as registers
      from account.meter m where m.serial in (select jsonb_array_elements_text(${asJson(items.map((item) => item.serial))}::jsonb))`
  )
  const byKey = new Map(found.map((row) => [meterKey(row), row]))
  const { missing, unchanged } = missingOf<NewMeter, StandingMeter>(
    {
      list: 'meters',
      label: (item) => `the meter ${item.manufacturer} ${item.serial}`,
      differences: (item, row) =>
        differing({
          model: [item.model, row.model],
          medium: [item.medium, row.medium],
          'set of registers': [item.registers.map(registerText).sort().join(), [...row.registers].sort().join()]
        })
    },
    items,
    (item) => byKey.get(meterKey(item))
  )
  await insertMeters(database, missing)
  return { created: missing.length, unchanged }
}

function meterKey(meter: { readonly serial: string; readonly manufacturer: string }): string {
  return keyOf(meter.serial, meter.manufacturer)
}

function registerText(register: NewMeter['registers'][number]): string {
  return `${register.obis} ${register.digits} ${maxFlowMilli(register)} ${register.billed === false ? 'f' : 't'}`
}

function registerRecord(register: NewMeter['registers'][number]): object {
  return { obis: register.obis, digits: register.digits, flow: maxFlowMilli(register), billed: register.billed ?? true }
}

/** The physical limit in thousandths of the base unit an hour. */
function maxFlowMilli(register: NewMeter['registers'][number]): bigint {
  const places = meterUnits[register.maxPerHour.unit].milli.toString().length - 1
  return parseScaled(register.maxPerHour.value, places, 'VALIDATION')
}

function checkRegisters(items: readonly NewMeter[]): void {
  const problems = items.flatMap((item, index) =>
    item.registers.flatMap((register, place) => {
      const path = `/meters/${index}/registers/${place}`
      const flow = maxFlowMilli(register)
      return [
        ...(isObis(register.obis) ? [] : [{ path: `${path}/obis`, message: 'is not an OBIS code: each group is 0 to 255' }]),
        ...(flow > 0n && fitsColumn(flow)
          ? []
          : [{ path: `${path}/maxPerHour/value`, message: 'must be more than zero and physically possible' }]),
        ...(item.registers.findIndex((each) => each.obis === register.obis) === place
          ? []
          : [{ path: `${path}/obis`, message: 'is another register of this meter' }]),
        ...(item.registers.length === 1 || register.billed !== undefined
          ? []
          : [
              {
                path: `${path}/billed`,
                message: 'must be told of each of several registers: true for what is billed, false for the others'
              }
            ])
      ]
    })
  )
  refuse('VALIDATION', problems)
}

async function insertMeters(database: Database, missing: readonly NewMeter[]): Promise<void> {
  if (missing.length === 0) return
  const meters = missing.map(({ serial, manufacturer, model, medium }) => ({ serial, manufacturer, model, medium }))
  const registers = missing.flatMap(({ serial, manufacturer, registers: each }) =>
    each.map((register, place) => ({ serial, manufacturer, place, ...registerRecord(register) }))
  )
  await execute(
    database,
    sql`with made as (
        insert into account.meter (serial, manufacturer, model, medium)
        select i.serial, i.manufacturer, i.model, i.medium
        from jsonb_to_recordset(${asJson(meters)}::jsonb) as i (serial text, manufacturer text, model text, medium text)
        returning id, serial, manufacturer
      )
      insert into account.register (meter_id, obis, digits, max_flow_milli_per_hour, billed)
      select made.id, i.obis, i.digits, i.flow, i.billed
      from jsonb_to_recordset(${asJson(registers)}::jsonb) as i (serial text, manufacturer text, place integer, obis text, digits integer,
        flow bigint, billed boolean)
      join made on made.serial = i.serial and made.manufacturer = i.manufacturer order by made.id, i.place`
  )
}
