import { epochMs, fromIso } from '@endeks/domain/time'
import { sumQuantities } from '../../format/sum.js'

export type Grain = 'day' | 'month'

export interface ReadingPoint {
  readonly at: string
  readonly difference: { readonly value: string } | null
}

export interface Bucket {
  /** 2026-10-31 or 2026-10 */
  readonly key: string
  /** null is a gap: no reading says what was consumed in it */
  readonly amount: string | null
}

/** More bars than this are no picture any more. */
const mostBuckets = 400

/**
 * Consumption by day or month from the differences between readings. A reading at midnight closes the day before it, since a
 * date without a time stands at 24:00. A difference that spans more than its own bucket and the one before is not spread: the
 * buckets without a reading stay gaps, and so does the one it lands in.
 *
 * @param readings in any order
 * @param localDay the day of the site's zone that holds an instant
 */
export function differencesBy(
  grain: Grain,
  readings: readonly ReadingPoint[],
  localDay: (at: ReturnType<typeof fromIso>) => string
): Bucket[] {
  const keyOf = (at: string) => localDay(epochMs(fromIso(at) - 1)).slice(0, grain === 'day' ? 10 : 7)
  const ordered = [...readings].sort((left, right) => fromIso(left.at) - fromIso(right.at))
  const sums = new Map<string, string[]>()
  const spanning = new Set<string>()
  let previous: string | null = null
  for (const reading of ordered) {
    const key = keyOf(reading.at)
    if (previous !== null && reading.difference !== null) {
      if (previous !== key && next(previous, grain) !== key) spanning.add(key)
      sums.set(key, [...(sums.get(key) ?? []), reading.difference.value])
    }
    previous = key
  }
  const first = [...sums.keys()][0]
  const last = [...sums.keys()].at(-1)
  if (first === undefined || last === undefined) return []
  const buckets: Bucket[] = []
  for (let key = first; buckets.length < mostBuckets; key = next(key, grain)) {
    const amounts = sums.get(key)
    buckets.push({ key, amount: amounts === undefined || spanning.has(key) ? null : sumQuantities(amounts) })
    if (key === last) break
  }
  return buckets
}

/** The day or month after this one, by the calendar alone. */
function next(key: string, grain: Grain): string {
  if (grain === 'day') return dayAfter(key)
  const [year = 0, month = 0] = key.split('-').map(Number)
  return month === 12 ? `${year + 1}-01` : `${year}-${String(month + 1).padStart(2, '0')}`
}

function dayAfter(day: string): string {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const lengths = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  const two = (value: number) => String(value).padStart(2, '0')
  if (date < (lengths[month - 1] ?? 31)) return `${year}-${two(month)}-${two(date + 1)}`
  return month === 12 ? `${year + 1}-01-01` : `${year}-${two(month + 1)}-01`
}
