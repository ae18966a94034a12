import { randomBytes } from 'node:crypto'
import { withCode } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import { encodeReadings, type ReadingsMessage } from '@endeks/domain/wire'
import { ClassicLevel } from 'classic-level'
import type { HistoryMark } from './history-mark.js'
import { type MessageLimits, messageLimits, packReadouts, type Readout } from './pack.js'

export const lanes = ['live', 'backlog'] as const
export type Lane = (typeof lanes)[number]

export interface AnnouncedProfile {
  readonly hash: string
  readonly content: string
}

/** What is made durable together: readouts, the profiles they were read with, and how far a meter's history is delivered. */
export interface SpoolBatch {
  readonly lane: Lane
  readonly readouts: readonly Readout[]
  readonly profiles: readonly AnnouncedProfile[]
  readonly marks: readonly { readonly bus: string; readonly address: string; readonly mark: HistoryMark }[]
}

export interface SpooledMessage {
  readonly lane: Lane
  readonly sequence: number
  /** the message's JSON as published */
  readonly text: string
  readonly readings: number
  /** hashes of the profiles that must be announced before it */
  readonly profiles: readonly string[]
}

export interface SpoolState {
  readonly messages: number
  readonly bytes: number
  readonly lostMessages: number
  readonly lostReadings: number
}

export interface SpoolOptions {
  readonly directory: string
  readonly maxBytes: number
  readonly log: Log
  readonly limits?: MessageLimits
  /** called at the named points of a write; a test ends the process there */
  readonly at?: (point: SpoolPoint) => void
}

export type SpoolPoint = 'append.before' | 'append.written' | 'trim.before' | 'trim.written'

/** Beside a message: its place in the order of all lanes, and what can be known without parsing it. */
interface Header {
  readonly order: number
  readonly readings: number
  readonly profiles: readonly string[]
}

type Database = ClassicLevel<string, string>
type Operation = { readonly type: 'put'; readonly key: string; readonly value: string } | { readonly type: 'del'; readonly key: string }

/**
 * Messages on disk until they are acknowledged. What `append` has answered for is there after a SIGKILL, under the same epoch
 * and sequence; a trim may be forgotten by one, and the message is then published again and changes nothing.
 */
export class Spool {
  readonly #database: Database
  readonly #options: SpoolOptions
  readonly #epoch: string
  readonly #next: Record<Lane, number>
  readonly #listeners = new Set<() => void>()
  /** of what was handed out and not yet trimmed, so that a trim need not read what it deletes */
  readonly #sizes = new Map<string, number>()
  /** marks deleted with a lost message since they were last asked for: what was read before that must not set them again */
  readonly #forgotten = new Set<string>()
  #order: number
  #messages: number
  #bytes: number
  #lostMessages = 0
  #lostReadings = 0
  /** writes one behind the other: sequences are counted in memory */
  #tail: Promise<unknown> = Promise.resolve()

  private constructor(options: SpoolOptions, database: Database, state: OpenState) {
    this.#options = options
    this.#database = database
    this.#epoch = state.epoch
    this.#next = state.next
    this.#order = state.order
    this.#messages = state.messages
    this.#bytes = state.bytes
  }

  /** Opens the spool or begins a new one, with a new epoch. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const database: Database = new ClassicLevel(options.directory, { keyEncoding: 'utf8', valueEncoding: 'utf8' })
    await withCode('DATA_DIRECTORY_IN_USE', `the spool ${options.directory} can't be opened: is another gateway using it?`, () =>
      database.open()
    )
    return new Spool(options, database, await readState(database))
  }

  get epoch(): string {
    return this.#epoch
  }

  get state(): SpoolState {
    return { messages: this.#messages, bytes: this.#bytes, lostMessages: this.#lostMessages, lostReadings: this.#lostReadings }
  }

  /** Makes the batch durable: once this resolves, its messages will be published. */
  append(batch: SpoolBatch): Promise<void> {
    return this.#serially(async () => {
      const { bodies, tooLarge } = packReadouts(batch.readouts, this.#options.limits ?? messageLimits)
      for (const { exchange } of tooLarge) {
        this.#options.log.error('readout too large for a message', {
          code: 'EXCHANGE_TOO_LARGE',
          bus: exchange.bus,
          address: exchange.address,
          bytes: exchange.request.length + exchange.response.length
        })
      }
      const operations: Operation[] = []
      let [bytes, sequence, order] = [0, this.#next[batch.lane], this.#order]
      for (const body of bodies) {
        const text = JSON.stringify(encodeReadings({ epoch: this.#epoch, lane: batch.lane, sequence, ...body }))
        const header: Header = { order, readings: body.readings.length, profiles: [...new Set(body.exchanges.map((each) => each.profile))] }
        const value = `${JSON.stringify(header)}\n${text}`
        operations.push({ type: 'put', key: messageKey(batch.lane, sequence), value })
        bytes += Buffer.byteLength(value)
        sequence += 1
        order += 1
      }
      operations.push({ type: 'put', key: nextKey(batch.lane), value: JSON.stringify({ sequence, order }) })
      for (const { hash, content } of batch.profiles) operations.push({ type: 'put', key: `profile!${hash}`, value: content })
      const freed = await this.#makeRoom(bytes)
      for (const { bus, address, mark } of batch.marks) {
        const key = markKey(bus, address)
        if (!freed.marks.has(key) && !this.#forgotten.has(key)) operations.push({ type: 'put', key, value: JSON.stringify(mark) })
      }
      for (const key of freed.marks) operations.push({ type: 'del', key })
      this.#options.at?.('append.before')
      await this.#database.batch([...freed.operations, ...operations], { sync: true })
      this.#options.at?.('append.written')
      this.#next[batch.lane] = sequence
      this.#order = order
      this.#bytes += bytes - freed.bytes
      this.#messages += bodies.length - freed.messages
      this.#lostMessages += freed.messages
      this.#lostReadings += freed.readings
      for (const { key } of freed.operations) this.#sizes.delete(key)
      for (const key of freed.marks) this.#forgotten.add(key)
      for (const listener of this.#listeners) listener()
    })
  }

  /** The lane's messages after `sequence`, oldest first. */
  async next(lane: Lane, after: number, limit: number): Promise<SpooledMessage[]> {
    const found: SpooledMessage[] = []
    for await (const [key, value] of this.#database.iterator({ gt: messageKey(lane, after), lt: `message!${lane}~`, limit })) {
      const { header, text } = splitValue(value)
      this.#sizes.set(key, Buffer.byteLength(value))
      found.push({ lane, sequence: sequenceOf(key), text, readings: header.readings, profiles: header.profiles })
    }
    return found
  }

  /** Forgets an acknowledged message. */
  trim(lane: Lane, sequence: number): Promise<void> {
    return this.#serially(async () => {
      const key = messageKey(lane, sequence)
      const known = this.#sizes.get(key)
      this.#sizes.delete(key)
      // Trimmed already, or lost to the size limit while it was under way.
      if (!(await this.#database.has(key))) return
      const size = known ?? Buffer.byteLength((await this.#database.get(key)) ?? '')
      this.#options.at?.('trim.before')
      // Not synced: a message whose trim is lost with the power is sent again, and ingest knows it already.
      await this.#database.del(key, { sync: false })
      this.#options.at?.('trim.written')
      this.#bytes -= size
      this.#messages -= 1
    })
  }

  /** The text of a profile that a spooled message was read with, also when no site file names it any more. */
  profile(hash: string): Promise<string | undefined> {
    return this.#database.get(`profile!${hash}`)
  }

  /** How far a meter's history is delivered; undefined also after some of it was lost, so that it is read again. */
  async historyMark(bus: string, address: string): Promise<HistoryMark | undefined> {
    const key = markKey(bus, address)
    this.#forgotten.delete(key)
    const text = await this.#database.get(key)
    return text === undefined ? undefined : (JSON.parse(text) as HistoryMark)
  }

  /** Calls `listener` after each append. @returns what ends it */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    await this.#serially(() => this.#database.close())
  }

  /**
   * What must go so that `bytes` fit: the oldest messages, whatever their lane. With one of the backlog go the marks of its
   * meters, for the values may still be there to be read.
   */
  async #makeRoom(bytes: number): Promise<Freed> {
    const freed: Freed = { operations: [], marks: new Set(), bytes: 0, messages: 0, readings: 0 }
    const after: Record<Lane, number> = { live: 0, backlog: 0 }
    while (this.#bytes - freed.bytes + bytes > this.#options.maxBytes && this.#messages > freed.messages) {
      const heads = await Promise.all(lanes.map((lane) => this.#head(lane, after[lane])))
      const oldest = heads.filter((head) => head !== undefined).sort((left, right) => left.order - right.order)[0]
      if (oldest === undefined) break
      after[oldest.lane] = oldest.sequence
      freed.operations.push({ type: 'del', key: messageKey(oldest.lane, oldest.sequence) })
      freed.bytes += oldest.bytes
      freed.messages += 1
      freed.readings += oldest.readings
      if (oldest.lane === 'backlog') for (const { bus, address } of oldest.places) freed.marks.add(markKey(bus, address))
      const { lane, sequence, readings } = oldest
      this.#options.log.error('spool full, oldest message lost', { code: 'SPOOL_LOST', epoch: this.#epoch, lane, sequence, readings })
    }
    return freed
  }

  async #head(lane: Lane, after: number): Promise<Head | undefined> {
    for await (const [key, value] of this.#database.iterator({ gt: messageKey(lane, after), lt: `message!${lane}~`, limit: 1 })) {
      const { header, text } = splitValue(value)
      const { order, readings } = header
      const { exchanges } = JSON.parse(text) as Pick<ReadingsMessage, 'exchanges'>
      return { lane, sequence: sequenceOf(key), order, bytes: Buffer.byteLength(value), readings, places: exchanges }
    }
    return undefined
  }

  #serially<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#tail.then(work)
    // The caller sees the failure; the queue goes on.
    this.#tail = done.catch(() => {})
    return done
  }
}

interface Freed {
  readonly operations: Operation[]
  readonly marks: Set<string>
  bytes: number
  messages: number
  readings: number
}

/** The oldest message of a lane. */
interface Head {
  readonly lane: Lane
  readonly sequence: number
  readonly order: number
  readonly bytes: number
  readonly readings: number
  readonly places: readonly { readonly bus: string; readonly address: string }[]
}

interface OpenState {
  readonly epoch: string
  readonly next: Record<Lane, number>
  readonly order: number
  readonly messages: number
  readonly bytes: number
}

async function readState(database: Database): Promise<OpenState> {
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
  let [messages, bytes] = [0, 0]
  for await (const value of database.values({ gt: 'message!', lt: 'message~' })) {
    messages += 1
    bytes += Buffer.byteLength(value)
  }
  return { epoch, next, order, messages, bytes }
}

function messageKey(lane: Lane, sequence: number): string {
  return `message!${lane}!${String(sequence).padStart(16, '0')}`
}

function sequenceOf(key: string): number {
  return Number(key.slice(key.lastIndexOf('!') + 1))
}

function nextKey(lane: Lane): string {
  return `next!${lane}`
}

function markKey(bus: string, address: string): string {
  return `history!${bus}!${address}`
}

function splitValue(value: string): { readonly header: Header; readonly text: string } {
  const end = value.indexOf('\n')
  return { header: JSON.parse(value.slice(0, end)) as Header, text: value.slice(end + 1) }
}
