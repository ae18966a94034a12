import type { EpochMs } from '@endeks/domain/time'

/** Bits of a filter; a power of two, so that a mask finds the place. */
const bits = 2 ** 25
/** Then a filter has 16 bits a reading, and takes three new ones in a thousand for known. */
const readingsPerFilter = 2 ** 21
const probes = 4

/**
 * Remembers, nearly, which readings went by lately: the last two to four million, in 8 MB. What it has not seen is hoped to be
 * new and copied; what it has seen is looked up first, so that a few repeats in every batch don't fail the copying of
 * all others. It may be wrong either way: then a lookup was for nothing, or a copy fails and is done again with care.
 */
export class RecentReadings {
  #younger = new Int32Array(bits / 32)
  #older = new Int32Array(bits / 32)
  #count = 0

  /** @returns whether it has probably been here before */
  seen(registerId: bigint, at: EpochMs): boolean {
    const id = Number(registerId)
    const low = (id | 0) ^ Math.imul(Math.floor(id / 2 ** 32), 0x9e37_79b1)
    const time = (at | 0) ^ Math.imul(Math.floor(at / 2 ** 32), 0x9e37_79b1)
    let first = mix(low, time)
    const step = mix(time ^ 0x5bd1_e995, low) | 1
    const [younger, older] = [this.#younger, this.#older]
    let inYounger = true
    let inOlder = true
    for (let probe = 0; probe < probes; probe += 1) {
      const word = (first >>> 5) & (bits / 32 - 1)
      const bit = 1 << (first & 31)
      if (((younger[word] ?? 0) & bit) === 0) inYounger = false
      if (((older[word] ?? 0) & bit) === 0) inOlder = false
      younger[word] = (younger[word] ?? 0) | bit
      first = (first + step) | 0
    }
    if (!inYounger) this.#added()
    return inYounger || inOlder
  }

  #added(): void {
    this.#count += 1
    if (this.#count < readingsPerFilter) return
    this.#count = 0
    const oldest = this.#older
    this.#older = this.#younger
    this.#younger = oldest.fill(0)
  }
}

/** The finalizer of MurmurHash3 over both words: every bit of the input changes half of the output's. */
function mix(one: number, other: number): number {
  let hash = Math.imul(one, 0xcc9e_2d51) ^ Math.imul(other, 0x1b87_3593)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return hash ^ (hash >>> 16)
}
