export interface Rate {
  readonly perSecond: number
  /** how much may come at once after a rest */
  readonly burst: number
}

/** What is paid from it comes back at a steady rate. Instants are those of `performance.now()`. */
export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #at: number

  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#tokens = rate.burst
    this.#at = now
  }

  /** @returns what may be paid now; negative while it is in debt */
  available(now: number): number {
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + ((now - this.#at) / 1_000) * this.#rate.perSecond)
    this.#at = now
    return this.#tokens
  }

  /** Pays, into debt if there is not enough: what came is counted. The debt is bounded by the burst, so that it ends. */
  pay(count: number, now: number): void {
    this.#tokens = Math.max(this.available(now) - count, -this.#rate.burst)
  }

  /** Pays if there is enough. */
  tryPay(count: number, now: number): boolean {
    if (this.available(now) < count) return false
    this.#tokens -= count
    return true
  }

  /** @returns milliseconds until `count` may be paid, at least one */
  waitMs(count: number, now: number): number {
    const missing = Math.min(count, this.#rate.burst) - this.available(now)
    return Math.max(1, Math.ceil((missing / this.#rate.perSecond) * 1_000))
  }

  isFull(now: number): boolean {
    return this.available(now) >= this.#rate.burst
  }
}
