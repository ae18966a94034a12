import { sql } from 'kysely'
import { asJson, type Database, execute, rows } from '../../store/query.js'
import { differing, missingOf, type Outcome, refuseRepeated } from '../../store/standing.js'

export interface ServicePointRow {
  readonly id: bigint
  readonly code: string
  readonly commodity: 'water' | 'wastewater' | 'gas' | 'heat'
  readonly kind: 'parcel' | 'independent-section'
  readonly label: string
  readonly meter_id: bigint | null
  readonly serial: string | null
}

export async function listServicePoints(database: Database, after: string | undefined, limit: number): Promise<ServicePointRow[]> {
  return rows(
    database,
    sql<ServicePointRow>`
      select point.id, point.code, point.commodity, property.kind, property.label, meter.id as meter_id, meter.serial
      from account.service_point point
      join account.property on property.id = point.property_id
      left join account.installation i on i.service_point_id = point.id and i.superseded_at is null and i.valid_to is null
      left join account.meter on meter.id = i.meter_id
      where point.code > ${after ?? ''}
      order by point.code limit ${limit + 1}`
  )
}

export interface NewServicePoint {
  readonly code: string
  readonly commodity: string
  readonly property: { readonly kind: string; readonly label: string }
}

interface StandingRow {
  readonly code: string
  readonly commodity: string
  readonly kind: string
  readonly label: string
}

/** @throws {AppError} ALREADY_EXISTS for one that stands differently, VALIDATION for a code given twice */
export async function addServicePoints(database: Database, items: readonly NewServicePoint[]): Promise<Outcome> {
  refuseRepeated('servicePoints', items, (item) => item.code)
  await addProperties(database, items)
  const found = await rows(
    database,
    sql<StandingRow>`
      select point.code, point.commodity, property.kind, property.label
      from account.service_point point join account.property on property.id = point.property_id
      where point.code in (select jsonb_array_elements_text(${asJson(items.map((item) => item.code))}::jsonb))`
  )
  const byCode = new Map(found.map((row) => [row.code, row]))
  const { missing, unchanged } = missingOf<NewServicePoint, StandingRow>(
    {
      list: 'servicePoints',
      label: (item) => `the service point ${item.code}`,
      differences: (item, row) =>
        differing({
          commodity: [item.commodity, row.commodity],
          property: [item.property.label, row.label],
          'kind of property': [item.property.kind, row.kind]
        })
    },
    items,
    (item) => byCode.get(item.code)
  )
  await execute(
    database,
    sql`insert into account.service_point (property_id, code, commodity)
      select property.id, i.code, i.commodity
      from jsonb_to_recordset(${asJson(missing.map((item) => ({ ...item, label: item.property.label })))}::jsonb)
        as i (code text, commodity text, label text)
      join account.property on property.label = i.label`
  )
  return { created: missing.length, unchanged }
}

/** A property is named by its label; the places on it share it. */
async function addProperties(database: Database, items: readonly NewServicePoint[]): Promise<void> {
  const byLabel = new Map(items.map((item) => [item.property.label, item.property]))
  await execute(
    database,
    sql`insert into account.property (kind, label)
      select i.kind, i.label from jsonb_to_recordset(${asJson([...byLabel.values()])}::jsonb) as i (kind text, label text)
      on conflict (label) do nothing`
  )
  const found = await rows(
    database,
    sql<{ label: string; kind: string }>`select label, kind from account.property
      where label in (select jsonb_array_elements_text(${asJson([...byLabel.keys()])}::jsonb))`
  )
  const kinds = new Map(found.map((row) => [row.label, row.kind]))
  missingOf<NewServicePoint, string>(
    {
      list: 'servicePoints',
      label: (item) => `the property ${item.property.label}`,
      differences: (item, kind) => differing({ kind: [item.property.kind, kind] })
    },
    items,
    (item) => kinds.get(item.property.label)
  )
}
