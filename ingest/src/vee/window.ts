import type { PoolClient } from '@endeks/database/pool'
import { type EpochMs, epochMs } from '@endeks/domain/time'
import type { DirtySpan } from '../store/dirty.js'
import {
  type LiveSegment,
  type OpenException,
  readLiveSegments,
  readOpenExceptions,
  readSurroundings,
  type Surroundings
} from '../store/validation-reads.js'
import { isUsable } from './derive.js'
import type { IndexReading } from './facts.js'
import type { RuleSet } from './rules/index.js'

/** A part of a register's time that can be derived by itself: no segment and no open exception reaches over its ends. */
export interface Window {
  readonly span: DirtySpan
  readonly readings: readonly IndexReading[]
  readonly live: readonly LiveSegment[]
  readonly open: readonly OpenException[]
  /** what was too much for one transaction and has to be looked at next */
  readonly rest: DirtySpan | undefined
}

export interface WindowLimits {
  /** readings within a span, for all spans of a claim together */
  readonly readings: number
}

const firstNeighbours = 4
const rounds = 10
const leastReadings = 400

/**
 * Widens each span until it begins and ends at a usable reading (or there is none on that side) and at no one's middle.
 * After ten rounds, in which the look-around has doubled each time, a span is taken as it is: what lies beyond thousands of
 * unusable readings is looked at when something arrives there.
 *
 * @param spans one of each register
 */
export async function settleWindows(
  client: PoolClient,
  spans: readonly DirtySpan[],
  rules: RuleSet,
  limits: WindowLimits
): Promise<Window[]> {
  const settled: Window[] = []
  const limit = Math.max(leastReadings, Math.floor(limits.readings / Math.max(1, spans.length)))
  let pending = spans
  for (let round = 0; pending.length > 0; round += 1) {
    const neighbours = firstNeighbours * 2 ** round
    const surroundings = await readSurroundings(client, { spans: pending, neighbours, limit })
    const examined = pending.map((span, index) => examine(span, surroundings[index] ?? noSurroundings, { rules, neighbours, limit }))
    const live = await readLiveSegments(
      client,
      examined.map((each) => each.span)
    )
    const open = await readOpenExceptions(
      client,
      examined.map((each) => each.span)
    )
    const next: DirtySpan[] = []
    for (const each of examined) {
      const own = {
        live: live.filter((segment) => segment.registerId === each.span.registerId),
        open: open.filter((exception) => exception.registerId === each.span.registerId && overlaps(exception, each.span))
      }
      const wider = widen(each, [...own.live, ...own.open])
      if (wider !== undefined && round < rounds) next.push(wider)
      else settled.push(toWindow(each, own))
    }
    pending = next
  }
  return settled
}

const noSurroundings: Surroundings = { before: [], within: [], after: [] }

interface Examined {
  readonly span: DirtySpan
  readonly readings: readonly IndexReading[]
  readonly cutAt: EpochMs | undefined
  readonly dirtyTo: EpochMs
  /** further out, when no usable reading was in sight */
  readonly look: { readonly from: EpochMs | undefined; readonly to: EpochMs | undefined }
}

function examine(
  span: DirtySpan,
  found: Surroundings,
  how: { readonly rules: RuleSet; readonly neighbours: number; readonly limit: number }
): Examined {
  const usable = (reading: IndexReading): boolean => isUsable(reading, how.rules)
  const first = found.before.findLastIndex(usable)
  const last = found.after.findIndex(usable)
  const cutAt = found.within.length >= how.limit ? found.within.at(-1)?.at : undefined
  const head = first < 0 ? [] : found.before.slice(first)
  const tail = last < 0 || cutAt !== undefined ? [] : found.after.slice(0, last + 1)
  const readings = [...head, ...found.within, ...tail]
  const lookBack = first < 0 && found.before.length >= how.neighbours
  const lookOn = last < 0 && cutAt === undefined && found.after.length >= how.neighbours
  return {
    span: {
      ...span,
      from: head[0]?.at ?? span.from,
      to: cutAt ?? tail.at(-1)?.at ?? span.to
    },
    readings,
    cutAt,
    dirtyTo: span.to,
    look: { from: lookBack ? found.before[0]?.at : undefined, to: lookOn ? found.after.at(-1)?.at : undefined }
  }
}

function overlaps(exception: OpenException, span: DirtySpan): boolean {
  if (span.floor !== undefined && exception.from < span.floor) return false
  if (exception.from === exception.to) return exception.from >= span.from && exception.from <= span.to
  return exception.from < span.to && exception.to > span.from
}

function widen(examined: Examined, inside: readonly { readonly from: EpochMs; readonly to: EpochMs }[]): DirtySpan | undefined {
  const { span, look, cutAt } = examined
  const from = Math.min(span.from, look.from ?? span.from, ...inside.map((each) => each.from))
  const to = cutAt ?? Math.max(span.to, look.to ?? span.to, ...inside.map((each) => each.to))
  if (from === span.from && to === span.to) return undefined
  return { ...span, from: epochMs(from), to: epochMs(Math.max(to, examined.dirtyTo)) }
}

function toWindow(examined: Examined, own: Pick<Window, 'live' | 'open'>): Window {
  const { span, readings, cutAt } = examined
  const end = Math.max(examined.dirtyTo, ...own.live.map((each) => each.to), ...own.open.map((each) => each.to))
  const rest = cutAt === undefined ? undefined : { registerId: span.registerId, from: cutAt, to: epochMs(end) }
  return { span, readings, live: own.live, open: own.open, rest }
}
