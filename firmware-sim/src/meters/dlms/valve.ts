import type { EpochMs } from '@endeks/domain/time'
import type { SimulatedMeter } from '../meter.js'

/** Closings that are remembered: beyond it the valve stays as it is. */
const mostClosings = 1000

/** A valve behind the dial. While it is closed nothing is counted; what the shape would have counted is taken off for good. */
export class Valve {
  readonly #meter: SimulatedMeter
  readonly #modulus: bigint
  readonly #closings: { readonly from: EpochMs; to?: EpochMs }[] = []

  constructor(meter: SimulatedMeter) {
    this.#meter = meter
    this.#modulus = 10n ** BigInt(meter.digits)
  }

  get isOpen(): boolean {
    const last = this.#closings.at(-1)
    return last === undefined || last.to !== undefined
  }

  /** @returns false when it can't be moved any more */
  close(at: EpochMs): boolean {
    if (!this.isOpen) return true
    if (this.#closings.length >= mostClosings) return false
    this.#closings.push({ from: at })
    return true
  }

  open(at: EpochMs): void {
    const last = this.#closings.at(-1)
    if (last !== undefined && last.to === undefined) last.to = at
  }

  /** What the dial shows at an instant. */
  indexAt(at: EpochMs): bigint {
    let missed = 0n
    for (const { from, to } of this.#closings) {
      if (from > at) break
      const until = to === undefined || to > at ? at : to
      missed += this.#within(this.#meter.indexAt(until) - this.#meter.indexAt(from))
    }
    return this.#within(this.#meter.indexAt(at) - missed)
  }

  /** The dial rolls over: a difference is counted round it. */
  #within(value: bigint): bigint {
    return ((value % this.#modulus) + this.#modulus) % this.#modulus
  }
}
