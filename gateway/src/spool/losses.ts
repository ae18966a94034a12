import type { Operation } from './database.js'
import type { Lane } from './message.js'

/** Messages that were given up to the size limit, and whose loss was not acknowledged yet. */
export interface Loss {
  readonly epoch: string
  readonly lane: Lane
  /** both inclusive */
  readonly first: number
  readonly last: number
  readonly readings: number
}

/** So many ranges are told apart. Beyond them a range takes in what was delivered between it and the next, rather than grow for ever. */
const mostRanges = 1_000

/** Adds one message. Losses come in the order of their numbers, so only the youngest range of a lane can grow. */
export function withLost(losses: readonly Loss[], lost: Omit<Loss, 'first' | 'last'> & { readonly sequence: number }): Loss[] {
  const { epoch, lane, sequence, readings } = lost
  const place = losses.findLastIndex((each) => each.lane === lane && each.epoch === epoch)
  const before = losses[place]
  if (before === undefined || (before.last + 1 !== sequence && losses.length < mostRanges))
    return [...losses, { epoch, lane, first: sequence, last: sequence, readings }]
  return losses.with(place, { ...before, last: sequence, readings: before.readings + readings })
}

/** Takes away what was acknowledged. A range that grew while it was under way keeps the rest. */
export function withoutAnnounced(losses: readonly Loss[], announced: Loss): Loss[] {
  return losses.flatMap((each) => {
    if (keyOf(each) !== keyOf(announced)) return [each]
    if (each.last <= announced.last) return []
    return [{ ...each, first: announced.last + 1, readings: Math.max(0, each.readings - announced.readings) }]
  })
}

/** What makes the disk hold `after` where it held `before`. */
export function lossOperations(before: readonly Loss[], after: readonly Loss[]): Operation[] {
  const kept = new Set(after)
  const known = new Set(before)
  const keys = new Set(after.map(keyOf))
  return [
    ...before.filter((each) => !kept.has(each) && !keys.has(keyOf(each))).map((each) => ({ type: 'del', key: keyOf(each) }) as const),
    ...after.filter((each) => !known.has(each)).map((each) => ({ type: 'put', key: keyOf(each), value: JSON.stringify(each) }) as const)
  ]
}

function keyOf({ epoch, lane, first }: Loss): string {
  return `lost!${epoch}!${lane}!${String(first).padStart(16, '0')}`
}
