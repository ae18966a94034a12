/** Numbers of messages; both inclusive. */
export interface Numbers {
  readonly first: number
  readonly last: number
}

/** So many of the newest go first; what is older is replayed. */
export const newestFirstMost = 1_000

/**
 * Which messages of a lane are to leave newest first: what was appended since, and before it the newest of what had piled up. It holds at
 * most so many numbers; beyond that the oldest of them fall back to those that are replayed, oldest first.
 */
export class NewestFirst {
  readonly #most: number
  /** ascending, apart from each other, none handed out yet */
  readonly #ranges: Numbers[] = []

  constructor(most: number = newestFirstMost) {
    this.#most = most
  }

  /** @returns up to which number they fell back, for there were too many; 0 for none */
  add({ first, last }: Numbers): number {
    if (last < first) return 0
    const top = this.#ranges.at(-1)
    if (top !== undefined && top.last + 1 === first) this.#ranges[this.#ranges.length - 1] = { first: top.first, last }
    else this.#ranges.push({ first, last })
    let over = this.#ranges.reduce((sum, each) => sum + each.last - each.first + 1, 0) - this.#most
    let fellBack = 0
    while (over > 0) {
      const lowest = this.#ranges.shift()
      if (lowest === undefined) break
      fellBack = Math.min(lowest.last, lowest.first + over - 1)
      over -= fellBack - lowest.first + 1
      if (fellBack < lowest.last) this.#ranges.unshift({ first: fellBack + 1, last: lowest.last })
    }
    return fellBack
  }

  /** From its end downwards is what leaves next. */
  get next(): Numbers | undefined {
    return this.#ranges.at(-1)
  }

  /** What was handed out of `next`: everything from its end down to this number. */
  handedOut(downTo: number): void {
    const top = this.#ranges.pop()
    if (top !== undefined && downTo > top.first) this.#ranges.push({ first: top.first, last: downTo - 1 })
  }
}
