/** Whether more is held than can be stored in time. A source that hears "high" stops reading until it hears "low". */
export interface Pressure {
  readonly high: boolean
  /** @returns how not to be told any more */
  onChange(listener: (high: boolean) => void): () => void
}

export interface PressureLimits {
  /** of memory held; above it pressure is high */
  readonly highBytes: number
  /** below it pressure is low again */
  readonly lowBytes: number
}

/** Counts the memory that messages hold which are taken and not yet settled. Between its two bounds nothing changes, so that sources don't stop and start with every message. */
export class PressureGauge implements Pressure {
  readonly #limits: PressureLimits
  readonly #listeners = new Set<(high: boolean) => void>()
  #held = 0
  #high = false

  constructor(limits: PressureLimits) {
    this.#limits = limits
  }

  get high(): boolean {
    return this.#high
  }

  get heldBytes(): number {
    return this.#held
  }

  onChange(listener: (high: boolean) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  take(bytes: number): void {
    this.#held += bytes
    if (!this.#high && this.#held > this.#limits.highBytes) this.#change(true)
  }

  release(bytes: number): void {
    this.#held -= bytes
    if (this.#high && this.#held < this.#limits.lowBytes) this.#change(false)
  }

  #change(high: boolean): void {
    this.#high = high
    for (const listener of this.#listeners) listener(high)
  }
}

/** What a waiting message holds beside its bytes. */
const messageBytes = 1_000

/** What a message of so many bytes holds in memory until it is settled. It is read when its batch is made, and a batch is bounded by itself. */
export function heldBytes(payloadBytes: number): number {
  return messageBytes + payloadBytes
}
