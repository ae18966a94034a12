import type { EpochMs } from '@endeks/domain/time'
import { sql } from 'kysely'
import { openOf } from '../../../store/debt.js'
import { type Database, rows } from '../../../store/query.js'

export interface TimelineRow {
  readonly at: EpochMs
  readonly kind: 'invoice' | 'collection' | 'due' | 'installation'
  readonly label: string
  readonly amount: bigint | null
  readonly ref: string
}

const mostEvents = 100

/** What happened with a participant, newest first: documents, due dates of what is open, meters that came. */
export async function timelineOf(database: Database, participantId: bigint, zone: string): Promise<TimelineRow[]> {
  return rows(
    database,
    sql<TimelineRow>`
      (select d.issued_at as at, case d.kind when 'invoice' then 'invoice' else 'collection' end as kind, d.label, d.gross_micro as amount,
        d.label as ref
      from ledger.document d where d.participant_id = ${participantId} order by d.issued_at desc limit ${mostEvents})
      union all
      (select d.due_date::timestamp at time zone ${zone}, 'due', d.label, ${openOf}, d.label
      from ledger.document d where d.participant_id = ${participantId} and d.kind = 'invoice' and ${openOf} > 0
      order by d.due_date desc limit ${mostEvents})
      union all
      (select i.valid_from, 'installation', meter.serial, null::bigint, meter.id::text
      from account.contract c
      join account.subscription s on s.contract_id = c.id
      join account.supply on supply.subscription_id = s.id and supply.superseded_at is null
      join account.installation i on i.service_point_id = supply.service_point_id and i.superseded_at is null
      join account.meter on meter.id = i.meter_id
      where c.participant_id = ${participantId} order by i.valid_from desc limit ${mostEvents})
      order by at desc, ref limit ${mostEvents}`
  )
}
