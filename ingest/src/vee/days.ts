import { type Quality, qualities } from '@endeks/domain/metering'
import { largestRemainder } from '@endeks/domain/money'
import { type EpochMs, epochMs, wholeDays } from '@endeks/domain/time'
import type { QuantityUnit } from '@endeks/domain/units'
import type { Segment } from './facts.js'

/** A calendar day of the utility's zone, in full. */
export interface Day {
  readonly day: string
  readonly from: EpochMs
  readonly to: EpochMs
}

export interface DailyAmount {
  readonly day: string
  readonly amountMilli: bigint
  readonly unit: QuantityUnit
  readonly quality: Quality
}

const longestDayMs = 48 * 3_600_000
const blockMs = 32 * 86_400_000
const mostBlocks = 2_000

/** The calendar days of a zone. Registers by the thousand have readings on the same days, so each is worked out once. */
export class DayCalendar {
  readonly zone: string
  readonly #blocks = new Map<number, readonly Day[]>()

  constructor(zone: string) {
    this.zone = zone
  }

  /** The calendar days that a period touches, whole. */
  daysTouched(from: EpochMs, to: EpochMs): Day[] {
    const days: Day[] = []
    for (let block = Math.floor((from - longestDayMs) / blockMs); block * blockMs < to; block += 1) {
      for (const day of this.#daysOf(block)) if (day.to > from && day.from < to) days.push(day)
    }
    return days
  }

  /** Days that begin in the block. Those at both ends of a wider period, which it would cut, are left out. */
  #daysOf(block: number): readonly Day[] {
    const known = this.#blocks.get(block)
    if (known !== undefined) return known
    const [from, to] = [block * blockMs, (block + 1) * blockMs]
    const wide = { from: epochMs(from - longestDayMs), to: epochMs(to + longestDayMs) }
    const days = wholeDays(wide, this.zone).filter((day) => day.from >= from && day.from < to)
    if (this.#blocks.size >= mostBlocks) this.#blocks.clear()
    this.#blocks.set(block, days)
    return days
  }
}

/**
 * What was consumed on each day. A segment over several days is spread evenly over its time by largest remainder, so that its
 * days add up to it exactly. A day of several qualities has the least certain of them; a day in which the
 * register's base unit changes has only what was counted in the new one, as there is no sum of the two.
 *
 * @param days in order, without gaps, covering every segment
 */
export function spreadOverDays(segments: readonly Segment[], days: readonly Day[]): Map<string, DailyAmount> {
  const amounts = new Map<string, DailyAmount>()
  let start = 0
  for (const segment of segments) {
    while ((days[start]?.to ?? Number.POSITIVE_INFINITY) <= segment.from) start += 1
    const touched: Day[] = []
    for (let index = start; index < days.length; index += 1) {
      const day = days[index]
      if (day === undefined || day.from >= segment.to) break
      touched.push(day)
    }
    const weights = touched.map((day) => BigInt(Math.min(day.to, segment.to) - Math.max(day.from, segment.from)))
    const parts = touched.length === 1 ? [segment.amountMilli] : largestRemainder(segment.amountMilli, weights, 1n)
    for (const [index, day] of touched.entries()) add(amounts, day.day, parts[index] ?? 0n, segment)
  }
  return amounts
}

function add(amounts: Map<string, DailyAmount>, day: string, part: bigint, segment: Segment): void {
  const known = amounts.get(day)
  if (known === undefined || known.unit !== segment.unit) {
    amounts.set(day, { day, amountMilli: part, unit: segment.unit, quality: segment.quality })
    return
  }
  const quality = qualities.indexOf(known.quality) >= qualities.indexOf(segment.quality) ? known.quality : segment.quality
  amounts.set(day, { day, amountMilli: known.amountMilli + part, unit: known.unit, quality })
}
