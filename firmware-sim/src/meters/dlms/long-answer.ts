import { dlms } from '@endeks/gateway/codec'

/** An answer that goes in blocks, from its first block to its last. */
export class LongAnswer {
  readonly invoke: number
  readonly #blocks: readonly Uint8Array[]
  #sent = 0

  constructor(invoke: number, encoded: Uint8Array, room: number) {
    this.invoke = invoke
    this.#blocks = dlms.cutBlocks(encoded, room)
  }

  belongsTo(invoke: number): boolean {
    return (this.invoke & dlms.invokeBits.id) === (invoke & dlms.invokeBits.id)
  }

  /** Blocks sent so far: the number that the client confirms with its next request. */
  get sent(): number {
    return this.#sent
  }

  next(): dlms.Piece {
    const raw = this.#blocks[this.#sent] ?? new Uint8Array(0)
    this.#sent += 1
    return { last: this.#sent >= this.#blocks.length, block: this.#sent, raw }
  }
}

/** What stands in front of the contents that an answer in blocks carries: tag, kind, invoke-id (Green Book 9.5). */
export const answerHeader = 3
