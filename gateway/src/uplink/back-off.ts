export interface BackOffOptions {
  /** the first attempt after a connection that worked: within so long */
  readonly firstWithinMs: number
  /** once the broker is known to be gone: within so long */
  readonly withinMs: number
}

export const backOffDefaults: BackOffOptions = { firstWithinMs: 5_000, withinMs: 60_000 }

/**
 * Waits between attempts to connect, each drawn from the whole of its range (full jitter). One gateway cannot see whether the line broke for
 * it or the broker for all: so the first attempt comes soon, and what that one meets decides. Where nobody listens, the broker is gone for
 * everybody, and the further ones are spread over the whole minute at once; else the range doubles up to it.
 */
export class BackOff {
  readonly #options: BackOffOptions
  readonly #random: () => number
  #attempts = 0

  constructor(options: BackOffOptions = backOffDefaults, random: () => number = Math.random) {
    this.#options = options
    this.#random = random
  }

  /** @param gone whether the attempt that failed found nobody listening */
  nextMs(gone: boolean): number {
    const { firstWithinMs, withinMs } = this.#options
    const doubled = firstWithinMs * 2 ** Math.min(this.#attempts, 20)
    const range = gone && this.#attempts > 0 ? withinMs : Math.min(withinMs, doubled)
    this.#attempts += 1
    return Math.round(range * this.#random())
  }

  /** A connection has proved itself. */
  reset(): void {
    this.#attempts = 0
  }
}
