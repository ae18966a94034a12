import type { PoolClient } from '@endeks/database/pool'
import { AppError, type ErrorCode } from '@endeks/domain/errors'
import type { GatewayId } from '@endeks/domain/identifiers'
import { type Clock, type EpochMs, toIso } from '@endeks/domain/time'
import type { AckMessage, ReadingColumns } from '@endeks/domain/wire'
import type { Exchange } from '../formats/format.js'
import type { KillPoint } from '../kill-points.js'
import { storeAnswers } from '../store/downlink-answers.js'
import { type ExchangeIds, ExchangeRows } from '../store/exchanges.js'
import { type DeadLetterRow, insertDeadLetters, insertProfiles, type ProfileRow } from '../store/messages.js'
import { HopedReadings, type ReadingRow, type SortedReadings, storeReadings } from '../store/readings.js'
import { insertLosses, noteSequences, type SequenceLoss, type SequenceNumber } from '../store/sequences.js'
import { insertUnassigned, type UnassignedReason, type UnassignedRow } from '../store/unassigned.js'
import type { Message } from './message.js'
import { deadLetter, type Evidence, type Prepared } from './prepare.js'
import type { RecentReadings } from './recent-readings.js'
import type { Question, Resolved, Resolver } from './resolver.js'

/** A batch in rows: what goes into which table. */
export interface BatchRows {
  readonly readings: SortedReadings
  readonly readingCount: number
  /** one at least of each month that readings lie in */
  readonly instants: readonly EpochMs[]
  readonly unassigned: readonly UnassignedRow[]
  readonly exchanges: ExchangeRows
  readonly sequences: readonly SequenceNumber[]
  readonly losses: readonly SequenceLoss[]
  readonly profiles: readonly ProfileRow[]
  /** messages that answer a command */
  readonly answering: readonly Answering[]
  readonly letters: readonly DeadLetterRow[]
}

interface Answering {
  readonly gateway: GatewayId
  readonly ack: AckMessage
  readonly message: Prepared
}

export interface BatchResult {
  readonly stored: number
  readonly known: number
  readonly conflicts: number
  /** readings that nothing spoke for being known, and that were */
  readonly surprises: number
  readonly unassigned: number
  readonly losses: number
  readonly profiles: number
  readonly answers: number
  readonly deadLetters: number
  readonly deadLettersOverQuota: number
  /** the code of each dead letter, kept or not */
  readonly refusals: readonly ErrorCode[]
}

export interface AssembleDependencies {
  readonly clock: Clock
  readonly resolver: Resolver
  readonly exchangeIds: ExchangeIds
  /** what went by lately, which is looked up */
  readonly recent: RecentReadings
}

/**
 * Finds the register of every reading and numbers the exchanges. Reads the database, writes nothing. What was made of the
 * messages' bytes is let go: it has become rows.
 *
 * @param careful whether what has not gone by lately is doubted all the same
 */
export async function assemble(
  client: PoolClient,
  messages: readonly Message[],
  dependencies: AssembleDependencies & { readonly careful: boolean }
): Promise<BatchRows> {
  const prepared = messages.map((message) => message.prepared())
  const day = toIso(dependencies.clock.now()).slice(0, 10)
  const talks = prepared.flatMap(talksOf)
  const answers = await dependencies.resolver.resolve(client, talks)
  const ids = talks.length === 0 ? [] : await dependencies.exchangeIds.take(client, talks.length)
  const rows = new Rows(talks, dependencies)
  for (const [index, talk] of talks.entries()) {
    const id = ids[index]
    if (id === undefined) throw new AppError('INTERNAL', 'there are fewer exchange ids than exchanges')
    rows.place(talk, { id, day }, answers[index] ?? [])
  }
  for (const message of messages) message.letGo()
  const { hoped, doubted, suspect, unassigned, instants, exchanges } = rows
  return {
    ...{ readings: { hoped, doubted, suspect }, readingCount: hoped.count + doubted.length + suspect.length },
    ...{ instants, unassigned, exchanges },
    sequences: prepared.flatMap((each) => each.sequence ?? []),
    losses: prepared.flatMap((each) => each.loss ?? []),
    profiles: prepared.flatMap((each) => each.profiles ?? []),
    answering: prepared.flatMap((each) => (each.ack === undefined ? [] : [{ gateway: each.gateway, ack: each.ack, message: each }])),
    letters: prepared.flatMap((each) => each.deadLetter ?? [])
  }
}

/** One exchange of one message, with the readings that came from it: a run of the message's columns. */
interface Talk extends Question {
  readonly message: Prepared
  readonly columns: ReadingColumns
  /** where in the columns they begin */
  readonly first: number
  readonly wire: Exchange
  readonly evidence: Evidence
}

function talksOf(message: Prepared): Talk[] {
  const { gateway, readings, evidence } = message
  if (readings === undefined) return []
  const { columns, exchanges } = readings
  const talks: Talk[] = []
  for (let first = 0, end = 0; first < columns.exchange.length; first = end) {
    const place = columns.exchange[first] ?? 0
    while (columns.exchange[end] === place) end += 1
    const wire = exchanges[place]
    if (wire === undefined) throw new AppError('INTERNAL', `a reading is of exchange ${place}, and there are ${exchanges.length}`)
    const { bus, address, identity } = wire
    const [obis, at] = [columns.obis.slice(first, end), columns.at.slice(first, end)]
    talks.push({
      message,
      columns,
      first,
      wire,
      evidence: evidence[place] ?? noEvidence,
      place: { gateway, bus, address },
      identity,
      obis,
      at
    })
  }
  return talks
}

const noEvidence = { request: Buffer.alloc(0), response: Buffer.alloc(0) }
const hourMs = 3_600_000

/** Sorts readings: what has not gone by lately is hoped to be new, unless there is a reason to doubt it. */
class Rows {
  readonly hoped: HopedReadings
  readonly doubted: ReadingRow[] = []
  readonly suspect: ReadingRow[] = []
  readonly unassigned: UnassignedRow[] = []
  readonly instants: EpochMs[] = []
  readonly exchanges: ExchangeRows
  readonly #recent: RecentReadings
  readonly #careful: boolean

  constructor(talks: readonly Talk[], { recent, careful }: { readonly recent: RecentReadings; readonly careful: boolean }) {
    this.hoped = new HopedReadings(careful ? 0 : talks.reduce((sum, talk) => sum + talk.at.length, 0))
    this.exchanges = new ExchangeRows(talks.length)
    this.#recent = recent
    this.#careful = careful
  }

  place(talk: Talk, exchange: ExchangeKey, answers: readonly Resolved[]): void {
    const before = this.hoped.count
    for (let index = 0; index < talk.at.length; index += 1) {
      const answer = answers[index]
      if (answer === undefined) throw new AppError('INTERNAL', 'a reading was neither assigned nor set aside')
      if (typeof answer === 'bigint') this.#add(readingOf(talk, index, answer, exchange))
      else this.unassigned.push(unassignedOf(talk, index, answer, exchange))
    }
    const { message, wire, evidence } = talk
    this.exchanges.add({ ...exchange, gateway: message.gateway, wire, ...evidence }, { certain: this.hoped.count > before })
  }

  #add(row: ReadingRow): void {
    // Most instants lie in the hour of the one before, and no hour lies in two months.
    if (Math.floor(row.at / hourMs) !== Math.floor((this.instants.at(-1) ?? Number.NaN) / hourMs)) this.instants.push(row.at)
    if (this.#recent.seen(row.registerId, row.at)) this.suspect.push(row)
    else if (this.#careful) this.doubted.push(row)
    else this.hoped.add(row)
  }
}

interface ExchangeKey {
  readonly id: bigint
  readonly day: string
}

function readingOf({ columns, first, at }: Talk, index: number, registerId: bigint, exchange: ExchangeKey): ReadingRow {
  const entry = first + index
  return {
    registerId,
    at: entryOf(at, index),
    raw: entryOf(columns.raw, entry),
    scaler: entryOf(columns.scaler, entry),
    unit: entryOf(columns.unit, entry),
    status: entryOf(columns.status, entry),
    source: 'remote',
    exchangeId: exchange.id,
    exchangeDay: exchange.day
  }
}

function unassignedOf(talk: Talk, index: number, reason: UnassignedReason, exchange: ExchangeKey): UnassignedRow {
  const { message, wire, columns, first } = talk
  const { bus, address, identity } = wire
  const device = { deviceId: identity.id, manufacturer: identity.manufacturer ?? '' }
  const { at, raw, scaler, unit, status } = readingOf(talk, index, 0n, exchange)
  const obis = entryOf(columns.obis, first + index)
  const value = { obis, at, raw, scaler, unit, status, exchangeId: exchange.id, exchangeDay: exchange.day }
  return { gateway: message.gateway, bus, address, ...device, ...value, reason }
}

/** The columns were found to be of one length. */
function entryOf<Value>(column: readonly Value[], index: number): Value {
  const value = column[index]
  if (value === undefined) throw new AppError('INTERNAL', `a column ends before entry ${index}`)
  return value
}

export interface StoreOptions {
  readonly deadLettersPerDay: number
  readonly killPoint: KillPoint
  readonly day: string
}

/** Writes a batch in the caller's transaction: everything that its messages said, or nothing. */
export async function storeBatch(client: PoolClient, rows: BatchRows, options: StoreOptions): Promise<BatchResult> {
  const { killPoint } = options
  const readings = await storeReadings(client, rows.readings)
  const aside = await insertUnassigned(client, rows.unassigned)
  await rows.exchanges.write(client, new Set([...readings.exchangeIds, ...aside]))
  killPoint('accept:exchanges')
  await noteSequences(client, rows.sequences)
  await insertLosses(client, rows.losses)
  await insertProfiles(client, rows.profiles)
  const answers = await answerCommands(client, rows.answering)
  const letters = [...rows.letters, ...answers.strange]
  const kept = await insertDeadLetters(client, letters, { perDay: options.deadLettersPerDay, day: options.day })
  return {
    stored: readings.stored,
    known: rows.readingCount - readings.stored - readings.conflicts,
    conflicts: readings.conflicts,
    surprises: readings.surprises,
    unassigned: aside.length,
    losses: rows.losses.length,
    profiles: rows.profiles.length,
    answers: answers.stored,
    deadLetters: kept,
    deadLettersOverQuota: letters.length - kept,
    refusals: letters.map((letter) => letter.code)
  }
}

/** @returns how many commands were answered, and a dead letter for each answer to nothing that was asked of its gateway */
async function answerCommands(client: PoolClient, answering: readonly Answering[]): Promise<{ stored: number; strange: DeadLetterRow[] }> {
  const strange = new Set(await storeAnswers(client, answering))
  const letters = answering.flatMap((each) => (strange.has(each) ? [unaskedLetter(each.message)] : []))
  return { stored: answering.length - letters.length, strange: letters }
}

function unaskedLetter(message: Prepared): DeadLetterRow {
  return deadLetter(message, new AppError('COMMAND_UNKNOWN', `nothing was asked of ${message.gateway} that this could answer`))
}
