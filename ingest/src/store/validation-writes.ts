import type { PoolClient } from '@endeks/database/pool'
import { toIso } from '@endeks/domain/time'
import type { DailyAmount } from '../vee/days.js'
import type { Exception, Segment } from '../vee/facts.js'
import type { LiveSegment } from './validation-reads.js'

export interface OfRegister<Item> {
  readonly registerId: bigint
  readonly item: Item
}

/** A superseded segment stays where it is: bills that were made of it must find it. */
export async function supersedeSegments(client: PoolClient, segments: readonly LiveSegment[]): Promise<void> {
  if (segments.length === 0) return
  await client.query(
    `update metering.segment s set superseded_at = now()
     from unnest($1::bigint[], $2::timestamptz[], $3::integer[]) as old (register_id, from_at, revision)
     where s.register_id = old.register_id and s.from_at = old.from_at and s.revision = old.revision and s.superseded_at is null`,
    [segments.map((each) => each.registerId), segments.map((each) => toIso(each.from)), segments.map((each) => each.revision)]
  )
}

export async function insertSegments(client: PoolClient, segments: readonly OfRegister<Segment>[]): Promise<void> {
  if (segments.length === 0) return
  const column = <Value>(of: (segment: Segment) => Value): Value[] => segments.map(({ item }) => of(item))
  await client.query(
    `insert into metering.segment (register_id, from_at, to_at, amount_milli, from_raw, to_raw, scaler, meter_unit, unit, quality, rule, revision)
     select n.*, 1 + coalesce((select max(s.revision) from metering.segment s where s.register_id = n.register_id and s.from_at = n.from_at), 0)
     from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[], $7::smallint[], $8::text[],
       $9::text[], $10::text[], $11::text[]) as n (register_id, from_at, to_at, amount_milli, from_raw, to_raw, scaler, meter_unit, unit, quality, rule)`,
    [
      segments.map((each) => each.registerId),
      column((each) => toIso(each.from)),
      column((each) => toIso(each.to)),
      column((each) => each.amountMilli),
      column((each) => each.fromRaw),
      column((each) => each.toRaw),
      column((each) => each.scaler),
      column((each) => each.meterUnit),
      column((each) => each.unit),
      column((each) => each.quality),
      column((each) => each.rule)
    ]
  )
}

export async function vanishExceptions(client: PoolClient, ids: readonly bigint[]): Promise<void> {
  if (ids.length === 0) return
  await client.query(
    `update metering.exception set state = 'vanished', decided_at = now() where id = any($1::bigint[]) and state = 'open'`,
    [ids]
  )
}

/** Opens exceptions; one that is open for the same rule and beginning takes over the new end and details. */
export async function openExceptions(client: PoolClient, exceptions: readonly OfRegister<Exception>[]): Promise<void> {
  if (exceptions.length === 0) return
  const column = <Value>(of: (exception: Exception) => Value): Value[] => exceptions.map(({ item }) => of(item))
  await client.query(
    `insert into metering.exception (register_id, rule, severity, from_at, to_at, details)
     select * from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::jsonb[])
     on conflict (register_id, rule, from_at) where state = 'open'
     do update set severity = excluded.severity, to_at = excluded.to_at, details = excluded.details
     where (metering.exception.to_at, metering.exception.severity, metering.exception.details)
       is distinct from (excluded.to_at, excluded.severity, excluded.details)`,
    [
      exceptions.map((each) => each.registerId),
      column((each) => each.rule),
      column((each) => each.severity),
      column((each) => toIso(each.from)),
      column((each) => toIso(each.to)),
      column((each) => JSON.stringify(each.details))
    ]
  )
}

/** A register's daily values from `firstDay` to `lastDay` become these; a day without a value has no row. */
export interface DailyChange {
  readonly registerId: bigint
  readonly firstDay: string
  readonly lastDay: string
  readonly amounts: readonly DailyAmount[]
}

export async function writeDailyAmounts(client: PoolClient, changes: readonly DailyChange[]): Promise<void> {
  if (changes.length === 0) return
  const amounts = changes.flatMap((change) => change.amounts.map((item) => ({ registerId: change.registerId, item })))
  await client.query(
    `insert into metering.daily_consumption (register_id, day, amount_milli, unit, quality)
     select * from unnest($1::bigint[], $2::date[], $3::bigint[], $4::text[], $5::text[])
     on conflict (register_id, day) do update
     set amount_milli = excluded.amount_milli, unit = excluded.unit, quality = excluded.quality`,
    [
      amounts.map((each) => each.registerId),
      amounts.map((each) => each.item.day),
      amounts.map((each) => each.item.amountMilli),
      amounts.map((each) => each.item.unit),
      amounts.map((each) => each.item.quality)
    ]
  )
  await client.query(
    `delete from metering.daily_consumption d
     using unnest($1::bigint[], $2::date[], $3::date[]) as span (register_id, first_day, last_day)
     where d.register_id = span.register_id and d.day between span.first_day and span.last_day
       and not exists (select from unnest($4::bigint[], $5::date[]) as kept (register_id, day)
         where kept.register_id = d.register_id and kept.day = d.day)`,
    [
      changes.map((each) => each.registerId),
      changes.map((each) => each.firstDay),
      changes.map((each) => each.lastDay),
      amounts.map((each) => each.registerId),
      amounts.map((each) => each.item.day)
    ]
  )
}
