/** How well one meter was read. */
export interface Punctuality {
  readonly reads: number
  /** ticks of its schedule at which no reading came */
  readonly missed: number
  /** of each reading, how long after its tick it came, ms */
  readonly lateMs: readonly number[]
}

/**
 * Holds instants of reading against a schedule of which only the period is known: the earliest reading of all, within its
 * period, is taken to be on time, so that the lateness of every other is measured from there.
 */
export function punctuality(instants: readonly number[], periodMs: number, until: number): Punctuality {
  const sorted = instants.toSorted((left, right) => left - right)
  const [first] = sorted
  if (first === undefined) return { reads: 0, missed: 1, lateMs: [] }
  // A reading that is late by less than half a period belongs to the tick before it.
  const ticks = sorted.map((at) => Math.round((at - first) / periodMs))
  const start = Math.min(...sorted.map((at, index) => at - (ticks[index] ?? 0) * periodMs))
  const lateMs = sorted.map((at, index) => at - (ticks[index] ?? 0) * periodMs - start)
  const due = Math.floor((until - start) / periodMs)
  return { reads: sorted.length, missed: Math.max(0, due - new Set(ticks).size), lateMs }
}

/** The value that a share of all does not exceed; 0.99 gives p99. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** The slope of a straight line through evenly spaced values, in their unit a step (least squares). */
export function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let above = 0
  let below = 0
  for (const [index, value] of values.entries()) {
    above += (index - middle) * (value - mean)
    below += (index - middle) ** 2
  }
  return below === 0 ? 0 : above / below
}
