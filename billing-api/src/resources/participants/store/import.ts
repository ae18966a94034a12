import { sql } from 'kysely'
import { foldName } from '../../../identifiers.js'
import { asJson, type Database, execute, rows } from '../../../store/query.js'
import { differing, missingOf, type Outcome, refuseRepeated } from '../../../store/standing.js'
import type { NewPerson } from './participants.js'

export interface ImportedParticipant extends NewPerson {
  readonly registryNo: string
}

interface Standing {
  readonly registry_no: bigint
  readonly kind: string
  readonly name: string
  readonly ownership_status: string
  readonly tax_number: string | null
  readonly tax_office: string | null
  readonly address: string | null
  readonly phone: string | null
  readonly email: string | null
}

/** @throws {AppError} ALREADY_EXISTS for one that stands differently, VALIDATION for a registry number given twice */
export async function addParticipants(database: Database, items: readonly ImportedParticipant[]): Promise<Outcome> {
  refuseRepeated('participants', items, (item) => BigInt(item.registryNo).toString())
  const found = await rows(
    database,
    sql<Standing>`
      select p.registry_no, person.kind, person.name, p.ownership_status, person.tax_number, person.tax_office, person.address, person.phone,
        person.email
      from account.participant p join account.person on person.id = p.person_id
      where p.registry_no in (select (jsonb_array_elements_text(${asJson(items.map((item) => item.registryNo))}::jsonb))::bigint)`
  )
  const byNumber = new Map(found.map((row) => [row.registry_no, row]))
  const { missing, unchanged } = missingOf<ImportedParticipant, Standing>(
    {
      list: 'participants',
      label: (item) => `the participant ${item.registryNo}`,
      differences: (item, row) =>
        differing({
          kind: [item.kind, row.kind],
          name: [item.name, row.name],
          'ownership status': [item.ownershipStatus, row.ownership_status],
          'tax number': [item.taxNumber, row.tax_number],
          'tax office': [item.taxOffice, row.tax_office],
          address: [item.address, row.address],
          phone: [item.phone, row.phone],
          email: [item.email, row.email]
        })
    },
    items,
    (item) => byNumber.get(BigInt(item.registryNo))
  )
  const records = missing.map((item) => ({ ...item, folded: foldName(item.name) }))
  await execute(
    database,
    sql`with i as materialized (
        select nextval(pg_get_serial_sequence('account.person', 'id')) as person_id, each.*
        from jsonb_to_recordset(${asJson(records)}::jsonb) as each ("registryNo" bigint, kind text, name text, folded text,
          "ownershipStatus" text, "taxNumber" text, "taxOffice" text, address text, phone text, email text)
      ), made as (
        insert into account.person (id, kind, name, name_folded, tax_number, tax_office, address, phone, email) overriding system value
        select person_id, kind, name, folded, "taxNumber", "taxOffice", address, phone, email from i
      )
      insert into account.participant (registry_no, person_id, ownership_status) select "registryNo", person_id, "ownershipStatus" from i`
  )
  return { created: missing.length, unchanged }
}
