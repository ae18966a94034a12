import { type EpochMs, fromIso } from '@endeks/domain/time'
import { Temporal } from 'temporal-polyfill'
import { amountOfDay, hoursOf } from './rhythm.js'
import type { LoadShape, RhythmShape } from './schema.js'

const dayMs = 86_400_000
const hourMs = 3_600_000

export interface IndexParameters {
  readonly shape: LoadShape
  readonly startedAt: EpochMs
  /** the dial stands still from here on */
  readonly stoppedAt?: EpochMs
  readonly initialIndex: bigint
  readonly digits: number
  readonly zone: string
}

/**
 * What the dial shows at any instant: a pure function of the parameters and the instant. Before the start it is the initial
 * index; it never falls, except that it rolls over at 10^digits.
 */
export function indexFunction(parameters: IndexParameters): (at: EpochMs) => bigint {
  const { shape, startedAt, stoppedAt, initialIndex, digits } = parameters
  const modulus = 10n ** BigInt(digits)
  const clamp = (at: EpochMs): EpochMs => Math.max(startedAt, stoppedAt === undefined ? at : Math.min(at, stoppedAt)) as EpochMs
  if (shape.type === 'fixed') {
    const points = shape.points
      .map((point) => ({ at: fromIso(point.at), raw: BigInt(point.raw) }))
      .sort((left, right) => left.at - right.at)
    return (at) => {
      const until = stoppedAt === undefined ? at : Math.min(at, stoppedAt)
      return (points.findLast((point) => point.at <= until)?.raw ?? initialIndex) % modulus
    }
  }
  const counted = new Counted(shape, startedAt, parameters.zone)
  const leak = leakFunction(shape, startedAt)
  const before = counted.until(startedAt)
  return (at) => {
    const until = clamp(at)
    return (initialIndex + counted.until(until) - before + leak(until)) % modulus
  }
}

/** Cumulative counts since the first day. Sums of whole days are kept, so a year of hourly values costs a year once. */
class Counted {
  readonly #shape: RhythmShape
  readonly #offsetMs: number
  readonly #firstDay: number
  readonly #sums: number[] = [0]
  readonly #hours: readonly number[]
  readonly #hourSums: readonly number[]

  constructor(shape: RhythmShape, startedAt: EpochMs, zone: string) {
    this.#shape = shape
    // The zone's offset at the start holds for ever: a dial knows no summer time, and days of equal length keep it monotone.
    this.#offsetMs = Temporal.Instant.fromEpochMilliseconds(startedAt).toZonedDateTimeISO(zone).offsetNanoseconds / 1_000_000
    this.#firstDay = Math.floor((startedAt + this.#offsetMs) / dayMs)
    this.#hours = hoursOf(shape)
    const sums = [0]
    for (const weight of this.#hours) sums.push((sums.at(-1) ?? 0) + weight)
    this.#hourSums = sums
  }

  until(at: EpochMs): bigint {
    const local = at + this.#offsetMs
    const day = Math.floor(local / dayMs)
    const intoDay = local - day * dayMs
    const hour = Math.floor(intoDay / hourMs)
    const weighed = (this.#hourSums[hour] ?? 0) * hourMs + (this.#hours[hour] ?? 0) * (intoDay - hour * hourMs)
    const whole = (this.#hourSums[24] ?? 1) * hourMs
    const today = (BigInt(amountOfDay(this.#shape, day)) * BigInt(weighed)) / BigInt(whole)
    return BigInt(this.#sumBefore(day - this.#firstDay)) + today
  }

  #sumBefore(days: number): number {
    const sums = this.#sums
    while (sums.length <= days) sums.push((sums.at(-1) ?? 0) + amountOfDay(this.#shape, this.#firstDay + sums.length - 1))
    return sums[days] ?? 0
  }
}

function leakFunction(shape: RhythmShape, startedAt: EpochMs): (at: EpochMs) => bigint {
  if (shape.type !== 'leak') return () => 0n
  const from = shape.leakFrom === undefined ? startedAt : Math.max(startedAt, fromIso(shape.leakFrom))
  return (at) => (at <= from ? 0n : (BigInt(shape.leakPerHour) * BigInt(at - from)) / BigInt(hourMs))
}
