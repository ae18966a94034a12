import type { PoolClient } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { type Clock, type EpochMs, toIso } from '@endeks/domain/time'
import type { WireExchange } from '@endeks/domain/wire'
import type { KillPoint } from '../kill-points.js'
import { type ExchangeIds, type ExchangeRow, insertExchanges } from '../store/exchanges.js'
import { insertDeadLetters, insertProfiles, noteSequences } from '../store/messages.js'
import { copyReadings, type ReadingRow, type StoredReadings, storeReadings } from '../store/readings.js'
import { insertUnassigned, type UnassignedRow } from '../store/unassigned.js'
import { deadLetter, type Prepared } from './prepare.js'
import type { Question, Resolved, Resolver } from './resolver.js'

/** A batch in rows: what goes into which table. */
export interface BatchRows {
  readonly messages: readonly Prepared[]
  readonly readings: readonly ReadingRow[]
  readonly unassigned: readonly UnassignedRow[]
  /** the message that each unassigned row came in */
  readonly unassignedFrom: readonly Prepared[]
  readonly exchanges: readonly ExchangeRow[]
}

export interface BatchResult {
  readonly stored: number
  readonly known: number
  readonly conflicts: number
  readonly unassigned: number
  readonly profiles: number
  readonly deadLetters: number
  readonly deadLettersOverQuota: number
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
    unassignedFrom: [] as Prepared[],
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
  readonly wire: WireExchange
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
  rows: { readings: ReadingRow[]; unassigned: UnassignedRow[]; unassignedFrom: Prepared[] }
): void {
  const { message, wire } = talk
  for (const [index, { obis, at, raw, scaler, unit, status }] of talk.readings.entries()) {
    const answer = answers[index]
    if (answer === undefined) throw new AppError('INTERNAL', 'a reading was neither assigned nor set aside')
    const value = { at, raw, scaler, unit, status, exchangeId: exchange.id, exchangeDay: exchange.day }
    if ('registerId' in answer) {
      rows.readings.push({ ...value, registerId: answer.registerId, source: 'remote' })
      continue
    }
    rows.unassigned.push({
      ...value,
      gateway: message.gateway,
      bus: wire.bus,
      address: wire.address,
      deviceId: wire.identity.id,
      manufacturer: wire.identity.manufacturer ?? '',
      obis,
      reason: answer.reason
    })
    rows.unassignedFrom.push(message)
  }
}

/** The instants whose months the batch writes into. */
export function instantsOf(rows: BatchRows, now: EpochMs): Set<EpochMs> {
  const instants = new Set<EpochMs>([now])
  for (const row of rows.readings) instants.add(row.at)
  return instants
}

export interface StoreOptions {
  /** all rows are hoped to be new */
  readonly optimistic: boolean
  readonly deadLettersPerDay: number
  readonly killPoint: KillPoint
  readonly day: string
}

/** Writes a batch in the caller's transaction: everything that its messages said, or nothing. */
export async function storeBatch(client: PoolClient, rows: BatchRows, options: StoreOptions): Promise<BatchResult> {
  const { killPoint } = options
  killPoint('accept:begun')
  const readings: StoredReadings = options.optimistic
    ? await copyReadings(client, rows.readings)
    : await storeReadings(client, rows.readings, () => killPoint('accept:readings'))
  killPoint('accept:conflicts')
  const aside = await insertUnassigned(client, rows.unassigned)
  killPoint('accept:unassigned')
  const referenced = new Set([...readings.exchangeIds, ...aside.exchangeIds])
  await insertExchanges(
    client,
    rows.exchanges.filter((exchange) => referenced.has(exchange.id))
  )
  killPoint('accept:exchanges')
  await noteSequences(
    client,
    rows.messages.flatMap((message) => message.sequence ?? [])
  )
  killPoint('accept:sequences')
  const profiles = rows.messages.flatMap((message) => message.profile ?? [])
  await insertProfiles(client, profiles)
  killPoint('accept:profiles')
  const letters = [...rows.messages.flatMap((message) => message.deadLetter ?? []), ...contradictions(rows, aside.differing)]
  const kept = await insertDeadLetters(client, letters, { perDay: options.deadLettersPerDay, day: options.day })
  killPoint('accept:dead-letters')
  return {
    stored: readings.stored,
    known: rows.readings.length - readings.stored - readings.conflicts,
    conflicts: readings.conflicts,
    unassigned: aside.exchangeIds.length,
    profiles: profiles.length,
    deadLetters: kept,
    deadLettersOverQuota: letters.length - kept
  }
}

/** Whoever waits for its meter has no register to be in conflict at: another value for it is kept in its message. */
function contradictions(rows: BatchRows, differing: readonly number[]): NonNullable<Prepared['deadLetter']>[] {
  const letters = new Map<Prepared, NonNullable<Prepared['deadLetter']>>()
  for (const index of differing) {
    const message = rows.unassignedFrom[index]
    const row = rows.unassigned[index]
    if (message === undefined || row === undefined || letters.has(message)) continue
    const text = `${row.bus} ${row.address} ${row.obis} at ${row.at}: another value waits unassigned already`
    letters.set(message, deadLetter(message, new AppError('MESSAGE_UNSTORABLE', text)))
  }
  return [...letters.values()]
}
