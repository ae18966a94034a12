/** Waits between attempts to connect: doubling from one second to a minute, each drawn from the upper half of its range. */
export class BackOff {
  readonly #random: () => number
  #attempts = 0

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** The next wait. A thousand gateways that lost one broker must not come back in one second. */
  nextMs(): number {
    const ceiling = Math.min(60_000, 1_000 * 2 ** Math.min(this.#attempts, 10))
    this.#attempts += 1
    return Math.round(ceiling * (0.5 + this.#random() / 2))
  }

  reset(): void {
    this.#attempts = 0
  }
}
