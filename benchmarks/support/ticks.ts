import type { EpochMs } from '@endeks/domain/time'
import { type Load, type LoadShape, site } from './load.js'

/** Gives each load instants of its own, one behind the other, so that no two loads meet and nothing lies in the future. */
export class Ticks {
  readonly #start: EpochMs
  #next: number
  #loads = 0

  constructor(start: EpochMs, first: number) {
    this.#start = start
    this.#next = first
  }

  load(shape: LoadShape): Load {
    this.#loads += 1
    const firstTick = this.#next
    this.#next += shape.ticks
    // Eight hexadecimal digits, as a gateway's spool names itself.
    const epoch = (0xbe000000 + this.#loads).toString(16)
    return { gateways: site.gateways, ...shape, start: this.#start, epoch, firstTick }
  }
}
