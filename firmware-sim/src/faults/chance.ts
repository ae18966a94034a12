/**
 * A row of numbers of 32 bits that follows from the words alone, so that the same site has the same faults in every run
 * (FNV-1a for the words, the finishing steps of MurmurHash3 for each number).
 */
export class Chance {
  readonly #seed: number
  #drawn = 0

  constructor(...words: readonly (number | string)[]) {
    let hash = 0x811c9dc5
    for (const byte of Buffer.from(words.join('\0'))) hash = Math.imul(hash ^ byte, 0x01000193)
    this.#seed = hash
  }

  /** The next number from 0 up to, and without, `limit`; 0 for a limit below 2. */
  below(limit: number): number {
    this.#drawn++
    let hash = Math.imul(this.#seed ^ Math.imul(this.#drawn, 0x9e3779b1), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    return Math.floor((((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * Math.max(1, limit))
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256))
  }
}
