import { sql } from 'kysely'
import { type Database, first, rows } from '../../../store/query.js'

export interface MonthRow {
  readonly month: string
  readonly unit: string
  readonly amount: bigint
  readonly estimated: boolean
  /** the day after the last one that has a value */
  readonly until: string
}

/**
 * Consumption by month, from the daily values that charts read. A day belongs to whoever held the place at its noon and to
 * the meters that stood there at any time of it.
 *
 * @param first the first day, `end` the day after the last, both of the utility's calendar
 */
export async function monthlyConsumption(
  database: Database,
  query: { readonly participantId: bigint; readonly commodity: string; readonly zone: string; readonly first: string; readonly end: string }
): Promise<MonthRow[]> {
  return rows(
    database,
    sql<MonthRow>`
      select to_char(daily.day, 'YYYY-MM') as month, min(daily.unit) as unit, bool_or(daily.quality <> 'measured') as estimated,
        max(daily.day) + 1 as until,
        trunc(sum(daily.amount_milli::numeric * supply.sign * supply.share_numerator / supply.share_denominator))::bigint as amount
      from account.contract c
      join account.subscription s on s.contract_id = c.id and s.commodity = ${query.commodity}
      join account.supply on supply.subscription_id = s.id and supply.superseded_at is null
      join account.installation i on i.service_point_id = supply.service_point_id and i.superseded_at is null
      join account.register on register.meter_id = i.meter_id
      join metering.daily_consumption daily on daily.register_id = register.id
        and daily.day >= ${query.first}::date and daily.day < ${query.end}::date
        and tstzrange(i.valid_from, i.valid_to)
          && tstzrange(daily.day::timestamp at time zone ${query.zone}, (daily.day + 1)::timestamp at time zone ${query.zone})
        and tstzrange(supply.valid_from, supply.valid_to) @> ((daily.day::timestamp + interval '12 hours') at time zone ${query.zone})
      where c.participant_id = ${query.participantId}
      group by 1 order by 1`
  )
}

export interface RunningRow {
  readonly subscription_id: bigint
  readonly unit: string
  readonly amount: bigint
}

/** The running month so far, by subscription. */
export async function runningMonth(
  database: Database,
  query: { readonly participantId: bigint; readonly zone: string; readonly first: string }
): Promise<RunningRow[]> {
  return rows(
    database,
    sql<RunningRow>`
      select s.id as subscription_id, min(daily.unit) as unit,
        trunc(sum(daily.amount_milli::numeric * supply.sign * supply.share_numerator / supply.share_denominator))::bigint as amount
      from account.contract c
      join account.subscription s on s.contract_id = c.id
      join account.supply on supply.subscription_id = s.id and supply.superseded_at is null
      join account.installation i on i.service_point_id = supply.service_point_id and i.superseded_at is null
      join account.register on register.meter_id = i.meter_id
      join metering.daily_consumption daily on daily.register_id = register.id and daily.day >= ${query.first}::date
        and tstzrange(i.valid_from, i.valid_to)
          && tstzrange(daily.day::timestamp at time zone ${query.zone}, (daily.day + 1)::timestamp at time zone ${query.zone})
        and tstzrange(supply.valid_from, supply.valid_to) @> ((daily.day::timestamp + interval '12 hours') at time zone ${query.zone})
      where c.participant_id = ${query.participantId}
      group by s.id`
  )
}

/** What the participant's oldest subscription is for: the commodity whose chart is meant where none is named. */
export async function mainCommodity(database: Database, participantId: bigint): Promise<string> {
  const row = await first(
    database,
    sql<{ commodity: string }>`select s.commodity from account.contract c join account.subscription s on s.contract_id = c.id
      where c.participant_id = ${participantId} order by s.opened_at, s.id limit 1`
  )
  return row?.commodity ?? 'water'
}
