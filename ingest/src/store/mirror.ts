import type { PoolClient } from '@endeks/database/pool'
import type { MirrorReading } from '../mirror/line.js'

/** A place in the order of receipt: microseconds since 1970, then the key. Rows after it are still to be mirrored. */
export interface MirrorPosition {
  readonly receivedUs: bigint
  readonly registerId: bigint
  readonly atUs: bigint
}

export interface MirrorRow extends MirrorReading {
  readonly position: MirrorPosition
}

/** A reading that the receiver would not take. */
export interface MirrorRefusal {
  readonly row: MirrorRow
  readonly code: string
  readonly message: string
}

const mostRefusals = 10_000

/** Before every row that is received at this instant or later. */
export function beforeAll(receivedUs: bigint): MirrorPosition {
  return { receivedUs, registerId: -(2n ** 63n), atUs: 0n }
}

/** One mirror of a target at a time, for as long as the connection lasts. */
export async function lockTarget(client: PoolClient, target: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    `select pg_try_advisory_lock(hashtextextended('metering.mirror ' || $1, 0)) as locked`,
    [target]
  )
  return rows[0]?.locked === true
}

/** Up to where every row is there that will ever be, by receipt. */
export async function readHorizon(client: PoolClient): Promise<bigint> {
  const { rows } = await client.query<{ us: bigint }>(`select (extract(epoch from metering.horizon()) * 1000000)::bigint as us`)
  return rows[0]?.us ?? 0n
}

export async function readCursor(client: PoolClient, target: string): Promise<MirrorPosition | undefined> {
  const { rows } = await client.query<{ received_us: bigint; register_id: bigint; at_us: bigint }>(
    'select received_us, register_id, at_us from metering.mirror_cursor where target = $1',
    [target]
  )
  const [row] = rows
  return row === undefined ? undefined : { receivedUs: row.received_us, registerId: row.register_id, atUs: row.at_us }
}

export async function writeCursor(client: PoolClient, target: string, position: MirrorPosition): Promise<void> {
  await client.query(
    `insert into metering.mirror_cursor (target, received_us, register_id, at_us) values ($1, $2, $3, $4)
     on conflict (target) do update set received_us = excluded.received_us, register_id = excluded.register_id, at_us = excluded.at_us, moved_at = now()`,
    [target, position.receivedUs, position.registerId, position.atUs]
  )
}

/** Notes refused readings as far as there is room; those beyond are only counted. */
export async function insertRefusals(client: PoolClient, target: string, refusals: readonly MirrorRefusal[]): Promise<void> {
  if (refusals.length === 0) return
  await client.query(
    `insert into metering.mirror_refusal (target, register_id, at, code, message)
     select $1, r.register_id, timestamptz 'epoch' + r.at_us * interval '1 microsecond', r.code, r.message
     from unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[]) with ordinality as r (register_id, at_us, code, message, n)
     where (select count(*) from (select from metering.mirror_refusal where target = $1 limit $6) kept) + r.n <= $6
     on conflict do nothing`,
    [
      target,
      refusals.map(({ row }) => row.position.registerId),
      refusals.map(({ row }) => row.position.atUs),
      refusals.map(({ code }) => code),
      refusals.map(({ message }) => message.slice(0, 500)),
      mostRefusals
    ]
  )
}

interface Row {
  readonly received_us: bigint
  readonly register_id: bigint
  readonly at_us: bigint
  readonly raw: bigint
  readonly scaler: number
  readonly unit: string
  readonly status: number
  readonly obis: string | null
  readonly serial: string | null
  readonly medium: string | null
}

const us = (column: string): string => `(extract(epoch from ${column}) * 1000000)::bigint`
const instant = (parameter: string): string => `timestamptz 'epoch' + ${parameter}::bigint * interval '1 microsecond'`

/** The rows after a position and received before `untilUs`, in order. The index of receipts finds them by blocks. */
export async function readRowsAfter(
  client: PoolClient,
  { after, untilUs, limit }: { readonly after: MirrorPosition; readonly untilUs: bigint; readonly limit: number }
): Promise<MirrorRow[]> {
  const { rows } = await client.query<Row>(
    `select ${us('r.received_at')} as received_us, r.register_id, ${us('r.at')} as at_us, r.raw, r.scaler, r.unit, r.status, g.obis, m.serial, m.medium
     from (select * from metering.reading
       where received_at >= ${instant('$1')} and received_at < ${instant('$2')}
         and (received_at, register_id, at) > (${instant('$1')}, $3::bigint, ${instant('$4')})
       order by received_at, register_id, at limit $5) r
     left join account.register g on g.id = r.register_id
     left join account.meter m on m.id = g.meter_id
     order by r.received_at, r.register_id, r.at`,
    [after.receivedUs, untilUs, after.registerId, after.atUs, limit]
  )
  return rows.map((row) => ({
    position: { receivedUs: row.received_us, registerId: row.register_id, atUs: row.at_us },
    registerId: row.register_id,
    obis: row.obis ?? '',
    serial: row.serial ?? '',
    medium: row.medium ?? '',
    unit: row.unit,
    atMs: row.at_us / 1_000n - (row.at_us % 1_000n < 0n ? 1n : 0n),
    raw: row.raw,
    scaler: row.scaler,
    status: row.status
  }))
}
