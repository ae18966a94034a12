import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'
import { sql } from 'kysely'
import { asJson, type Database, rows } from '../../../store/query.js'

export interface SubscriptionRow {
  readonly id: bigint
  readonly number: string
  readonly contract: string
  readonly registry_no: bigint
  readonly name: string
  readonly commodity: 'water' | 'wastewater' | 'gas' | 'heat'
  readonly route: string
  readonly opened_at: EpochMs
  readonly closed_at: EpochMs | null
}

/** One page and one row more, by number. */
export async function listSubscriptions(
  database: Database,
  query: { readonly participant: bigint | undefined; readonly after: string | undefined; readonly limit: number }
): Promise<SubscriptionRow[]> {
  const whose = query.participant === undefined ? sql`true` : sql`p.registry_no = ${query.participant}`
  return rows(
    database,
    sql<SubscriptionRow>`
      select s.id, s.number, c.number as contract, p.registry_no, person.name, s.commodity, s.route, s.opened_at, s.closed_at
      from account.subscription s
      join account.contract c on c.id = s.contract_id
      join account.participant p on p.id = c.participant_id
      join account.person on person.id = p.person_id
      where s.number > ${query.after ?? ''} and ${whose}
      order by s.number limit ${query.limit + 1}`
  )
}

/** @throws {AppError} SUBSCRIPTION_NOT_FOUND */
export async function getSubscription(database: Database, number: string): Promise<SubscriptionRow> {
  const [row] = await rows(
    database,
    sql<SubscriptionRow>`
      select s.id, s.number, c.number as contract, p.registry_no, person.name, s.commodity, s.route, s.opened_at, s.closed_at
      from account.subscription s
      join account.contract c on c.id = s.contract_id
      join account.participant p on p.id = c.participant_id
      join account.person on person.id = p.person_id
      where s.number = ${number}`
  )
  if (row === undefined) throw new AppError('SUBSCRIPTION_NOT_FOUND', `there is no subscription ${number}`)
  return row
}

export interface TariffRow {
  readonly subscription_id: bigint
  readonly code: string
  readonly valid_from: EpochMs
  readonly valid_to: EpochMs | null
}

export async function tariffsOf(database: Database, ids: readonly bigint[]): Promise<TariffRow[]> {
  return rows(
    database,
    sql<TariffRow>`
      select a.subscription_id, tariff.code, a.valid_from, a.valid_to
      from account.tariff_assignment a join account.tariff on tariff.id = a.tariff_id
      where a.superseded_at is null and a.subscription_id in (select (jsonb_array_elements_text(${asJson(ids)}::jsonb))::bigint)
      order by a.valid_from`
  )
}

export interface SupplyRow {
  readonly subscription_id: bigint
  readonly service_point: string
  readonly sign: number
  readonly share_numerator: bigint
  readonly share_denominator: bigint
  readonly valid_from: EpochMs
  readonly valid_to: EpochMs | null
}

export async function suppliesOf(database: Database, ids: readonly bigint[]): Promise<SupplyRow[]> {
  return rows(
    database,
    sql<SupplyRow>`
      select supply.subscription_id, point.code as service_point, supply.sign, supply.share_numerator, supply.share_denominator,
        supply.valid_from, supply.valid_to
      from account.supply join account.service_point point on point.id = supply.service_point_id
      where supply.superseded_at is null and supply.subscription_id in (select (jsonb_array_elements_text(${asJson(ids)}::jsonb))::bigint)
      order by supply.valid_from, point.code`
  )
}
