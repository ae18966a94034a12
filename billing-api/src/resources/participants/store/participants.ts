import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'
import { type RawBuilder, sql } from 'kysely'
import { foldName, literalLike } from '../../../identifiers.js'
import { debtOf } from '../../../store/debt.js'
import { type Database, first, only, rows } from '../../../store/query.js'

export interface ListRow {
  readonly registry_no: bigint
  readonly name: string
  readonly ownership_status: 'owner' | 'tenant' | 'other'
  readonly properties: string[]
  readonly subscriptions: number
  readonly debt: bigint
  readonly overdue: bigint
}

export interface ListQuery {
  readonly search: string | undefined
  readonly after: bigint | undefined
  readonly limit: number
  readonly today: string
}

/** One page and one row more, by registry number. */
export async function listParticipants(database: Database, query: ListQuery): Promise<ListRow[]> {
  return rows(
    database,
    sql<ListRow>`
      select p.registry_no, person.name, p.ownership_status, held.properties, held.subscriptions, owed.debt, owed.overdue
      from (
        select p.* from account.participant p join account.person on person.id = p.person_id
        where p.registry_no > ${query.after ?? -1n} and ${matches(query.search)}
        order by p.registry_no limit ${query.limit + 1}
      ) p
      join account.person on person.id = p.person_id
      cross join lateral (
        select count(distinct s.id)::integer as subscriptions,
          coalesce(array_agg(distinct property.label) filter (where property.label is not null), '{}') as properties
        from account.contract c
        join account.subscription s on s.contract_id = c.id
        left join account.supply on supply.subscription_id = s.id and supply.superseded_at is null and supply.valid_to is null
        left join account.service_point point on point.id = supply.service_point_id
        left join account.property on property.id = point.property_id
        where c.participant_id = p.id
      ) held
      cross join ${debtOf(query.today)}
      order by p.registry_no`
  )
}

/** A registry number, a name in any spelling, a tax number, a parcel, or the serial of a meter that stands with them now. */
function matches(search: string | undefined): RawBuilder<boolean> {
  const text = search?.trim() ?? ''
  if (text === '') return sql`true`
  const name = `%${literalLike(foldName(text))}%`
  const prefix = `${literalLike(text)}%`
  return sql`(
    person.name_folded like ${name}
    or person.tax_number = ${text}
    or p.registry_no::text like ${prefix}
    or exists (
      select from account.contract c
      join account.subscription s on s.contract_id = c.id
      join account.supply on supply.subscription_id = s.id and supply.superseded_at is null and supply.valid_to is null
      join account.service_point point on point.id = supply.service_point_id
      join account.property on property.id = point.property_id
      left join account.installation i on i.service_point_id = point.id and i.superseded_at is null and i.valid_to is null
      left join account.meter on meter.id = i.meter_id
      where c.participant_id = p.id and (property.label ilike ${prefix} or meter.serial ilike ${prefix})
    )
  )`
}

export interface ParticipantRow {
  readonly id: bigint
  readonly registry_no: bigint
  readonly kind: 'organisation' | 'natural'
  readonly name: string
  readonly ownership_status: 'owner' | 'tenant' | 'other'
  readonly tax_number: string | null
  readonly tax_office: string | null
  readonly address: string | null
  readonly phone: string | null
  readonly email: string | null
  readonly created_at: EpochMs
  readonly debt: bigint
  readonly overdue: bigint
  readonly overdue_days: number
  readonly invoices: number
  readonly collections: number
}

/** @throws {AppError} PARTICIPANT_NOT_FOUND */
export async function getParticipant(database: Database, registryNo: bigint, today: string): Promise<ParticipantRow> {
  const row = await first(
    database,
    sql<ParticipantRow>`
      select p.id, p.registry_no, person.kind, person.name, p.ownership_status, person.tax_number, person.tax_office, person.address,
        person.phone, person.email, p.created_at, owed.debt, owed.overdue, coalesce(${today}::date - owed.oldest_due, 0) as overdue_days,
        owed.invoices, (select count(*)::integer from ledger.document r where r.participant_id = p.id and r.kind = 'receipt') as collections
      from account.participant p
      join account.person on person.id = p.person_id
      cross join ${debtOf(today)}
      where p.registry_no = ${registryNo}`
  )
  if (row === undefined) throw new AppError('PARTICIPANT_NOT_FOUND', `there is no participant ${registryNo}`)
  return row
}

export interface SubscriptionRow {
  readonly id: bigint
  readonly number: string
  readonly commodity: 'water' | 'wastewater' | 'gas' | 'heat'
  readonly property: string | null
  readonly service_point: string | null
  readonly tariff_code: string | null
  readonly tariff_tr: string | null
  readonly tariff_en: string | null
  readonly opened_at: EpochMs
  readonly closed_at: EpochMs | null
}

/** The main supply, whose place names the subscription, is the oldest one that counts for it and not against it. */
export async function subscriptionsOf(database: Database, participantId: bigint): Promise<SubscriptionRow[]> {
  return rows(
    database,
    sql<SubscriptionRow>`
      select s.id, s.number, s.commodity, main.property, main.service_point, tariff.code as tariff_code, named.document #>> '{name,tr}' as tariff_tr,
        named.document #>> '{name,en}' as tariff_en, s.opened_at, s.closed_at
      from account.contract c
      join account.subscription s on s.contract_id = c.id
      left join lateral (
        select point.code as service_point, property.label as property
        from account.supply
        join account.service_point point on point.id = supply.service_point_id
        join account.property on property.id = point.property_id
        where supply.subscription_id = s.id and supply.superseded_at is null and supply.sign = 1
        order by supply.valid_to nulls first, supply.valid_from, supply.id limit 1
      ) main on true
      left join account.tariff_assignment a on a.subscription_id = s.id and a.superseded_at is null and a.valid_to is null
      left join account.tariff on tariff.id = a.tariff_id
      left join lateral (
        select v.document from account.rate_schedule v where v.tariff_id = tariff.id order by v.valid_from desc limit 1
      ) named on true
      where c.participant_id = ${participantId}
      order by s.number limit 500`
  )
}

export interface MeterRow {
  readonly subscription_id: bigint
  readonly id: bigint
  readonly serial: string
  readonly at: EpochMs | null
  readonly raw: bigint | null
  readonly scaler: number | null
  readonly unit: string | null
}

/** The meters that stand at the participant's places now, each with the last index of its first register. */
export async function metersOf(database: Database, participantId: bigint): Promise<MeterRow[]> {
  return rows(
    database,
    sql<MeterRow>`
      select s.id as subscription_id, meter.id, meter.serial, last.at, last.raw, last.scaler, last.unit
      from account.contract c
      join account.subscription s on s.contract_id = c.id
      join account.supply on supply.subscription_id = s.id and supply.superseded_at is null and supply.valid_to is null
      join account.installation i on i.service_point_id = supply.service_point_id and i.superseded_at is null and i.valid_to is null
      join account.meter on meter.id = i.meter_id
      join lateral (select id from account.register where meter_id = meter.id order by id limit 1) register on true
      left join lateral (
        select at, raw, scaler, unit from metering.reading where register_id = register.id order by at desc limit 1
      ) last on true
      where c.participant_id = ${participantId}
      order by meter.serial limit 2000`
  )
}

export interface NewPerson {
  readonly kind: 'organisation' | 'natural'
  readonly name: string
  readonly ownershipStatus: 'owner' | 'tenant' | 'other'
  readonly taxNumber?: string
  readonly taxOffice?: string
  readonly address?: string
  readonly phone?: string
  readonly email?: string
}

/** The next registry number is above all that were ever given, also those that an import brought with it. */
export async function addParticipant(database: Database, person: NewPerson): Promise<bigint> {
  await only(database, sql<object>`select pg_advisory_xact_lock(hashtextextended('account.registry_no', 0))`)
  const row = await only(
    database,
    sql<{ registry_no: bigint }>`
      with person as (
        insert into account.person (kind, name, name_folded, tax_number, tax_office, address, phone, email)
        values (${person.kind}, ${person.name}, ${foldName(person.name)}, ${person.taxNumber ?? null}, ${person.taxOffice ?? null},
          ${person.address ?? null}, ${person.phone ?? null}, ${person.email ?? null})
        returning id
      )
      insert into account.participant (registry_no, person_id, ownership_status)
      select greatest(nextval('account.registry_no'), (select coalesce(max(registry_no), 0) + 1 from account.participant)),
        person.id, ${person.ownershipStatus} from person
      returning registry_no`
  )
  return row.registry_no
}
