import { sql } from 'kysely'
import { asJson, type Database, execute } from './query.js'

export interface AuditEvent {
  readonly actor: string
  readonly action: string
  readonly subjectType: string
  readonly subject: string
  readonly details?: Readonly<Record<string, unknown>>
}

/** Writes who did what, in the transaction that does it. */
export async function recordAudit(database: Database, event: AuditEvent): Promise<void> {
  await execute(
    database,
    sql`select audit.record(${event.actor}, ${event.action}, ${event.subjectType}, ${event.subject}, ${asJson(event.details ?? {})}::jsonb)`
  )
}
