import { AppError } from '@endeks/domain/errors'
import { type EpochMs, fromIso, toIso } from '@endeks/domain/time'
import { sql } from 'kysely'
import { asJson, type Database, execute, first, rows } from '../../../store/query.js'
import { keyOf, missingOf, type Outcome, type Problem, refuse, refuseRepeated } from '../../../store/standing.js'
import { type Ending, endDiffers, endsIt } from './ends.js'

export interface NewInstallation {
  readonly meter: { readonly serial: string; readonly manufacturer: string }
  readonly servicePoint: string
  readonly from: string
  readonly to?: string
}

interface Resolved {
  readonly place: number
  readonly meter_id: bigint | null
  readonly service_point_id: bigint | null
  readonly standing: bigint | null
  readonly standing_to: EpochMs | null
}

/**
 * @throws {AppError} METER_NOT_FOUND or SERVICE_POINT_NOT_FOUND, ALREADY_EXISTS for one that ends at another time, and what
 * the database says of an overlap (FACT_OVERLAPS)
 */
export async function addInstallations(database: Database, items: readonly NewInstallation[], ending: Ending): Promise<Outcome> {
  refuseRepeated('installations', items, (item) => keyOf(item.meter.serial, item.meter.manufacturer, toIso(fromIso(item.from))))
  refuse('VALIDATION', spanProblems('installations', items))
  const resolved = await rows(
    database,
    sql<Resolved>`
      select i.place, meter.id as meter_id, point.id as service_point_id, standing.id as standing, standing.valid_to as standing_to
      from jsonb_to_recordset(${asJson(items.map(toRecord))}::jsonb)
        as i (place integer, serial text, manufacturer text, service_point text, valid_from timestamptz)
      left join account.meter on meter.serial = i.serial and meter.manufacturer = i.manufacturer
      left join account.service_point point on point.code = i.service_point
      left join account.installation standing on standing.meter_id = meter.id and standing.service_point_id = point.id
        and standing.valid_from = i.valid_from and standing.superseded_at is null
      order by i.place`
  )
  refuse(
    'METER_NOT_FOUND',
    unknown(resolved, 'meter_id', (place) => meterProblem(items, place))
  )
  refuse(
    'SERVICE_POINT_NOT_FOUND',
    unknown(resolved, 'service_point_id', (place) => pointProblem('installations', items, place))
  )
  const places = resolved.map((row) => ({ row, item: items[row.place] }))
  const { missing, unchanged } = missingOf<(typeof places)[number], EpochMs | null>(
    {
      list: 'installations',
      label: ({ item }) => `the installation of ${item?.meter.serial} at ${item?.servicePoint} from ${item?.from}`,
      differences: ({ item }, to) => (endDiffers(item?.to, to, ending) ? ['end'] : [])
    },
    places,
    ({ row }) => (row.standing === null ? undefined : row.standing_to)
  )
  const ended = places.filter(({ row, item }) => row.standing !== null && endsIt(item?.to, row.standing_to))
  await execute(
    database,
    sql`update account.installation set superseded_at = now()
      where id in (select (jsonb_array_elements_text(${asJson(ended.map(({ row }) => row.standing))}::jsonb))::bigint)`
  )
  const made = [...ended, ...missing].map(({ row, item }) => ({
    meter: row.meter_id,
    point: row.service_point_id,
    from: item?.from,
    to: item?.to
  }))
  await execute(
    database,
    sql`insert into account.installation (meter_id, service_point_id, valid_from, valid_to)
      select i.meter, i.point, i."from", i."to"
      from jsonb_to_recordset(${asJson(made)}::jsonb) as i (meter bigint, point bigint, "from" timestamptz, "to" timestamptz)`
  )
  return { created: made.length, unchanged: unchanged - ended.length }
}

function toRecord(item: NewInstallation, place: number): object {
  const { serial, manufacturer } = item.meter
  return { place, serial, manufacturer, service_point: item.servicePoint, valid_from: item.from }
}

function unknown(resolved: readonly Resolved[], column: 'meter_id' | 'service_point_id', problem: (place: number) => Problem): Problem[] {
  return resolved.filter((row) => row[column] === null).map((row) => problem(row.place))
}

function meterProblem(items: readonly NewInstallation[], place: number): Problem {
  const meter = items[place]?.meter
  return { path: `/installations/${place}/meter`, message: `there is no meter ${meter?.manufacturer} ${meter?.serial}` }
}

export function pointProblem(list: string, items: readonly { readonly servicePoint: string }[], place: number): Problem {
  return { path: `/${list}/${place}/servicePoint`, message: `there is no service point ${items[place]?.servicePoint}` }
}

/** Spans that end before they begin. */
export function spanProblems(list: string, items: readonly { readonly from: string; readonly to?: string }[]): Problem[] {
  return items.flatMap((item, index) =>
    item.to === undefined || fromIso(item.to) > fromIso(item.from)
      ? []
      : [{ path: `/${list}/${index}/to`, message: 'does not come after its from' }]
  )
}

export interface Dismounted {
  readonly meter_id: bigint
  readonly serial: string
}

/**
 * Ends what stands at a place at this instant. What was known is kept: the row is superseded, and another says until when
 * the meter stood there.
 *
 * @returns the meter that was dismounted, or undefined when the place was empty
 */
export async function dismount(database: Database, servicePoint: string, at: string): Promise<Dismounted | undefined> {
  const row = await first(
    database,
    sql<Dismounted>`
      with ended as (
        update account.installation i set superseded_at = now()
        from account.service_point point
        where point.code = ${servicePoint} and i.service_point_id = point.id and i.superseded_at is null
          and i.valid_from < ${at}::timestamptz and (i.valid_to is null or i.valid_to > ${at}::timestamptz)
        returning i.meter_id, i.service_point_id, i.valid_from
      )
      select ended.meter_id, meter.serial from ended join account.meter on meter.id = ended.meter_id`
  )
  if (row === undefined) return undefined
  // A second statement: within one, the exclusion constraint still sees the row that was superseded.
  await execute(
    database,
    sql`insert into account.installation (meter_id, service_point_id, valid_from, valid_to)
      select i.meter_id, i.service_point_id, i.valid_from, ${at}::timestamptz
      from account.installation i join account.service_point point on point.id = i.service_point_id
      where point.code = ${servicePoint} and i.superseded_at = now() and i.valid_from < ${at}::timestamptz`
  )
  return row
}

/** @throws {AppError} SERVICE_POINT_NOT_FOUND */
export async function checkServicePoint(database: Database, code: string): Promise<void> {
  const row = await first(database, sql<{ id: bigint }>`select id from account.service_point where code = ${code}`)
  if (row === undefined) throw new AppError('SERVICE_POINT_NOT_FOUND', `there is no service point ${code}`)
}
