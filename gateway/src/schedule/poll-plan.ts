import { type Clock, type EpochMs, startOfDay } from '@endeks/domain/time'
import { Temporal } from 'temporal-polyfill'
import type { SiteMeter } from '../config/check.js'

export type PollKind = 'current' | 'history'

/** The longest that a meter which keeps failing is left alone, unless its own period is longer. */
const longestBackOffMs = 15 * 60_000
/** So many failures in a row are taken for a disturbance; more, for a dead meter. */
const toleratedFailures = 2
/** When a meter with history only is looked at; most looks find nothing due. */
const historyCheckMs = 10_000
/** After midnight, meters are given time to file their month end, and the bus time to read them one after the other. */
const historyDelayMs = 5 * 60_000
const historySpreadMs = 25 * 60_000
/** From one reading of history to the next: a day has 25 hours at most. */
const longestHistoryWaitMs = 25 * 3_600_000 + historyDelayMs + historySpreadMs

/** When one meter is to be read, and for what. */
export class PollPlan {
  readonly meter: SiteMeter
  readonly periodMs: number
  /** this meter's place within a period, the same at every start, so that meters do not all fall on one instant */
  readonly phaseMs: number
  readonly #clock: Clock
  readonly #zone: string
  readonly #elapsedMs: () => number
  #answered = false
  #failures = 0
  #notBefore = Number.NEGATIVE_INFINITY
  #historyNotBefore = Number.NEGATIVE_INFINITY
  #historyFrom = 0
  #historyFailures = 0

  /** @param options.elapsedMs counts on whatever is done to the clock: turns and back-offs go by it, and only midnights by the clock */
  constructor(options: {
    readonly bus: string
    readonly meter: SiteMeter
    readonly clock: Clock
    readonly zone: string
    readonly elapsedMs: () => number
  }) {
    const { bus, meter, clock, zone, elapsedMs } = options
    this.meter = meter
    this.periodMs = meter.everyMs ?? historyCheckMs
    this.phaseMs = spread(`${bus}!${meter.address}`, this.periodMs)
    this.#clock = clock
    this.#zone = zone
    this.#elapsedMs = elapsedMs
  }

  /** What to read now; undefined while the meter is left alone or nothing is due. History comes first: it cannot be read later. */
  due(): PollKind | undefined {
    const elapsed = this.#elapsedMs()
    if (elapsed < this.#notBefore) return undefined
    const history = this.meter.historySince !== undefined && elapsed >= this.#historyNotBefore
    if (history && isOver(this.#historyFrom, this.#clock.now(), longestHistoryWaitMs)) return 'history'
    return this.meter.everyMs === undefined ? undefined : 'current'
  }

  /**
   * By when a poll that is due now should begin, for the order of a bus's queue. A doubtful meter may cost its whole time-out:
   * it lets the others go first, for a period and no longer, so that it is never kept from recovering.
   */
  turn(): number {
    return this.#elapsedMs() + (this.doubtful ? this.periodMs : 0)
  }

  /** Whether the meter did not answer last time, or was never asked. */
  get doubtful(): boolean {
    return !this.#answered
  }

  settle(kind: PollKind, succeeded: boolean): void {
    if (kind === 'history') this.#settleHistory(succeeded)
    this.#answered = succeeded
    this.#failures = succeeded ? 0 : this.#failures + 1
    this.#notBefore = this.#failures <= toleratedFailures ? Number.NEGATIVE_INFINITY : this.#elapsedMs() + this.#backOffMs()
  }

  /** Stored values that cannot be read must not keep the current ones from being read: they are tried again later. */
  #settleHistory(succeeded: boolean): void {
    if (succeeded) {
      this.#historyFailures = 0
      this.#historyFrom = nextMidnight(this.#clock.now(), this.#zone) + historyDelayMs + spread(this.meter.address, historySpreadMs)
    } else {
      this.#historyNotBefore = this.#elapsedMs() + Math.min(historyCheckMs * 2 ** Math.min(this.#historyFailures, 20), longestBackOffMs)
      this.#historyFailures += 1
    }
  }

  /** Doubles with each failure. Half a period less, because ticks come in whole periods and one must not be missed by a hair. */
  #backOffMs(): number {
    const doubled = this.periodMs * 2 ** Math.min(this.#failures - toleratedFailures, 20)
    return Math.max(this.periodMs, Math.min(doubled, longestBackOffMs)) - this.periodMs / 2
  }
}

/** Whether a wait is over. What would take longer than any that begins here was begun before the clock was set back. */
function isOver(until: number, now: EpochMs, longestMs: number): boolean {
  return now >= until || until - now > longestMs
}

function nextMidnight(now: EpochMs, zone: string): EpochMs {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone).toPlainDate()
  return startOfDay(today.add({ days: 1 }), zone)
}

/** A number below `range` that depends on the text alone (FNV-1a, 32 bits). */
function spread(text: string, range: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return (hash >>> 0) % range
}
