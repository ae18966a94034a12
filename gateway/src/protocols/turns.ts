/** Lets work be done one piece after the other, in the order in which it was asked for, whatever becomes of the piece before. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  take<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(work)
    // The caller has the outcome; here it only matters that this turn is over before the next one begins.
    const over = (): undefined => undefined
    this.#last = turn.then(over, over)
    return turn
  }

  /** Resolves when all that was asked for so far is done. */
  async over(): Promise<void> {
    await this.#last
  }
}
