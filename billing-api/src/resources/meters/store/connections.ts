import { type EpochMs, fromIso, toIso } from '@endeks/domain/time'
import { sql } from 'kysely'
import { asJson, type Database, execute, rows } from '../../../store/query.js'
import { differing, keyOf, missingOf, type Outcome, refuse, refuseRepeated } from '../../../store/standing.js'
import { type Ending, endDiffers, endsIt } from './ends.js'
import { pointProblem, spanProblems } from './installations.js'

export interface NewConnection {
  readonly gateway: string
  readonly bus: string
  readonly address: string
  readonly servicePoint: string
  readonly from: string
  readonly to?: string
}

interface Resolved {
  readonly place: number
  readonly gateway_known: boolean
  readonly service_point_id: bigint | null
  readonly standing: bigint | null
  readonly standing_point: string | null
  readonly standing_to: EpochMs | null
}

/** @throws {AppError} GATEWAY_NOT_FOUND or SERVICE_POINT_NOT_FOUND, ALREADY_EXISTS for one that leads elsewhere */
export async function addConnections(database: Database, items: readonly NewConnection[], ending: Ending): Promise<Outcome> {
  refuseRepeated('connections', items, (item) => keyOf(item.gateway, item.bus, item.address, toIso(fromIso(item.from))))
  refuse('VALIDATION', spanProblems('connections', items))
  const records = items.map((item, place) => ({ ...item, place, service_point: item.servicePoint }))
  const resolved = await rows(
    database,
    sql<Resolved>`
      select i.place, gateway.id is not null as gateway_known, point.id as service_point_id, standing.id as standing, place.code as standing_point,
        standing.valid_to as standing_to
      from jsonb_to_recordset(${asJson(records)}::jsonb)
        as i (place integer, gateway text, bus text, address text, service_point text, "from" timestamptz)
      left join account.gateway on gateway.id = i.gateway
      left join account.service_point point on point.code = i.service_point
      left join account.connection standing on standing.gateway_id = i.gateway and standing.bus = i.bus and standing.address = i.address
        and standing.valid_from = i."from" and standing.superseded_at is null
      left join account.service_point place on place.id = standing.service_point_id
      order by i.place`
  )
  const strangers = resolved.filter((row) => !row.gateway_known)
  refuse(
    'GATEWAY_NOT_FOUND',
    strangers.map(({ place }) => ({ path: `/connections/${place}/gateway`, message: `there is no gateway ${items[place]?.gateway}` }))
  )
  const nowhere = resolved.filter((row) => row.service_point_id === null)
  refuse(
    'SERVICE_POINT_NOT_FOUND',
    nowhere.map(({ place }) => pointProblem('connections', items, place))
  )
  const { missing, unchanged } = missingOf<Resolved, Resolved>(
    {
      list: 'connections',
      label: ({ place }) => `the connection ${items[place]?.gateway} ${items[place]?.bus} ${items[place]?.address}`,
      differences: (row) => {
        const item = items[row.place]
        return [
          ...differing({ 'service point': [item?.servicePoint, row.standing_point] }),
          ...(endDiffers(item?.to, row.standing_to, ending) ? ['end'] : [])
        ]
      }
    },
    resolved,
    (row) => (row.standing === null ? undefined : row)
  )
  const ended = resolved.filter((row) => row.standing !== null && endsIt(items[row.place]?.to, row.standing_to))
  await execute(
    database,
    sql`update account.connection set superseded_at = now()
      where id in (select (jsonb_array_elements_text(${asJson(ended.map((row) => row.standing))}::jsonb))::bigint)`
  )
  const made = [...ended, ...missing].map((row) => ({ ...items[row.place], point: row.service_point_id }))
  await execute(
    database,
    sql`insert into account.connection (service_point_id, gateway_id, bus, address, valid_from, valid_to)
      select i.point, i.gateway, i.bus, i.address, i."from", i."to"
      from jsonb_to_recordset(${asJson(made)}::jsonb)
        as i (point bigint, gateway text, bus text, address text, "from" timestamptz, "to" timestamptz)`
  )
  return { created: made.length, unchanged: unchanged - ended.length }
}
