import type { PoolClient } from '@endeks/database/pool'
import type { GatewayId } from '@endeks/domain/identifiers'
import { type EpochMs, toIso } from '@endeks/domain/time'
import type { Exchange } from '../formats/format.js'
import { CopyRows } from './copy-rows.js'

/** A conversation that is about to be stored: its id and the day of its receipt are how readings name it. */
export interface ExchangeRow {
  readonly id: bigint
  readonly day: string
  readonly gateway: GatewayId
  readonly wire: Exchange
  readonly request: Buffer
  readonly response: Buffer
}

/** `metering.exchange_id` counts in such steps: each of its values is the first of a block. */
const blockSize = 1_024

/** Ids for exchanges, fetched in blocks. One that is not used is lost, which harms nothing: the ids only have to be unique. */
export class ExchangeIds {
  readonly #ids: bigint[] = []
  #fetching: Promise<void> = Promise.resolve()

  /** The next `count` ids; several callers are served one after the other. */
  async take(client: PoolClient, count: number): Promise<bigint[]> {
    const turn = this.#fetching.then(() => this.#fetch(client, count))
    const taken = turn.then(() => this.#ids.splice(0, count))
    this.#fetching = taken.then(
      () => undefined,
      () => undefined
    )
    return taken
  }

  async #fetch(client: PoolClient, count: number): Promise<void> {
    const missing = count - this.#ids.length
    if (missing <= 0) return
    const { rows } = await client.query<{ first: bigint }>(`select nextval('metering.exchange_id') as first from generate_series(1, $1)`, [
      Math.ceil(missing / blockSize)
    ])
    for (const { first } of rows) for (let n = 0; n < blockSize; n += 1) this.#ids.push(first + BigInt(n))
  }
}

const columns = 'id, day, at, key_version, gateway_id, bus, address, protocol, zone, identity, profile_hash, sha256, request, response'
const columnCount = 14
/** Below this many rows an INSERT takes less than a COPY. */
const leastCopied = 50
/** What a row takes beside request and response, about. */
const rowBytes = 400

export async function writeExchanges(client: PoolClient, exchanges: readonly ExchangeRow[]): Promise<void> {
  if (exchanges.length === 0) return
  if (exchanges.length < leastCopied) await insertExchanges(client, exchanges)
  else await copyExchanges(client, exchanges)
}

async function copyExchanges(client: PoolClient, exchanges: readonly ExchangeRow[]): Promise<void> {
  const bytes = exchanges.reduce((sum, each) => sum + rowBytes + each.request.length + each.response.length, 0)
  const copy = new CopyRows(columnCount, bytes)
  for (const { id, day, gateway, wire, request, response } of exchanges) {
    copy.row()
    copy.bigint(id)
    copy.date(day)
    copy.instant(wire.at)
    copy.integer(wire.keyVersion)
    copy.text(gateway)
    copy.text(wire.bus)
    copy.text(wire.address)
    copy.text(wire.protocol)
    copy.text(wire.zone)
    copy.json(JSON.stringify(wire.identity))
    copy.hex(wire.profile)
    copy.hex(wire.sha256)
    copy.bytes(request)
    copy.bytes(response)
  }
  await copy.send(client, `metering.exchange (${columns})`)
}

async function insertExchanges(client: PoolClient, exchanges: readonly ExchangeRow[]): Promise<void> {
  const column = <Value>(of: (exchange: ExchangeRow) => Value): Value[] => exchanges.map(of)
  await client.query({
    name: 'insert-exchanges',
    text: `insert into metering.exchange (${columns})
      select * from unnest($1::bigint[], $2::date[], $3::timestamptz[], $4::integer[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
        $10::jsonb[], $11::bytea[], $12::bytea[], $13::bytea[], $14::bytea[])`,
    values: [
      column((each) => each.id),
      column((each) => each.day),
      column((each) => instantText(each.wire.at)),
      column((each) => each.wire.keyVersion),
      column((each) => each.gateway),
      column((each) => each.wire.bus),
      column((each) => each.wire.address),
      column((each) => each.wire.protocol),
      column((each) => each.wire.zone),
      column((each) => JSON.stringify(each.wire.identity)),
      column((each) => Buffer.from(each.wire.profile, 'hex')),
      column((each) => Buffer.from(each.wire.sha256, 'hex')),
      column((each) => each.request),
      column((each) => each.response)
    ]
  })
}

/** ISO 8601 writes years beyond 9999 with a sign, which PostgreSQL doesn't read; a broken clock may say such a year. */
export function instantText(at: number): string {
  return toIso(at as EpochMs).replace(/^\+0?/, '')
}
