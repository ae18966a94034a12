import { randomBytes } from 'node:crypto'
import type { Database, Operation } from './database.js'
import type { Loss } from './losses.js'
import { type Lane, lanes } from './message.js'

/** What a spool knows of itself without reading its messages. */
export interface SpoolRecord {
  readonly epoch: string
  /** the sequence of each lane's next message */
  readonly next: Readonly<Record<Lane, number>>
  /** the place of the next message in the order of all drawers */
  readonly order: number
  readonly messages: number
  readonly bytes: number
  readonly losses: readonly Loss[]
}

const totalsKey = 'totals'

function nextKey(lane: Lane): string {
  return `next!${lane}`
}

/** Written with every batch: a spool of a gigabyte is not read through to know how much it holds. */
export function totalsOperation({ messages, bytes }: Pick<SpoolRecord, 'messages' | 'bytes'>): Operation {
  return { type: 'put', key: totalsKey, value: JSON.stringify({ messages, bytes }) }
}

export function nextOperation(lane: Lane, sequence: number, order: number): Operation {
  return { type: 'put', key: nextKey(lane), value: JSON.stringify({ sequence, order }) }
}

/** What stands on the disk; a spool that is new gets its epoch. */
export async function readRecord(database: Database): Promise<SpoolRecord> {
  let epoch = await database.get('epoch')
  if (epoch === undefined) {
    epoch = randomBytes(8).toString('hex')
    await database.put('epoch', epoch, { sync: true })
  }
  const next: Record<Lane, number> = { live: 1, backlog: 1 }
  let order = 1
  for (const lane of lanes) {
    const text = await database.get(nextKey(lane))
    if (text === undefined) continue
    const kept = JSON.parse(text) as { sequence: number; order: number }
    next[lane] = kept.sequence
    order = Math.max(order, kept.order)
  }
  const losses = (await database.values({ gt: 'lost!', lt: 'lost~' }).all()).map((text) => JSON.parse(text) as Loss)
  return { epoch, next, order, ...((await readTotals(database)) ?? (await count(database))), losses }
}

/** Whether every message is there of which the totals tell. */
export async function isWhole(database: Database): Promise<boolean> {
  const totals = await readTotals(database)
  return totals?.messages === (totals === undefined ? undefined : (await count(database)).messages)
}

type Totals = Pick<SpoolRecord, 'messages' | 'bytes'>

async function readTotals(database: Database): Promise<Totals | undefined> {
  const text = await database.get(totalsKey)
  return text === undefined ? undefined : (JSON.parse(text) as Totals)
}

/** For a spool of before totals were kept. */
async function count(database: Database): Promise<Totals> {
  let [messages, bytes] = [0, 0]
  for await (const value of database.values({ gt: 'message!', lt: 'message~' })) {
    messages += 1
    bytes += Buffer.byteLength(value)
  }
  return { messages, bytes }
}
