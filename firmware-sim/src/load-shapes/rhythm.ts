import type { RhythmShape } from './schema.js'

/** How a day's amount spreads over its hours; only the ratios count. */
const householdHours = [2, 1, 1, 1, 1, 3, 8, 12, 9, 6, 5, 5, 6, 5, 4, 4, 5, 8, 11, 12, 10, 8, 5, 3] as const
/** Cleaning, cooling and what nobody shut off: a factory at rest still draws a little. */
const restWeight = 1
const shiftWeight = 30
const shiftHours: Readonly<Record<1 | 2 | 3, readonly number[]>> = {
  1: hoursBetween(8, 16),
  2: hoursBetween(8, 24),
  3: hoursBetween(0, 24)
}

function hoursBetween(from: number, to: number): number[] {
  return Array.from({ length: 24 }, (_, hour) => (hour >= from && hour < to ? shiftWeight : restWeight))
}

export function hoursOf(shape: RhythmShape): readonly number[] {
  return shape.type === 'shift-factory' ? shiftHours[shape.shifts] : householdHours
}

/**
 * What the meter counts on one day.
 *
 * @param day days since 1970-01-01 in the site's zone, a Thursday
 */
export function amountOfDay(shape: RhythmShape, day: number): number {
  const weekday = (((day + 3) % 7) + 7) % 7
  const chance = mix(shape.seed, day)
  if (shape.type === 'shift-factory') {
    const share = weekday === 6 ? 40 : weekday === 5 ? 500 : 1_000
    return Math.floor((shape.perDay * share * (900 + (chance % 201))) / 1_000_000)
  }
  // Nobody is at home on one day in forty.
  if (chance % 40 === 0) return 0
  const share = weekday >= 5 ? 1_150 : 1_000
  return Math.floor((shape.perDay * share * (700 + (chance % 601))) / 1_000_000)
}

/** A number of 32 bits that depends on both arguments and on nothing else (the finishing steps of MurmurHash3). */
function mix(seed: number, day: number): number {
  let hash = Math.imul(seed ^ Math.imul(day, 0x9e3779b1), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f)
  return (hash ^ (hash >>> 15)) >>> 0
}
