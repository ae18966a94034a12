/** How well one meter was read. */
export interface Punctuality {
  readonly reads: number
  /** ticks of its schedule at which no reading came */
  readonly missed: number
  /** of each reading, how long after its tick it came, ms */
  readonly lateMs: readonly number[]
}

/**
 * Holds instants of reading against a schedule of which only the period is known. The place of the ticks within the period is that of
 * the reading from which all others are the least late together; each reading belongs to the last tick before it.
 */
export function punctuality(instants: readonly number[], periodMs: number, until: number): Punctuality {
  const sorted = instants.toSorted((left, right) => left - right)
  const [first] = sorted
  if (first === undefined) return { reads: 0, missed: 1, lateMs: [] }
  const lateFrom = (place: number, at: number): number => (((at - place) % periodMs) + periodMs) % periodMs
  // Capped, or a few that are very late would draw the ticks to themselves.
  const total = (place: number): number => sorted.reduce((sum, at) => sum + Math.min(lateFrom(place, at), periodMs / 20), 0)
  const place = sorted.reduce((best, each) => (total(each) < total(best) ? each : best), first)
  const lateMs = sorted.map((at) => lateFrom(place, at))
  const ticks = new Set(sorted.map((at, index) => Math.round((at - (lateMs[index] ?? 0) - place) / periodMs)))
  const firstTick = first - lateFrom(place, first)
  const due = Math.floor((until - firstTick) / periodMs)
  return { reads: sorted.length, missed: Math.max(0, due - ticks.size), lateMs }
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
