import type { Pool, PoolClient } from '@endeks/database/pool'
import type { Json } from '@endeks/database/schema'
import { type EpochMs, toIso } from '@endeks/domain/time'
import type { CommandKind } from '@endeks/domain/wire'

/** A command that is to be entered. */
export interface NewDownlink {
  readonly commandId: bigint
  readonly gateway: string
  readonly bus: string
  readonly address: string
  readonly servicePointId: bigint
  readonly meterId: bigint | null
  readonly kind: CommandKind
  readonly parameters: Json
  readonly requestedBy: string
  readonly requestedAt: EpochMs
  readonly deadline: EpochMs
}

/** Enters a command and says in the audit trail who asked for it. */
export async function enterDownlink(client: PoolClient, asked: NewDownlink): Promise<bigint> {
  const { commandId, gateway, bus, address, servicePointId, meterId, kind, parameters, requestedBy, requestedAt, deadline } = asked
  const { rows } = await client.query<{ id: bigint }>(
    `with entered as (
       insert into metering.downlink (command_id, gateway_id, bus, address, service_point_id, meter_id, kind, parameters, requested_by, requested_at, deadline)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning *
     )
     select id, audit.record(requested_by, 'downlink.requested', 'downlink', id::text, jsonb_build_object('gateway', gateway_id, 'bus', bus,
       'address', address, 'meter', meter_id::text, 'kind', kind, 'parameters', parameters, 'deadline', deadline)) from entered`,
    [
      ...[commandId, gateway, bus, address, servicePointId, meterId, kind, JSON.stringify(parameters), requestedBy],
      ...[toIso(requestedAt), toIso(deadline)]
    ]
  )
  const id = rows[0]?.id
  if (id === undefined) throw new TypeError('an insert without a row')
  return id
}

/** How many commands of a gateway are not over yet; counted no further than `limit`. */
export async function countOpen(client: PoolClient, gateway: string, limit: number): Promise<number> {
  const { rows } = await client.query<{ n: bigint }>(
    `select count(*) as n from (select from metering.downlink where gateway_id = $1 and state in ('queued', 'sent') limit $2) open`,
    [gateway, limit]
  )
  return Number(rows[0]?.n ?? 0n)
}

/** Gateways for whom anything may be to do. */
export async function gatewaysWithOpen(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ gateway_id: string }>({
    name: 'gateways-with-downlinks',
    text: `select distinct gateway_id from metering.downlink where state in ('queued', 'sent')`
  })
  return rows.map((row) => row.gateway_id)
}

/** A command as it is sent. */
export interface DueDownlink {
  readonly id: bigint
  readonly key: string
  readonly bus: string
  readonly address: string
  readonly kind: CommandKind
  readonly parameters: Json
  readonly requested_by: string
  readonly deadline: EpochMs
  readonly serial: string | null
  readonly manufacturer: string | null
}

export interface DueQuery {
  readonly gateway: string
  readonly now: EpochMs
  /** looks at none before it */
  readonly afterId: bigint
  /** the gateway has just begun to listen: what it was sent before is sent again, whatever it said and however recently */
  readonly afresh: boolean
  readonly firstRetryMs: number
  readonly longestRetryMs: number
}

/**
 * Takes the next command of a gateway in hand: of each place only the oldest that is not over, so that what a meter is told
 * keeps its order. Counted as an attempt before it leaves, or a process that dies in between would try for ever at once.
 */
export async function claimDue(pool: Pool, query: DueQuery): Promise<DueDownlink | undefined> {
  const { gateway, now, afterId, afresh, firstRetryMs, longestRetryMs } = query
  const { rows } = await pool.query<DueDownlink>({
    name: 'claim-downlink',
    text: `with due as (
        select d.id from metering.downlink d
        where d.gateway_id = $1 and d.state in ('queued', 'sent') and d.id > $3 and d.deadline > $2::timestamptz
          and not exists (select from metering.downlink o where o.gateway_id = d.gateway_id and o.bus = d.bus and o.address = d.address
            and o.state in ('queued', 'sent') and o.id < d.id)
          and ($4 or (d.state = 'queued' and (d.attempted_at is null or d.attempted_at <=
            $2::timestamptz - least($6::double precision, $5::double precision * power(2, least(d.attempts, 20) - 1)) * interval '1 ms')))
        order by d.id limit 1 for update skip locked
      )
      update metering.downlink d set attempts = attempts + 1, attempted_at = $2::timestamptz from due where d.id = due.id
      returning d.id, d.key::text as key, d.bus, d.address, d.kind, d.parameters, d.requested_by, d.deadline,
        (select serial from account.meter m where m.id = d.meter_id) as serial,
        (select manufacturer from account.meter m where m.id = d.meter_id) as manufacturer`,
    values: [gateway, toIso(now), afterId, afresh, firstRetryMs, longestRetryMs]
  })
  return rows[0]
}

/** The gateway has it. Its answer may have come already, and says more. */
export async function markSent(pool: Pool, id: bigint, now: EpochMs): Promise<void> {
  await pool.query({
    name: 'mark-downlink-sent',
    text: `update metering.downlink set state = case state when 'queued' then 'sent' else state end, sent_at = coalesce(sent_at, $2::timestamptz) where id = $1`,
    values: [id, toIso(now)]
  })
}

/**
 * Ends what nobody may begin any more. A gateway that may have it is given time for the answer to what it had begun just
 * before.
 *
 * @returns how many were ended, at most `limit`
 */
export async function expireOverdue(
  pool: Pool,
  { now, answerWithinMs, limit }: { readonly now: EpochMs; readonly answerWithinMs: number; readonly limit: number }
): Promise<number> {
  const { rows } = await pool.query({
    name: 'expire-downlinks',
    text: `with overdue as (
        select id from metering.downlink
        where state in ('queued', 'sent') and deadline <= $1::timestamptz - (case attempts when 0 then 0 else $2::integer end) * interval '1 ms'
        order by id limit $3 for update skip locked
      ), ended as (
        update metering.downlink d set state = 'expired', finished_at = $1::timestamptz,
          effect = case attempts when 0 then 'none' else 'unclear' end, error_code = 'COMMAND_EXPIRED',
          error_message = case attempts when 0 then 'its gateway did not listen before the deadline' else 'its gateway did not answer' end
        from overdue where d.id = overdue.id returning d.*
      )
      select audit.record('ingest', 'downlink.expired', 'downlink', id::text, jsonb_build_object('effect', effect, 'attempts', attempts)) from ended`,
    values: [toIso(now), answerWithinMs, limit]
  })
  return rows.length
}
