import type { PoolClient } from '@endeks/database/pool'
import type { GatewayId } from '@endeks/domain/identifiers'

/** What numbers messages: each gateway counts from 1 in each epoch and lane. */
export interface SequenceKey {
  readonly gateway: GatewayId
  readonly epoch: string
  readonly lane: string
}

/** A message's number, by which a gap in what arrived is seen. */
export interface SequenceNumber extends SequenceKey {
  readonly sequence: number
}

/** Both ends are part of it. */
interface Range extends SequenceKey {
  readonly first: number
  readonly last: number
}

/** Numbers that a gateway declared lost. */
export interface SequenceLoss extends Range {
  readonly readings: number
  readonly reason: string
}

interface Row {
  readonly gateway_id: GatewayId
  readonly epoch: string
  readonly lane: string
  readonly first: bigint
  readonly last: bigint
}

/**
 * Notes which numbers are stored. Ranges that have come to touch each other become one, so that a lane without gaps is one row.
 * Where two processes note numbers of one lane at a time, ranges may overlap until the next time.
 */
export async function noteSequences(client: PoolClient, numbers: readonly SequenceNumber[]): Promise<void> {
  if (numbers.length === 0) return
  const runs = union(numbers.map(({ gateway, epoch, lane, sequence }) => ({ gateway, epoch, lane, first: sequence, last: sequence })))
  const standing = await readTouched(client, runs)
  const merged = union([...runs, ...standing])
  const kept = new Set(merged.map(textOf))
  await removeRanges(
    client,
    standing.filter((range) => !kept.has(textOf(range)))
  )
  await writeRanges(client, merged)
}

/** Overlapping and adjacent ranges as one, in order. */
function union(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].sort((a, b) => compareText(keyOf(a), keyOf(b)) || a.first - b.first)
  const joined: Range[] = []
  for (const range of sorted) {
    const last = joined.at(-1)
    if (last === undefined || keyOf(last) !== keyOf(range) || range.first > last.last + 1) joined.push(range)
    else if (range.last > last.last) joined[joined.length - 1] = { ...last, last: range.last }
  }
  return joined
}

function keyOf({ gateway, epoch, lane }: SequenceKey): string {
  return `${gateway} ${epoch} ${lane}`
}

/** Names a range by its beginning, as the table does. */
function textOf(range: Range): string {
  return `${keyOf(range)} ${range.first}`
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The ranges that overlap a run or lie beside it: the last one that begins before its end, and those within. */
async function readTouched(client: PoolClient, runs: readonly Range[]): Promise<Range[]> {
  const { rows } = await client.query<Row>({
    name: 'read-sequences',
    text: `select distinct s.* from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) as run (gateway_id, epoch, lane, first, last)
      cross join lateral (
        (select gateway_id, epoch, lane, first, last from metering.sequence_range b
         where b.gateway_id = run.gateway_id and b.epoch = run.epoch and b.lane = run.lane and b.first <= run.first order by b.first desc limit 1)
        union all
        (select gateway_id, epoch, lane, first, last from metering.sequence_range b
         where b.gateway_id = run.gateway_id and b.epoch = run.epoch and b.lane = run.lane and b.first > run.first and b.first <= run.last + 1)
      ) s
      where s.last >= run.first - 1`,
    values: parameters(runs)
  })
  return rows.map(({ gateway_id, epoch, lane, first, last }) => ({
    gateway: gateway_id,
    epoch,
    lane,
    first: Number(first),
    last: Number(last)
  }))
}

async function removeRanges(client: PoolClient, ranges: readonly Range[]): Promise<void> {
  if (ranges.length === 0) return
  await client.query(
    `delete from metering.sequence_range s
     using unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[]) as old (gateway_id, epoch, lane, first, last)
     where s.gateway_id = old.gateway_id and s.epoch = old.epoch and s.lane = old.lane and s.first = old.first and s.last = old.last`,
    parameters(ranges)
  )
}

/**
 * Most ranges only grow at their end, which touches no index. A range that was read may be gone by now, joined to another by
 * another process: it is written anew, for an update would find nothing and its numbers would be noted nowhere.
 */
async function writeRanges(client: PoolClient, ranges: readonly Range[]): Promise<void> {
  await client.query({
    name: 'write-sequences',
    text: `insert into metering.sequence_range as standing (gateway_id, epoch, lane, first, last)
      select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
      on conflict (gateway_id, epoch, lane, first) do update set last = greatest(standing.last, excluded.last), received_at = now()`,
    values: parameters(ranges)
  })
}

/** The same declaration again changes nothing; one whose range has grown since takes its place. */
export async function insertLosses(client: PoolClient, losses: readonly SequenceLoss[]): Promise<void> {
  const longest = new Map<string, SequenceLoss>()
  for (const loss of losses) if (loss.last >= (longest.get(textOf(loss))?.last ?? 0)) longest.set(textOf(loss), loss)
  if (longest.size === 0) return
  const rows = [...longest.values()]
  await client.query(
    `insert into metering.sequence_loss as standing (gateway_id, epoch, lane, first, last, readings, reason)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[])
     on conflict (gateway_id, epoch, lane, first) do update set last = excluded.last, readings = excluded.readings where excluded.last > standing.last`,
    [...parameters(rows), rows.map((each) => each.readings), rows.map((each) => each.reason)]
  )
}

function parameters(ranges: readonly Range[]): (string | number)[][] {
  return [
    ranges.map((each) => each.gateway),
    ranges.map((each) => each.epoch),
    ranges.map((each) => each.lane),
    ranges.map((each) => each.first),
    ranges.map((each) => each.last)
  ]
}
