import { type EpochMs, fromIso } from '@endeks/domain/time'
import { sql } from 'kysely'
import { asJson, type Database, execute, rows } from '../../../store/query.js'
import { differing, missingOf, type Outcome, type Problem, refuse, refuseRepeated } from '../../../store/standing.js'
import type { NewSubscription } from '../schema.js'
import { checkShares, lockSupplies, type WantedShare } from './shares.js'

interface Resolved {
  readonly place: number
  readonly participant_id: bigint | null
  readonly tariff_id: bigint | null
  /** whose the contract of that number is, when there is one */
  readonly contract_participant: bigint | null
  readonly missing_points: string[]
  /** points of another commodity than the subscription's, each as a sentence about it */
  readonly foreign_points: string[]
  /** what its tariff's versions price by */
  readonly units: string[]
  readonly standing: Standing | null
}

interface Standing {
  readonly contract: string
  readonly participant: string
  readonly commodity: string
  readonly route: string
  readonly opened: number
  readonly tariff: string | null
  readonly supplies: string[]
}

/**
 * Subscriptions with their contract, their supplies and their tariff, all from the day they open. A contract of that number
 * is joined when it is the same participant's.
 *
 * @throws {AppError} PARTICIPANT_NOT_FOUND, TARIFF_NOT_FOUND, SERVICE_POINT_NOT_FOUND, ALREADY_EXISTS for one that stands
 * differently, VALIDATION for a point of another commodity, UNIT_MISMATCH for a tariff that prices by a unit the commodity is not
 * measured in, FACT_OVERLAPS for more of a point than is left
 */
export async function addSubscriptions(database: Database, items: readonly NewSubscription[], zone: string): Promise<Outcome> {
  refuseRepeated('subscriptions', items, (item) => item.number)
  for (const [index, item] of items.entries()) {
    refuseRepeated(`subscriptions/${index}/supplies`, item.supplies, (supply) => supply.servicePoint)
  }
  refuse('VALIDATION', sharedContracts(items))
  await lockSupplies(database)
  const resolved = await resolve(database, items)
  refuseUnknown(items, resolved)
  const { missing, unchanged } = missingOf<Resolved, Standing>(
    {
      list: 'subscriptions',
      label: ({ place }) => `the subscription ${items[place]?.number}`,
      differences: ({ place }, standing) => differences(items[place], standing)
    },
    resolved,
    (row) => row.standing ?? undefined
  )
  refuseUnfit(items, missing)
  await checkShares(database, wantedShares(items, missing))
  await insert(database, items, missing, zone)
  return { created: missing.length, unchanged }
}

/** A contract is one participant's; a new one that two of them name would be made for either. */
function sharedContracts(items: readonly NewSubscription[]): Problem[] {
  const holders = new Map<string, string>()
  return items.flatMap((item, index) => {
    const holder = holders.get(item.contract) ?? item.participant
    holders.set(item.contract, holder)
    if (holder === item.participant) return []
    return [{ path: `/subscriptions/${index}/contract`, message: `${item.contract} is the participant ${holder}'s in this list already` }]
  })
}

async function resolve(database: Database, items: readonly NewSubscription[]): Promise<Resolved[]> {
  const records = items.map((item, place) => ({ ...item, place, points: item.supplies.map((supply) => supply.servicePoint) }))
  return rows(
    database,
    sql<Resolved>`
      select i.place, p.id as participant_id, tariff.id as tariff_id, own.participant_id as contract_participant,
        array(select wanted.code from jsonb_array_elements_text(i.points) as wanted (code)
          where not exists (select from account.service_point point where point.code = wanted.code)) as missing_points,
        array(select point.code || ' is a point of ' || point.commodity from jsonb_array_elements_text(i.points) as wanted (code)
          join account.service_point point on point.code = wanted.code and point.commodity <> i.commodity) as foreign_points,
        array(select distinct v.document->>'unit' from account.rate_schedule v where v.tariff_id = tariff.id) as units,
        case when s.id is not null then jsonb_build_object(
          'contract', held.number, 'participant', holder.registry_no::text, 'commodity', s.commodity, 'route', s.route,
          'opened', floor(extract(epoch from s.opened_at) * 1000),
          'tariff', (select t.code from account.tariff_assignment a join account.tariff t on t.id = a.tariff_id
            where a.subscription_id = s.id and a.valid_from = s.opened_at and a.superseded_at is null),
          'supplies', array(select concat_ws(' ', point.code, supply.sign, supply.share_numerator || '/' || supply.share_denominator)
            from account.supply join account.service_point point on point.id = supply.service_point_id
            where supply.subscription_id = s.id and supply.valid_from = s.opened_at and supply.superseded_at is null)
        ) end as standing
      from jsonb_to_recordset(${asJson(records)}::jsonb)
        as i (place integer, number text, contract text, participant bigint, tariff text, commodity text, points jsonb)
      left join account.participant p on p.registry_no = i.participant
      left join account.tariff on tariff.code = i.tariff
      left join account.contract own on own.number = i.contract
      left join account.subscription s on s.number = i.number
      left join account.contract held on held.id = s.contract_id
      left join account.participant holder on holder.id = held.participant_id
      order by i.place`
  )
}

function refuseUnknown(items: readonly NewSubscription[], resolved: readonly Resolved[]): void {
  const at = (row: Resolved, field: string): string => `/subscriptions/${row.place}/${field}`
  const nobody = resolved.filter((row) => row.participant_id === null)
  refuse(
    'PARTICIPANT_NOT_FOUND',
    nobody.map((row) => ({ path: at(row, 'participant'), message: `there is no participant ${items[row.place]?.participant}` }))
  )
  const free = resolved.filter((row) => row.tariff_id === null)
  refuse(
    'TARIFF_NOT_FOUND',
    free.map((row) => ({ path: at(row, 'tariff'), message: `there is no tariff ${items[row.place]?.tariff}` }))
  )
  refuse(
    'SERVICE_POINT_NOT_FOUND',
    resolved.flatMap((row) =>
      row.missing_points.map((code) => ({ path: at(row, 'supplies'), message: `there is no service point ${code}` }))
    )
  )
  const foreign = resolved.filter((row) => row.contract_participant !== null && row.contract_participant !== row.participant_id)
  refuse(
    'ALREADY_EXISTS',
    foreign.map((row) => ({ path: at(row, 'contract'), message: `the contract ${items[row.place]?.contract} is another participant's` }))
  )
}

/** What each commodity is measured in, so far as a tariff may price by it. */
const unitsOf: Readonly<Record<NewSubscription['commodity'], readonly string[]>> = {
  water: ['m3', 'L'],
  wastewater: ['m3', 'L'],
  gas: ['kWh', 'm3'],
  heat: ['MJ', 'kWh']
}

/** New ones only: what stands was accepted, and an import that names it again is not the place to object. */
function refuseUnfit(items: readonly NewSubscription[], missing: readonly Resolved[]): void {
  refuse(
    'VALIDATION',
    missing.flatMap((row) =>
      row.foreign_points.map((point) => ({
        path: `/subscriptions/${row.place}/supplies`,
        message: `${point}, the subscription is of ${items[row.place]?.commodity}`
      }))
    )
  )
  refuse(
    'UNIT_MISMATCH',
    missing.flatMap((row) => {
      const item = items[row.place]
      const unfit = item === undefined ? [] : row.units.filter((unit) => !unitsOf[item.commodity].includes(unit))
      return unfit.map((unit) => ({
        path: `/subscriptions/${row.place}/tariff`,
        message: `${item?.tariff} prices by the ${unit}, ${item?.commodity} is not measured in it`
      }))
    })
  )
}

function wantedShares(items: readonly NewSubscription[], missing: readonly Resolved[]): WantedShare[] {
  return missing.flatMap(({ place }) => {
    const item = items[place]
    if (item === undefined) return []
    return item.supplies.flatMap(({ servicePoint, share = '1/1', sign = 1 }, index) =>
      sign === 1 ? [{ servicePoint, share, from: item.openedAt, path: `/subscriptions/${place}/supplies/${index}` }] : []
    )
  })
}

function differences(item: NewSubscription | undefined, standing: Standing): string[] {
  if (item === undefined) return []
  return differing({
    contract: [item.contract, standing.contract],
    participant: [BigInt(item.participant).toString(), standing.participant],
    commodity: [item.commodity, standing.commodity],
    route: [item.route, standing.route],
    opening: [fromIso(item.openedAt), standing.opened as EpochMs],
    tariff: [item.tariff, standing.tariff],
    'set of supplies': [item.supplies.map(supplyText).sort().join(), [...standing.supplies].sort().join()]
  })
}

function supplyText(supply: NewSubscription['supplies'][number]): string {
  return `${supply.servicePoint} ${supply.sign ?? 1} ${supply.share ?? '1/1'}`
}

async function insert(database: Database, items: readonly NewSubscription[], missing: readonly Resolved[], zone: string): Promise<void> {
  if (missing.length === 0) return
  const records = missing.flatMap((row) => {
    const item = items[row.place]
    return item === undefined ? [] : [{ ...item, participant: row.participant_id, tariff: row.tariff_id }]
  })
  await execute(
    database,
    sql`insert into account.contract (participant_id, number, signed_on)
      select min(i.participant), i.contract, min((i."openedAt" at time zone ${zone})::date)
      from jsonb_to_recordset(${asJson(records)}::jsonb) as i (participant bigint, contract text, "openedAt" timestamptz)
      group by i.contract
      on conflict (number) do nothing`
  )
  await execute(
    database,
    sql`insert into account.subscription (contract_id, number, commodity, route, opened_at)
      select c.id, i.number, i.commodity, i.route, i."openedAt"
      from jsonb_to_recordset(${asJson(records)}::jsonb) as i (number text, contract text, commodity text, route text, "openedAt" timestamptz)
      join account.contract c on c.number = i.contract`
  )
  await execute(
    database,
    sql`insert into account.tariff_assignment (subscription_id, tariff_id, valid_from)
      select s.id, i.tariff, s.opened_at
      from jsonb_to_recordset(${asJson(records)}::jsonb) as i (number text, tariff bigint)
      join account.subscription s on s.number = i.number`
  )
  await execute(
    database,
    sql`insert into account.supply (service_point_id, subscription_id, share_numerator, share_denominator, sign, valid_from)
      select point.id, s.id, split_part(coalesce(each.share, '1/1'), '/', 1)::bigint, split_part(coalesce(each.share, '1/1'), '/', 2)::bigint,
        coalesce(each.sign, 1), s.opened_at
      from jsonb_to_recordset(${asJson(records)}::jsonb) as i (number text, supplies jsonb)
      cross join jsonb_to_recordset(i.supplies) as each ("servicePoint" text, sign smallint, share text)
      join account.subscription s on s.number = i.number
      join account.service_point point on point.code = each."servicePoint"`
  )
}
