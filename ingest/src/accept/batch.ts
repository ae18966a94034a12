import type { PoolClient } from '@endeks/database/pool'
import { AppError, type ErrorCode } from '@endeks/domain/errors'
import { type Clock, type EpochMs, toIso } from '@endeks/domain/time'
import type { ReadingColumns } from '@endeks/domain/wire'
import type { Exchange } from '../formats/format.js'
import type { KillPoint } from '../kill-points.js'
import { storeAnswers } from '../store/downlink-answers.js'
import { type ExchangeIds, type ExchangeRow, writeExchanges } from '../store/exchanges.js'
import { type DeadLetterRow, insertDeadLetters, insertProfiles } from '../store/messages.js'
import { HopedReadings, type ReadingRow, type SortedReadings, storeReadings } from '../store/readings.js'
import { insertLosses, noteSequences } from '../store/sequences.js'
import { insertUnassigned, type UnassignedRow } from '../store/unassigned.js'
import { deadLetter, type Evidence, type Prepared } from './prepare.js'
import type { RecentReadings } from './recent-readings.js'
import type { Question, Resolved, Resolver } from './resolver.js'

/** A batch in rows: what goes into which table. */
export interface BatchRows {
  readonly messages: readonly Prepared[]
  readonly readings: SortedReadings
  readonly readingCount: number
  /** one at least of each month that readings lie in */
  readonly instants: readonly EpochMs[]
  readonly unassigned: readonly UnassignedRow[]
  readonly exchanges: readonly ExchangeRow[]
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
 * Finds the register of every reading and numbers the exchanges. Reads the database, writes nothing.
 *
 * @param careful whether what has not gone by lately is doubted all the same
 */
export async function assemble(
  client: PoolClient,
  messages: readonly Prepared[],
  dependencies: AssembleDependencies & { readonly careful: boolean }
): Promise<BatchRows> {
  const day = toIso(dependencies.clock.now()).slice(0, 10)
  const talks = messages.flatMap(talksOf)
  const answers = await dependencies.resolver.resolve(client, talks)
  const ids = talks.length === 0 ? [] : await dependencies.exchangeIds.take(client, talks.length)
  const rows = new Rows(talks, dependencies)
  const exchanges: ExchangeRow[] = []
  for (const [index, talk] of talks.entries()) {
    const id = ids[index]
    if (id === undefined) throw new AppError('INTERNAL', 'there are fewer exchange ids than exchanges')
    const { message, wire, evidence } = talk
    exchanges.push({ id, day, gateway: message.gateway, wire, request: evidence.request, response: evidence.response })
    rows.place(talk, { id, day }, answers[index] ?? [])
  }
  const { hoped, doubted, suspect, unassigned, instants } = rows
  const readingCount = hoped.count + doubted.length + suspect.length
  return { messages, readings: { hoped, doubted, suspect }, readingCount, instants, unassigned, exchanges }
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
  readonly #recent: RecentReadings
  readonly #careful: boolean

  constructor(talks: readonly Talk[], { recent, careful }: { readonly recent: RecentReadings; readonly careful: boolean }) {
    this.hoped = new HopedReadings(careful ? 0 : talks.reduce((sum, talk) => sum + talk.at.length, 0))
    this.#recent = recent
    this.#careful = careful
  }

  place(talk: Talk, exchange: { readonly id: bigint; readonly day: string }, answers: readonly Resolved[]): void {
    const { columns, first } = talk
    for (const [index, at] of talk.at.entries()) {
      const answer = answers[index]
      const [obis, raw, unit] = [columns.obis[first + index], columns.raw[first + index], columns.unit[first + index]]
      if (answer === undefined || obis === undefined || raw === undefined || unit === undefined) {
        throw new AppError('INTERNAL', 'a reading was neither assigned nor set aside')
      }
      const [scaler, status] = [columns.scaler[first + index] ?? 0, columns.status[first + index] ?? 0]
      const value = { at, raw, scaler, unit, status, exchangeId: exchange.id, exchangeDay: exchange.day }
      if (typeof answer === 'bigint') this.#add({ registerId: answer, source: 'remote', ...value })
      else this.#setAside(talk, { obis, reason: answer, ...value })
    }
  }

  #add(row: ReadingRow): void {
    // Most instants lie in the hour of the one before, and no hour lies in two months.
    if (Math.floor(row.at / hourMs) !== Math.floor((this.instants.at(-1) ?? Number.NaN) / hourMs)) this.instants.push(row.at)
    if (this.#recent.seen(row.registerId, row.at)) this.suspect.push(row)
    else if (this.#careful) this.doubted.push(row)
    else this.hoped.add(row)
  }

  #setAside({ message, wire }: Talk, reading: Omit<UnassignedRow, 'gateway' | 'bus' | 'address' | 'deviceId' | 'manufacturer'>): void {
    const { bus, address, identity } = wire
    const device = { deviceId: identity.id, manufacturer: identity.manufacturer ?? '' }
    this.unassigned.push({ gateway: message.gateway, bus, address, ...device, ...reading })
  }
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
  const referenced = new Set([...readings.exchangeIds, ...aside])
  await writeExchanges(
    client,
    rows.exchanges.filter((exchange) => referenced.has(exchange.id))
  )
  killPoint('accept:exchanges')
  await noteSequences(
    client,
    rows.messages.flatMap((message) => message.sequence ?? [])
  )
  const losses = rows.messages.flatMap((message) => message.loss ?? [])
  await insertLosses(client, losses)
  const profiles = rows.messages.flatMap((message) => message.profiles ?? [])
  await insertProfiles(client, profiles)
  const answers = await answerCommands(client, rows.messages)
  const letters = [...rows.messages.flatMap((message) => message.deadLetter ?? []), ...answers.strange]
  const kept = await insertDeadLetters(client, letters, { perDay: options.deadLettersPerDay, day: options.day })
  return {
    stored: readings.stored,
    known: rows.readingCount - readings.stored - readings.conflicts,
    conflicts: readings.conflicts,
    surprises: readings.surprises,
    unassigned: aside.length,
    losses: losses.length,
    profiles: profiles.length,
    answers: answers.stored,
    deadLetters: kept,
    deadLettersOverQuota: letters.length - kept,
    refusals: letters.map((letter) => letter.code)
  }
}

/** @returns how many commands were answered, and a dead letter for each answer to nothing that was asked of its gateway */
async function answerCommands(client: PoolClient, messages: readonly Prepared[]): Promise<{ stored: number; strange: DeadLetterRow[] }> {
  const answering = messages.flatMap((message) =>
    message.ack === undefined ? [] : [{ gateway: message.gateway, ack: message.ack, message }]
  )
  const strange = new Set(await storeAnswers(client, answering))
  const letters = answering.flatMap((each) => (strange.has(each) ? [unaskedLetter(each.message)] : []))
  return { stored: answering.length - letters.length, strange: letters }
}

function unaskedLetter(message: Prepared): DeadLetterRow {
  return deadLetter(message, new AppError('COMMAND_UNKNOWN', `nothing was asked of ${message.gateway} that this could answer`))
}
