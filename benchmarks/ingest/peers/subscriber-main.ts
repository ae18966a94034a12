import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { ReadingsMessage } from '@endeks/domain/wire'
import pg from 'pg'
import { keepaliveS } from '../../support/gateway-connection.js'
import {
  connectPacket,
  PacketReader,
  pingPacket,
  pubackPacket,
  publishType,
  subackType,
  subscribePacket
} from '../../support/mqtt-packets.js'
import type { Style, SubscriberRequest } from './subscriber.js'

/** What people put behind Mosquitto, in a process of its own. It stores the readings alone: no evidence, no numbers, no spans. */

interface Row {
  readonly registerId: string
  readonly at: number
  readonly raw: string
  readonly scaler: number
  readonly unit: string
  readonly status: number
}

const [style, port] = process.argv.slice(2) as [Style, string]
const url = process.env['ENDEKS_DATABASE_URL'] ?? ''
/** As many as Node-RED's node for PostgreSQL opens. */
const connections = 10
// The product's pool gives up on what waits for ten seconds, as each row of a burst would here.
const pool = new pg.Pool({ connectionString: url, max: connections })
const registers = await readRegisters(pool)
let stored = 0
let lastStored = performance.now()

async function readRegisters(from: pg.Pool): Promise<ReadonlyMap<string, string>> {
  const { rows } = await from.query<{ serial: string; obis: string; id: string }>(
    'select m.serial, r.obis, r.id from account.register r join account.meter m on m.id = r.meter_id'
  )
  return new Map(rows.map(({ serial, obis, id }) => [`${serial} ${obis}`, id]))
}

function count(rows: number): void {
  stored += rows
  lastStored = performance.now()
}

function rowsOf(payload: Buffer): Row[] {
  const { exchanges, readings } = JSON.parse(payload.toString()) as ReadingsMessage
  return readings.exchange.map((exchange, n) => ({
    registerId: registers.get(`${exchanges[exchange]?.identity.id} ${readings.obis[n]}`) ?? '',
    at: readings.at[n] ?? 0,
    raw: readings.raw[n] ?? '',
    scaler: readings.scaler[n] ?? 0,
    unit: readings.unit[n] ?? '',
    status: readings.status[n] ?? 0
  }))
}

const instant = (milliseconds: string): string => `timestamptz 'epoch' + ${milliseconds} * interval '1 millisecond'`
const columns = 'register_id, at, raw, scaler, unit, status, source'

async function insertRow(row: Row): Promise<void> {
  await pool.query({
    name: 'insert-row',
    text: `insert into metering.reading (${columns}) values ($1, ${instant('$2::bigint')}, $3, $4, $5, $6, 'remote') on conflict do nothing`,
    values: [row.registerId, row.at, row.raw, row.scaler, row.unit, row.status]
  })
  count(1)
}

async function insertRows(rows: readonly Row[]): Promise<void> {
  const column = (of: (row: Row) => number | string): string => `{${rows.map(of).join(',')}}`
  await pool.query({
    name: 'insert-rows',
    text: `insert into metering.reading (${columns})
      select register_id, ${instant('at')}, raw, scaler, unit, status, 'remote'
      from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[], $5::text[], $6::integer[]) as t (register_id, at, raw, scaler, unit, status)
      on conflict do nothing`,
    values: [
      column((row) => row.registerId),
      column((row) => row.at),
      column((row) => row.raw),
      column((row) => row.scaler),
      column((row) => row.unit),
      column((row) => row.status)
    ]
  })
  count(rows.length)
}

interface Arrived {
  readonly packetId: number
  readonly rows: readonly Row[]
}

const batchRows = 10_000

/** One transaction at a time; what arrives meanwhile makes up the next. Two of them, by topic, so that no two insert the same keys. */
class Batches {
  readonly #socket: Socket
  #waiting: Arrived[] = []
  #working = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  add(message: Arrived): void {
    this.#waiting.push(message)
    if (!this.#working) void this.#work()
  }

  async #work(): Promise<void> {
    this.#working = true
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      let rows = 0
      const end = this.#waiting.findIndex((message) => {
        rows += message.rows.length
        return rows > batchRows
      })
      const batch = this.#waiting.splice(0, end < 0 ? this.#waiting.length : Math.max(1, end))
      await insertRows(batch.flatMap((message) => message.rows))
      this.#socket.write(Buffer.concat(batch.map(({ packetId }) => pubackPacket(packetId))))
    }
    this.#working = false
  }
}

async function subscribe(): Promise<void> {
  const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  setInterval(() => socket.write(pingPacket), (keepaliveS * 1_000) / 2)
  const lanes = [new Batches(socket), new Batches(socket)]
  const reader = new PacketReader()
  let isSubscribed: () => void
  const subscribed = new Promise<void>((resolve) => {
    isSubscribed = resolve
  })
  socket.on('data', (chunk: Buffer) =>
    reader.read(chunk, (type, _, body) => {
      if (type === subackType) isSubscribed()
      if (type !== publishType) return
      const topicEnd = 2 + body.readUInt16BE(0)
      const packetId = body.readUInt16BE(topicEnd)
      const rows = rowsOf(body.subarray(topicEnd + 2))
      if (style === 'batches') lanes[(body[topicEnd - '/readings'.length - 1] ?? 0) % 2]?.add({ packetId, rows })
      else {
        socket.write(pubackPacket(packetId))
        for (const row of rows) void insertRow(row)
      }
    })
  )
  // A session, so that what comes while this process is away waits for it. What has waited comes right behind the answer.
  socket.write(connectPacket({ clientId: 'subscriber', keepaliveS, session: true }))
  socket.write(subscribePacket('endeks/1/+/readings'))
  await subscribed
}

/** Nothing stored for so long, and no more will come. */
const quietMs = 5_000

process.on('message', ({ until }: SubscriberRequest) => {
  const asked = performance.now()
  const timer = setInterval(() => {
    const quiet = performance.now() - Math.max(asked, lastStored) > quietMs
    if (stored < until && !quiet) return
    clearInterval(timer)
    process.send?.({ stored })
  }, 5)
})
process.on('disconnect', () => process.exit(0))
await subscribe()
process.send?.({ ready: true })
