import { DlmsFault } from './fault.js'

/** Blocks and bytes of one answer: a server that never says "last" is stopped here. */
export const maxBlocks = 4096
export const maxAnswerBytes = 4 * 1024 * 1024

/** Puts the blocks of a long GET together. They are numbered from 1 and come in order (Green Book 9.3.6). */
export class BlockAssembler {
  readonly #pieces: Uint8Array[] = []
  #size = 0

  get received(): number {
    return this.#pieces.length
  }

  /**
   * @returns the whole encoded value with the last block, undefined before
   * @throws {DlmsFault} DLMS_BLOCK for a wrong number, too many blocks or too many bytes
   */
  add(block: number, raw: Uint8Array, last: boolean): Uint8Array | undefined {
    const expected = this.#pieces.length + 1
    if (block !== expected) throw new DlmsFault('DLMS_BLOCK', `block ${block} came where ${expected} was due`)
    this.#size += raw.length
    if (expected > maxBlocks || this.#size > maxAnswerBytes) {
      throw new DlmsFault('DLMS_BLOCK', `an answer has more than ${maxBlocks} blocks or ${maxAnswerBytes} bytes`)
    }
    this.#pieces.push(raw)
    return last ? Buffer.concat(this.#pieces) : undefined
  }
}

/** Cuts an encoded value into the blocks that a PDU size allows. */
export function cutBlocks(encoded: Uint8Array, maxPduSize: number): Uint8Array[] {
  // Tag, kind, invoke, last, number, choice and the length in its longest form for 64 KB stand before the piece.
  const room = Math.max(1, maxPduSize - blockOverhead)
  const blocks: Uint8Array[] = []
  for (let at = 0; at < encoded.length; at += room) blocks.push(encoded.subarray(at, at + room))
  return blocks
}

const blockOverhead = 12
