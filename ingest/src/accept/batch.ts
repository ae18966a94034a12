import type { PoolClient } from '@endeks/database/pool'
import { AppError, type ErrorCode } from '@endeks/domain/errors'
import { type Clock, type EpochMs, toIso } from '@endeks/domain/time'
import type { Exchange } from '../formats/format.js'
import type { KillPoint } from '../kill-points.js'
import { storeAnswers } from '../store/downlink-answers.js'
import { type ExchangeIds, type ExchangeRow, writeExchanges } from '../store/exchanges.js'
import { type DeadLetterRow, insertDeadLetters, insertProfiles } from '../store/messages.js'
import { type ReadingRow, type SortedReadings, storeReadings } from '../store/readings.js'
import { insertLosses, noteSequences } from '../store/sequences.js'
import { insertUnassigned, type UnassignedRow } from '../store/unassigned.js'
import { deadLetter, type Prepared } from './prepare.js'
import type { Question, Resolved, Resolver } from './resolver.js'

/** A batch in rows: what goes into which table. */
export interface BatchRows {
  readonly messages: readonly Prepared[]
  readonly readings: readonly ReadingRow[]
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
}

/** Finds the register of every reading and numbers the exchanges. Reads the database, writes nothing. */
export async function assemble(client: PoolClient, messages: readonly Prepared[], dependencies: AssembleDependencies): Promise<BatchRows> {
  const day = toIso(dependencies.clock.now()).slice(0, 10)
  const talks = messages.flatMap(talksOf)
  const answers = await dependencies.resolver.resolve(
    client,
    talks.map((talk) => talk.question)
  )
  const ids = talks.length === 0 ? [] : await dependencies.exchangeIds.take(client, talks.length)
  const rows = {
    messages,
    readings: [] as ReadingRow[],
    unassigned: [] as UnassignedRow[],
    exchanges: [] as ExchangeRow[]
  }
  for (const [index, talk] of talks.entries()) {
    const id = ids[index]
    if (id === undefined) throw new AppError('INTERNAL', 'there are fewer exchange ids than exchanges')
    const { message, wire, evidence } = talk
    rows.exchanges.push({ id, day, gateway: message.gateway, wire, ...evidence })
    place(talk, { id, day }, answers[index] ?? [], rows)
  }
  return rows
}

/** One exchange of one message, with the readings that came from it. */
interface Talk {
  readonly message: Prepared
  readonly wire: Exchange
  readonly evidence: Prepared['evidence'][number]
  readonly question: Question
  readonly readings: NonNullable<Prepared['readings']>['readings'][number][]
}

function talksOf(message: Prepared): Talk[] {
  const { gateway, readings: parsed, evidence } = message
  if (parsed === undefined) return []
  const talks = parsed.exchanges.map((wire, index): Talk => {
    const readings: Talk['readings'] = []
    const question = { place: { gateway, bus: wire.bus, address: wire.address }, identity: wire.identity, readings }
    return { message, wire, evidence: evidence[index] ?? noEvidence, question, readings }
  })
  for (const reading of parsed.readings) talks[reading.exchange]?.readings.push(reading)
  return talks.filter((talk) => talk.readings.length > 0)
}

const noEvidence = { request: Buffer.alloc(0), response: Buffer.alloc(0) }

function place(
  talk: Talk,
  exchange: { readonly id: bigint; readonly day: string },
  answers: readonly Resolved[],
  rows: { readings: ReadingRow[]; unassigned: UnassignedRow[] }
): void {
  const { message, wire } = talk
  for (const [index, { obis, at, raw, scaler, unit, status }] of talk.readings.entries()) {
    const answer = answers[index]
    if (answer === undefined) throw new AppError('INTERNAL', 'a reading was neither assigned nor set aside')
    const from = { exchangeId: exchange.id, exchangeDay: exchange.day }
    if (typeof answer === 'bigint') {
      rows.readings.push({ registerId: answer, at, raw, scaler, unit, status, source: 'remote', ...from })
      continue
    }
    const { bus, address, identity } = wire
    const device = { deviceId: identity.id, manufacturer: identity.manufacturer ?? '' }
    rows.unassigned.push({
      gateway: message.gateway,
      bus,
      address,
      ...device,
      obis,
      at,
      raw,
      scaler,
      unit,
      status,
      ...from,
      reason: answer
    })
  }
}

/** The instants whose months the batch writes into. */
export function instantsOf(rows: BatchRows, now: EpochMs): Set<EpochMs> {
  const instants = new Set<EpochMs>([now])
  for (const row of rows.readings) instants.add(row.at)
  return instants
}

export interface StoreOptions {
  /** the batch's readings by what is hoped of them */
  readonly sorted: SortedReadings
  readonly deadLettersPerDay: number
  readonly killPoint: KillPoint
  readonly day: string
}

/** Writes a batch in the caller's transaction: everything that its messages said, or nothing. */
export async function storeBatch(client: PoolClient, rows: BatchRows, options: StoreOptions): Promise<BatchResult> {
  const { killPoint } = options
  const readings = await storeReadings(client, options.sorted)
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
    known: rows.readings.length - readings.stored - readings.conflicts,
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
