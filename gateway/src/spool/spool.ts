import { AppError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import { encodeReadings } from '@endeks/domain/wire'
import { type KillPoint, noKillPoint } from '../kill-points.js'
import type { Operation } from './database.js'
import type { HistoryMark } from './history-mark.js'
import { LossReport } from './loss-report.js'
import { type Loss, lossOperations, withLost, withoutAnnounced } from './losses.js'
import { type Displaced, oldestMessages } from './make-room.js'
import { type Drawer, decodeMessage, drawerEnd, encodeMessage, type Lane, messageKey, type SpooledMessage } from './message.js'
import { openOrSetAside } from './opening.js'
import { type Body, type MessageLimits, messageLimits, packReadouts, type Readout } from './pack.js'
import { type Salvage, salvageAll } from './salvage.js'
import { nextOperation, readRecord, type SpoolRecord, totalsOperation } from './state.js'
import { reserveOf, Store } from './store.js'

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

export interface SpoolState {
  readonly messages: number
  readonly bytes: number
  /** to the size limit, since the start */
  readonly lostMessages: number
  readonly lostReadings: number
  /** ranges of lost messages whose loss was not acknowledged yet */
  readonly lossesToAnnounce: number
  /** whether appending waits for room on the disk */
  readonly diskFull: boolean
}

export interface SpoolOptions {
  readonly directory: string
  readonly maxBytes: number
  readonly log: Log
  readonly limits?: MessageLimits
  readonly killPoint?: KillPoint
  /** called once when nothing more can be kept; what was read after that is lost with the process */
  readonly onFailure?: (error: AppError) => void
  /** how long after the disk was found full it is looked at again; 5 s unless told */
  readonly checkAfterMs?: number
  /** a sixteenth of `maxBytes` unless told, 16 MB at most */
  readonly reserveBytes?: number
}

/** What a range of messages to hand out is. */
export interface Range {
  /** both inclusive */
  readonly first: number
  readonly last: number
  readonly limit: number
  readonly newestFirst?: boolean
}

/** Disk kept for the day when it is full: what LevelDB needs to open, to forget and to clear away. */
const mostReserveBytes = 16 * 1_048_576

/**
 * Messages on disk until they are acknowledged. What `append` has answered for is there after a SIGKILL, under the same epoch
 * and sequence; a trim may be forgotten by one, and the message is then published again and changes nothing.
 */
export class Spool {
  readonly #options: SpoolOptions
  readonly #killPoint: KillPoint
  readonly #report: LossReport
  readonly #listeners = new Set<() => void>()
  /** marks deleted with a lost message since they were last asked for: what was read before that must not set them again */
  readonly #forgotten = new Set<string>()
  /** nothing is left up to these numbers */
  readonly #emptyTo: Record<Drawer, number> = { live: 0, salvaged: 0, backlog: 0 }
  readonly #toTrim: Pick<SpooledMessage, 'drawer' | 'sequence' | 'bytes'>[] = []
  #trimming: Promise<void> | undefined
  readonly #store: Store
  #record: SpoolRecord

  private constructor(options: SpoolOptions, store: Store, record: SpoolRecord) {
    this.#options = options
    this.#killPoint = options.killPoint ?? noKillPoint
    this.#report = new LossReport(options.log)
    this.#store = store
    this.#record = record
  }

  /** Opens the spool or begins a new one, with a new epoch. @throws {AppError} of `openOrSetAside` */
  static async open(options: SpoolOptions): Promise<Spool> {
    const { directory, log, killPoint = noKillPoint, onFailure = () => {}, checkAfterMs = 5_000 } = options
    const { reserveBytes = Math.min(mostReserveBytes, Math.floor(options.maxBytes / 16)) } = options
    const database = await openOrSetAside({ directory, reserve: reserveOf({ directory, reserveBytes }), log, killPoint })
    const record = await readRecord(database)
    let spool: Spool | undefined
    const store = await Store.begin(
      {
        directory,
        reserveBytes,
        log,
        killPoint,
        checkAfterMs,
        onFailure,
        onOpened: async (reopened) => {
          const read = await readRecord(reopened)
          if (spool !== undefined) spool.#record = read
        }
      },
      database
    )
    spool = new Spool(options, store, record)
    const opened = spool
    await salvageAll({ directory, log, killPoint, keep: (salvage) => opened.#takeOver(salvage) })
    return opened
  }

  get epoch(): string {
    return this.#record.epoch
  }

  get state(): SpoolState {
    const { messages, bytes, losses } = this.#record
    const { messages: lostMessages, readings: lostReadings } = this.#report.totals
    return { messages, bytes, lostMessages, lostReadings, lossesToAnnounce: losses.length, diskFull: this.#store.full }
  }

  /** The sequence of the lane's next message. */
  next(lane: Lane): number {
    return this.#record.next[lane]
  }

  /**
   * Makes the batch durable: once this resolves, its messages will be published. While the disk is full it waits, so that whoever reads
   * meters stops reading, and nothing that was read is lost.
   *
   * @throws {AppError} SPOOL_DISK_FULL when the spool is closed meanwhile; SPOOL_FAILED, SPOOL_DAMAGED when nothing more can be kept
   */
  async append(batch: SpoolBatch): Promise<void> {
    const { bodies, tooLarge } = packReadouts(batch.readouts, this.#options.limits ?? messageLimits)
    for (const { exchange } of tooLarge) {
      this.#options.log.error('readout too large for a message', {
        code: 'EXCHANGE_TOO_LARGE',
        bus: exchange.bus,
        address: exchange.address,
        bytes: exchange.request.length + exchange.response.length
      })
    }
    while (!(await this.#store.serially(() => this.#append(batch, bodies)))) await this.#store.room()
    for (const listener of this.#listeners) listener()
  }

  /** @returns false when the disk is full */
  async #append({ lane, profiles, marks }: SpoolBatch, bodies: readonly Body[]): Promise<boolean> {
    if (this.#store.full) return false
    const before = this.#record
    const operations: Operation[] = []
    let [bytes, sequence, order] = [0, before.next[lane], before.order]
    for (const body of bodies) {
      const text = JSON.stringify(encodeReadings({ epoch: before.epoch, lane, sequence, ...body }))
      const used = [...new Set(body.exchanges.map((each) => each.profile))]
      const value = encodeMessage({ order, readings: body.readings.length, profiles: used }, text)
      operations.push({ type: 'put', key: messageKey(lane, sequence), value })
      bytes += Buffer.byteLength(value)
      sequence += 1
      order += 1
    }
    operations.push(nextOperation(lane, sequence, order))
    for (const { hash, content } of profiles) operations.push({ type: 'put', key: `profile!${hash}`, value: content })
    const displaced = await this.#displacedBy(bytes)
    const lostMarks = new Set(displaced.flatMap(marksOf))
    for (const { bus, address, mark } of marks) {
      const key = markKey(bus, address)
      if (!lostMarks.has(key) && !this.#forgotten.has(key)) operations.push({ type: 'put', key, value: JSON.stringify(mark) })
    }
    for (const key of lostMarks) operations.push({ type: 'del', key })
    const after = {
      ...withoutMessages(before, displaced),
      next: { ...before.next, [lane]: sequence },
      order
    }
    const record = { ...after, messages: after.messages + bodies.length, bytes: after.bytes + bytes }
    this.#killPoint('append.before')
    const deletions = displaced.map((each) => ({ type: 'del', key: messageKey(each.drawer, each.sequence) }) as const)
    const written = await this.#store.write(
      [...deletions, ...operations, ...lossOperations(before.losses, record.losses), totalsOperation(record)],
      true
    )
    if (!written) return false
    this.#killPoint('append.written')
    this.#record = record
    for (const key of lostMarks) this.#forgotten.add(key)
    for (const { drawer, sequence: last, wire, readings } of displaced) {
      this.#emptyTo[drawer] = last
      this.#report.add({ ...wire, readings })
    }
    this.#report.tell()
    return true
  }

  async #displacedBy(bytes: number): Promise<Displaced[]> {
    const over = this.#record.bytes + bytes - this.#options.maxBytes
    if (over <= 0) return []
    return this.#store.read((database) => oldestMessages(database, { bytes: over, from: this.#emptyTo }))
  }

  /** Messages of a drawer, oldest first unless told. */
  range(drawer: Drawer, { first, last, limit, newestFirst = false }: Range): Promise<SpooledMessage[]> {
    const bounds = { gte: messageKey(drawer, first), lte: messageKey(drawer, last), limit, reverse: newestFirst }
    return this.#store.serially(() =>
      this.#store.read(async (database) => (await database.iterator(bounds).all()).map(([key, value]) => decodeMessage(key, value)))
    )
  }

  /**
   * Forgets an acknowledged message. Those that come while the disk is busy are forgotten by one write.
   *
   * @throws {AppError} SPOOL_DISK_FULL when not even the reserve has room for that
   */
  trim(message: Pick<SpooledMessage, 'drawer' | 'sequence' | 'bytes'>): Promise<void> {
    this.#toTrim.push(message)
    this.#trimming ??= this.#store.serially(() => {
      this.#trimming = undefined
      return this.#trim(this.#toTrim.splice(0))
    })
    return this.#trimming
  }

  async #trim(messages: readonly Pick<SpooledMessage, 'drawer' | 'sequence' | 'bytes'>[]): Promise<void> {
    const keys = messages.map(({ drawer, sequence }) => messageKey(drawer, sequence))
    // Trimmed already, or lost to the size limit while it was under way.
    const there = await this.#store.read((database) => database.hasMany(keys))
    const operations = new Map<string, Operation>()
    let { messages: count, bytes } = this.#record
    for (const [index, key] of keys.entries()) {
      if (there[index] !== true || operations.has(key)) continue
      operations.set(key, { type: 'del', key })
      count -= 1
      bytes -= messages[index]?.bytes ?? 0
    }
    if (operations.size === 0) return
    const record = { ...this.#record, messages: count, bytes }
    this.#killPoint('trim.before')
    // Not synced: a message whose trim is lost with the power is sent again, and ingest knows it already.
    if (!(await this.#store.write([...operations.values(), totalsOperation(record)], false))) throw noRoomToForget()
    this.#killPoint('trim.written')
    this.#record = record
  }

  /** What was lost to the size limit and is not known to the receiver yet. */
  get losses(): readonly Loss[] {
    return this.#record.losses
  }

  /** Forgets a loss whose announcement was acknowledged. @throws {AppError} SPOOL_DISK_FULL as `trim` */
  forgetLoss(announced: Loss): Promise<void> {
    return this.#store.serially(async () => {
      const { losses } = this.#record
      const left = withoutAnnounced(losses, announced)
      this.#killPoint('loss.before-forgetting')
      if (!(await this.#store.write(lossOperations(losses, left), false))) throw noRoomToForget()
      this.#killPoint('loss.forgotten')
      this.#record = { ...this.#record, losses: left }
    })
  }

  /** The text of a profile that a spooled message was read with, also when no site file names it any more. */
  profile(hash: string): Promise<string | undefined> {
    return this.#store.serially(() => this.#store.read((database) => database.get(`profile!${hash}`)))
  }

  /** How far a meter's history is delivered; undefined also after some of it was lost, so that it is read again. */
  async historyMark(bus: string, address: string): Promise<HistoryMark | undefined> {
    const key = markKey(bus, address)
    this.#forgotten.delete(key)
    const text = await this.#store.serially(() => this.#store.read((database) => database.get(key)))
    return text === undefined ? undefined : (JSON.parse(text) as HistoryMark)
  }

  /** Resolves while the disk has room: whoever would read a meter waits here, and asks it for values of then. */
  room(): Promise<void> {
    return this.#store.room()
  }

  /** Calls `listener` after each append. @returns what ends it */
  onAppend(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    this.#report.close()
    await this.#store.close()
  }

  /** Keeps what a damaged spool held as it is: its epoch and numbers stand in the messages. They are the oldest. */
  #takeOver({ messages, profiles, losses }: Salvage): Promise<boolean> {
    return this.#store.serially(async () => {
      if (this.#store.full) return false
      const [last] = await this.#store.read((database) =>
        database.keys({ gt: messageKey('salvaged', 0), lt: drawerEnd('salvaged'), reverse: true, limit: 1 }).all()
      )
      let sequence = last === undefined ? 1 : Number(last.slice(last.lastIndexOf('!') + 1)) + 1
      const operations: Operation[] = profiles.map(({ hash, content }) => ({ type: 'put', key: `profile!${hash}`, value: content }))
      let { messages: count, bytes } = this.#record
      for (const { text, readings, profiles: used } of messages) {
        const value = encodeMessage({ order: 0, readings, profiles: used }, text)
        operations.push({ type: 'put', key: messageKey('salvaged', sequence), value })
        bytes += Buffer.byteLength(value)
        count += 1
        sequence += 1
      }
      const record = { ...this.#record, messages: count, bytes, losses: [...this.#record.losses, ...losses] }
      operations.push(...lossOperations(this.#record.losses, record.losses), totalsOperation(record))
      if (!(await this.#store.write(operations, true))) return false
      this.#record = record
      return true
    })
  }
}

function noRoomToForget(): AppError {
  return new AppError('SPOOL_DISK_FULL', 'the disk is so full that what was delivered can not even be forgotten: it will be sent again')
}

/** With a lost message of the backlog go the marks of its meters, for the values may still be there to be read. */
function marksOf({ wire }: Displaced): string[] {
  return wire.lane === 'backlog' ? wire.exchanges.map(({ bus, address }) => markKey(bus, address)) : []
}

function withoutMessages(record: SpoolRecord, displaced: readonly Displaced[]): SpoolRecord {
  let { messages, bytes, losses } = record
  for (const each of displaced) {
    messages -= 1
    bytes -= each.bytes
    losses = withLost(losses, { epoch: each.wire.epoch, lane: each.wire.lane, sequence: each.wire.sequence, readings: each.readings })
  }
  return { ...record, messages, bytes, losses }
}

function markKey(bus: string, address: string): string {
  return `history!${bus}!${address}`
}
