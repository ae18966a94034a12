import type { PoolClient } from '@endeks/database/pool'
import { epochMs, fromIso } from '@endeks/domain/time'
import type { KillPoint } from '../kill-points.js'
import { addDirty, claimDirty, type DirtySpan } from '../store/dirty.js'
import { MonthsMissing, type Partitions } from '../store/partitions.js'
import { clipToFloor, type LiveSegment, lockRegisters, readLiveSegments, readRegisters, readZone } from '../store/validation-reads.js'
import {
  type DailyChange,
  insertSegments,
  type OfRegister,
  openExceptions,
  supersedeSegments,
  vanishExceptions,
  writeDailyAmounts
} from '../store/validation-writes.js'
import { type DayCalendar, spreadOverDays } from './days.js'
import { deriveSegments } from './derive.js'
import type { Exception, RegisterFacts, Segment } from './facts.js'
import type { RuleSet } from './rules/index.js'
import { settleWindows, type Window } from './window.js'

export interface Revalidation {
  readonly rules: RuleSet
  readonly partitions: Partitions
  readonly killPoint: KillPoint
  readonly calendarOf: (zone: string) => DayCalendar
  /** dirty rows taken at once */
  readonly claims: number
  /** readings looked at in one transaction, about */
  readonly readings: number
}

export interface Revalidated {
  readonly claimed: number
  readonly superseded: number
  readonly inserted: number
  readonly exceptionsOpened: number
}

const nothingDone: Revalidated = { claimed: 0, superseded: 0, inserted: 0, exceptionsOpened: 0 }

/** What has to change so that the tables say what the readings say. */
interface Changes {
  readonly superseded: LiveSegment[]
  readonly inserted: OfRegister<Segment>[]
  readonly vanished: bigint[]
  readonly found: OfRegister<Exception>[]
}

/**
 * Takes dirty spans and makes segments, exceptions and daily values agree with the readings there, in the caller's
 * transaction. Only what differs is rewritten.
 *
 * @returns undefined when there is no utility yet, whose zone cuts the days
 * @throws {MonthsMissing} before anything is written where it could not be
 */
export async function revalidate(client: PoolClient, how: Revalidation): Promise<Revalidated | undefined> {
  const zone = await readZone(client)
  if (zone === undefined) return undefined
  const claimed = await claimDirty(client, how.claims)
  if (claimed.length === 0) return nothingDone
  const { first, later } = onePerRegister(claimed)
  const ids = first.map((span) => span.registerId)
  await lockRegisters(client, ids)
  const registers = await readRegisters(client, ids)
  const known = await clipToFloor(
    client,
    first.filter((span) => registers.has(span.registerId))
  )
  const windows = await settleWindows(client, known, how.rules, { readings: how.readings })
  const changes = changesOf(windows, registers, how.rules)
  await supersedeSegments(client, changes.superseded)
  await insertSegments(client, changes.inserted)
  how.killPoint('vee:inserted')
  await vanishExceptions(client, changes.vanished)
  await openExceptions(client, changes.found)
  await rewriteDays(client, changes, how.calendarOf(zone), how.partitions)
  await addDirty(client, [...later, ...windows.flatMap((window) => window.rest ?? [])])
  return {
    claimed: claimed.length,
    superseded: changes.superseded.length,
    inserted: changes.inserted.length,
    exceptionsOpened: changes.found.length
  }
}

/** Spans nearer than this are looked at together. */
const mergeWithinMs = 86_400_000

/**
 * The earliest span of each register, grown by those close to it, and what is left for later. Windows of one register in one
 * transaction could widen into each other.
 */
function onePerRegister(claimed: readonly DirtySpan[]): { readonly first: DirtySpan[]; readonly later: DirtySpan[] } {
  const sorted = [...claimed].sort((a, b) => compare(a.registerId, b.registerId) || a.from - b.from)
  const first: DirtySpan[] = []
  const later: DirtySpan[] = []
  for (const span of sorted) {
    const last = first.at(-1)
    if (last?.registerId !== span.registerId) first.push(span)
    else if (span.from <= last.to + mergeWithinMs) first[first.length - 1] = { ...last, to: epochMs(Math.max(last.to, span.to)) }
    else later.push(span)
  }
  return { first, later }
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function changesOf(windows: readonly Window[], registers: ReadonlyMap<bigint, RegisterFacts>, rules: RuleSet): Changes {
  const changes: Changes = { superseded: [], inserted: [], vanished: [], found: [] }
  for (const window of windows) {
    const { registerId } = window.span
    const register = registers.get(registerId)
    if (register === undefined) continue
    const derived = deriveSegments(window.readings, register, rules)
    const live = new Map(window.live.map((segment) => [segment.from, segment]))
    for (const segment of derived.segments) {
      const standing = live.get(segment.from)
      if (standing !== undefined && sameSegment(standing, segment)) live.delete(segment.from)
      else changes.inserted.push({ registerId, item: segment })
    }
    changes.superseded.push(...live.values())
    const found = new Set(derived.exceptions.map((each) => `${each.rule} ${each.from}`))
    changes.found.push(...derived.exceptions.map((item) => ({ registerId, item })))
    changes.vanished.push(...window.open.filter((each) => !found.has(`${each.rule} ${each.from}`)).map((each) => each.id))
  }
  return changes
}

function sameSegment(a: Segment, b: Segment): boolean {
  return (
    a.to === b.to &&
    a.amountMilli === b.amountMilli &&
    a.fromRaw === b.fromRaw &&
    a.toRaw === b.toRaw &&
    a.scaler === b.scaler &&
    a.meterUnit === b.meterUnit &&
    a.unit === b.unit &&
    a.quality === b.quality &&
    a.rule === b.rule
  )
}

/** Recomputes the days that changed segments touch, from all live segments that lie in them. */
async function rewriteDays(client: PoolClient, changes: Changes, calendar: DayCalendar, partitions: Partitions): Promise<void> {
  const touched = touchedSpans(changes)
  if (touched.length === 0) return
  const days = touched.map((span) => calendar.daysTouched(span.from, span.to))
  const missing = partitions.missing(days.flatMap((each) => each.map(({ day }) => fromIso(`${day}T00:00:00Z`))))
  if (missing.length > 0) throw new MonthsMissing(missing)
  const wholeDays = touched.map((span, index) => ({
    registerId: span.registerId,
    from: days[index]?.[0]?.from ?? span.from,
    to: days[index]?.at(-1)?.to ?? span.to
  }))
  const live = new Map<bigint, LiveSegment[]>()
  for (const segment of await readLiveSegments(client, wholeDays)) {
    const own = live.get(segment.registerId)
    if (own === undefined) live.set(segment.registerId, [segment])
    else own.push(segment)
  }
  const daily: DailyChange[] = []
  for (const [index, span] of touched.entries()) {
    const segments = live.get(span.registerId) ?? []
    const own = days[index] ?? []
    const [from, to] = [segments[0]?.from ?? span.from, segments.at(-1)?.to ?? span.to]
    const amounts = spreadOverDays(segments, calendar.daysTouched(from, to))
    const firstDay = own[0]?.day
    const lastDay = own.at(-1)?.day
    if (firstDay === undefined || lastDay === undefined) continue
    daily.push({ registerId: span.registerId, firstDay, lastDay, amounts: own.flatMap(({ day }) => amounts.get(day) ?? []) })
  }
  await writeDailyAmounts(client, daily)
}

function touchedSpans(changes: Changes): DirtySpan[] {
  const spans = new Map<bigint, DirtySpan>()
  const touch = (registerId: bigint, segment: Segment): void => {
    const known = spans.get(registerId)
    spans.set(registerId, {
      registerId,
      from: epochMs(Math.min(known?.from ?? segment.from, segment.from)),
      to: epochMs(Math.max(known?.to ?? segment.to, segment.to))
    })
  }
  for (const segment of changes.superseded) touch(segment.registerId, segment)
  for (const { registerId, item } of changes.inserted) touch(registerId, item)
  return [...spans.values()]
}
