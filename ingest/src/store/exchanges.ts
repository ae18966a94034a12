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
/** What a row takes with an evidence of usual length, about. */
const rowBytes = 600

/** Exchanges of a batch. One is stored if a reading of it is: of most this is certain at once, and they are kept as they are sent. */
export class ExchangeRows {
  readonly #copy: CopyRows
  readonly #open: ExchangeRow[] = []
  #count = 0

  /** @param expected how many there will be at most */
  constructor(expected: number) {
    this.#copy = new CopyRows(columnCount, expected * rowBytes)
  }

  add(exchange: ExchangeRow, { certain }: { readonly certain: boolean }): void {
    if (certain) this.#encode(exchange)
    else this.#open.push(exchange)
  }

  /** @param referenced of those that were not certain to be stored, those that are */
  async write(client: PoolClient, referenced: ReadonlySet<bigint>): Promise<void> {
    for (const exchange of this.#open.splice(0)) if (referenced.has(exchange.id)) this.#encode(exchange)
    if (this.#count > 0) await this.#copy.send(client, `metering.exchange (${columns})`)
  }

  #encode({ id, day, gateway, wire, request, response }: ExchangeRow): void {
    const copy = this.#copy
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
    this.#count += 1
  }
}

/** ISO 8601 writes years beyond 9999 with a sign, which PostgreSQL doesn't read; a broken clock may say such a year. */
export function instantText(at: number): string {
  return toIso(at as EpochMs).replace(/^\+0?/, '')
}
