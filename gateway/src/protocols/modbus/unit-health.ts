import type { Clock } from '@endeks/domain/time'

/** One silence may be the line's fault; from the second on the unit is left alone for a while. */
const toleratedSilences = 1
const firstBackOffMs = 1_000
const longestBackOffMs = 60_000

/**
 * Which units of a bus are silent. One that has said nothing in several conversations is left alone for a while that doubles up
 * to a minute, whoever asks for it, so that it costs the others of its bus little; an answer of any kind ends that.
 */
export class UnitHealth {
  readonly #clock: Clock
  readonly #units = new Map<number, { readonly silences: number; readonly notBefore: number; readonly forMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @returns how long the unit is still left alone, and after how many silent conversations; undefined when it may be asked */
  leftAlone(unit: number): { readonly waitMs: number; readonly silences: number } | undefined {
    const known = this.#units.get(unit)
    const waitMs = (known?.notBefore ?? 0) - this.#clock.now()
    // More than the wait that was begun is left when the clock was set back.
    return known === undefined || waitMs <= 0 || waitMs > known.forMs ? undefined : { waitMs, silences: known.silences }
  }

  isSilent(unit: number): boolean {
    return this.#units.has(unit)
  }

  heard(unit: number): void {
    this.#units.delete(unit)
  }

  /** @param atLeastMs that it is left alone even after the first time */
  silent(unit: number, atLeastMs: number): void {
    const silences = (this.#units.get(unit)?.silences ?? 0) + 1
    const doublings = silences - toleratedSilences - 1
    const backOffMs = doublings < 0 ? 0 : Math.min(firstBackOffMs * 2 ** Math.min(doublings, 20), longestBackOffMs)
    const forMs = Math.max(backOffMs, atLeastMs)
    this.#units.set(unit, { silences, notBefore: this.#clock.now() + forMs, forMs })
  }
}
