import { gunzipSync } from 'node:zlib'
import type { Pool } from '@endeks/database/pool'
import { parseReadings, parseTopic } from '@endeks/domain/wire'
import { dialAfter, isMonthEnd, type MeterTime, meters, waterVolume } from './meters.js'
import type { Acknowledged } from './witness.js'

/** A reading as an acknowledged message told it. */
interface Promised {
  readonly gateway: string
  readonly bus: string
  readonly address: string
  readonly at: number
  readonly raw: string
}

/** What was promised and is not there. */
export async function brokenPromises(pool: Pool, messages: readonly Acknowledged[]): Promise<string[]> {
  const promised = messages.flatMap(readingsOf)
  if (promised.length === 0) return []
  const { rows } = await pool.query<Promised>(
    `with promised as (
       select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) as t (gateway, bus, address, at, raw)
     ), told as (
       select *, timestamptz 'epoch' + at * interval '1 millisecond' as instant from promised
     )
     select gateway, bus, address, at::text, raw::text from told
     where not exists (
       select from account.connection c
       join account.installation i using (service_point_id)
       join account.register r on r.meter_id = i.meter_id
       join metering.reading d on d.register_id = r.id
       where c.gateway_id = told.gateway and c.bus = told.bus and c.address = told.address and d.at = told.instant and d.raw = told.raw
     ) and not exists (
       select from metering.unassigned u
       where u.gateway_id = told.gateway and u.bus = told.bus and u.address = told.address and u.at = told.instant and u.raw = told.raw
     )`,
    [
      promised.map((each) => each.gateway),
      promised.map((each) => each.bus),
      promised.map((each) => each.address),
      promised.map((each) => each.at),
      promised.map((each) => each.raw)
    ]
  )
  return rows.map((row) => `acknowledged and not stored: ${JSON.stringify(row)}`)
}

function readingsOf({ topic, payload }: Acknowledged): Promised[] {
  const place = parseTopic(topic)
  if (place?.kind !== 'readings') return []
  const text = payload[0] === 0x1f ? gunzipSync(payload) : payload
  const parsed = parseReadings(text.toString('utf8'))
  if (!parsed.ok) throw parsed.error
  return parsed.value.readings.map((reading) => {
    const exchange = parsed.value.exchanges[reading.exchange]
    if (exchange === undefined) throw new Error('a reading without its exchange')
    return { gateway: place.gateway, bus: exchange.bus, address: exchange.address, at: reading.at, raw: String(reading.raw) }
  })
}

/** What must be true of the tables at any time, each with a query that finds what contradicts it. */
const invariants: Readonly<Record<string, string>> = {
  'a reading differs from another of its register and instant': 'select register_id, at from metering.reading_conflict',
  'a message was refused': 'select code, message from metering.dead_letter',
  'a reading waits and is stored too': `select u.id from metering.unassigned u
    join account.connection c on c.gateway_id = u.gateway_id and c.bus = u.bus and c.address = u.address
    join account.installation i using (service_point_id) join account.register r on r.meter_id = i.meter_id
    join metering.reading d on d.register_id = r.id and d.at = u.at
    where u.adopted_at is null`,
  'a reading has no evidence': `select d.register_id, d.at from metering.reading d
    where not exists (select from metering.exchange e where e.id = d.exchange_id and e.day = d.exchange_day)`,
  'segments overlap': `select a.register_id, a.from_at from metering.segment a join metering.segment b
    on a.register_id = b.register_id and a.from_at < b.from_at and b.from_at < a.to_at
    where a.superseded_at is null and b.superseded_at is null`
}

export async function contradictions(pool: Pool): Promise<string[]> {
  const found: string[] = []
  for (const [what, query] of Object.entries(invariants)) {
    const { rows } = await pool.query<Record<string, unknown>>(`${query} limit 3`)
    for (const row of rows) found.push(`${what}: ${JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`)
  }
  return found
}

/** Values that meters stored at their schedule and that are not, or not rightly, in the tables. */
export async function missingValues(
  pool: Pool,
  midnights: ReturnType<MeterTime['midnights']>
): Promise<{ missing: string[]; expected: number }> {
  const expected = meters.flatMap((meter) => {
    if (meter.protocol === 'modbus') return []
    const stored = meter.protocol === 'dlms' ? midnights : midnights.filter(({ at }) => isMonthEnd(at))
    return stored.map(({ at, step }) => ({ serial: meter.serial, at, raw: String(dialAfter(meter, step)) }))
  })
  const { rows } = await pool.query<{ serial: string; at: string; wanted: string; raw: string | null }>(
    `select e.serial, e.at::text, e.raw::text as wanted, d.raw::text as raw
     from unnest($1::text[], $2::bigint[], $3::bigint[]) as e (serial, at, raw)
     left join account.meter m on m.serial = e.serial
     left join account.register r on r.meter_id = m.id and r.obis = $4
     left join metering.reading d on d.register_id = r.id and d.at = timestamptz 'epoch' + e.at * interval '1 millisecond'
     where d.raw is distinct from e.raw`,
    [expected.map((each) => each.serial), expected.map((each) => each.at), expected.map((each) => each.raw), waterVolume]
  )
  return {
    missing: rows.map(
      ({ serial, at, wanted, raw }) => `${serial} showed ${wanted} at ${new Date(Number(at)).toISOString()}, stored is ${raw}`
    ),
    expected: expected.length
  }
}

/** Values that no dial ever showed. */
export async function inventedValues(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ serial: string; raw: string }>(
    `select m.serial, d.raw::text from metering.reading d join account.register r on r.id = d.register_id join account.meter m on m.id = r.meter_id`
  )
  const bases = new Map(meters.map((meter) => [meter.serial, meter.base]))
  return rows
    .filter(({ serial, raw }) => {
      const steps = (Number(raw) - (bases.get(serial) ?? 0)) / 10
      return !Number.isInteger(steps) || steps < 0 || steps > 1_000
    })
    .map(({ serial, raw }) => `${serial} never showed ${raw}`)
}

/** Numbers of messages that are missing between those that are stored, once everything has been sent. */
export async function sequenceGaps(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ gateway_id: string; lane: string; after: string; before: string }>(
    `select gateway_id, lane, reached::text as after, first::text as before from (
       select gateway_id, epoch, lane, first,
         coalesce(max(last) over (partition by gateway_id, epoch, lane order by first rows between unbounded preceding and 1 preceding), 0) as reached
       from metering.sequence_range) r
     where first > reached + 1`
  )
  return rows.map(({ gateway_id, lane, after, before }) => `${gateway_id} ${lane}: nothing between messages ${after} and ${before}`)
}

/** Readings that the mirror's receiver does not have. */
export async function unmirrored(pool: Pool, points: ReadonlySet<string>): Promise<string[]> {
  const { rows } = await pool.query<{ point: string }>(
    `select register_id || '@' || (extract(epoch from at) * 1000)::bigint || '=' || raw as point from metering.reading`
  )
  return rows.filter(({ point }) => !points.has(point)).map(({ point }) => `not mirrored: ${point}`)
}

export async function waiting(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ n: bigint }>(
    `select (select count(*) from metering.unassigned where adopted_at is null) + (select count(*) from metering.dirty_span) as n`
  )
  return Number(rows[0]?.n ?? -1n)
}
