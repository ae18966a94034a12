/** The invocation counters of a meter's global key: what it sends, and what it takes from its clients. They outlive connections. */
export class InvocationCounters {
  readonly #first: number
  readonly #jumpAfter: number | undefined
  #send: number
  #sent = 0
  #receive = 0

  /**
   * @param first the first counter that is sent
   * @param jumpAfter messages after which the counter begins again, once: the fault of a meter that forgot
   */
  constructor(first: number, jumpAfter?: number) {
    this.#first = first
    this.#send = first
    this.#jumpAfter = jumpAfter
  }

  get nextToSend(): number {
    return this.#send
  }

  /** The least counter that is taken. */
  get nextToReceive(): number {
    return this.#receive
  }

  /** What the invocation counter object shows: the last counter taken, or 0. The next one has to be larger. */
  get lastReceived(): number {
    return Math.max(0, this.#receive - 1)
  }

  sendFrom(next: number): void {
    const before = this.#sent
    this.#sent += next - this.#send
    const jump = this.#jumpAfter !== undefined && before < this.#jumpAfter && this.#sent >= this.#jumpAfter
    this.#send = jump ? this.#first : next
  }

  receiveFrom(least: number): void {
    this.#receive = Math.max(this.#receive, least)
  }

  restartReceiving(): void {
    this.#receive = 0
  }
}
