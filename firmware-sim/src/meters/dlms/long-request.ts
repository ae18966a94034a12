import { dlms } from '@endeks/gateway/codec'

/** A request that comes in blocks: the APDU that it would have been in one piece, but for its values. */
export class LongRequest<Whole extends dlms.Apdu> {
  readonly invoke: number
  readonly #blocks = new dlms.BlockAssembler()
  readonly #whole: Whole
  readonly #placeholders: number

  /**
   * @param whole the request with null-data in the place of its values, which must stand at its end
   * @param values how many there are in a list; undefined for one without a list
   */
  constructor(invoke: number, whole: Whole, values: number | undefined) {
    this.invoke = invoke
    this.#whole = whole
    this.#placeholders = values === undefined ? 1 : sizeOfLength(values) + values
  }

  belongsTo(invoke: number): boolean {
    return (this.invoke & dlms.invokeBits.id) === (invoke & dlms.invokeBits.id)
  }

  /**
   * @returns 'more' before the last block, then the request in one piece; undefined for blocks that together are none
   * @throws {DlmsFault} DLMS_BLOCK for a block out of order, or more than a meter holds
   */
  add({ block, raw, last }: dlms.Piece): Whole | 'more' | undefined {
    const contents = this.#blocks.add(block, raw, last)
    if (contents === undefined) return 'more'
    const head = dlms.encodeApdu(this.#whole)
    const whole = dlms.decodeApdu(Buffer.concat([head.subarray(0, head.length - this.#placeholders), contents]))
    return whole.ok && this.#isWhole(whole.value) ? whole.value : undefined
  }

  #isWhole(apdu: dlms.Apdu): apdu is Whole {
    return apdu.apdu === this.#whole.apdu
  }
}

/** Bytes of a length in A-XDR. */
function sizeOfLength(length: number): number {
  if (length < 0x80) return 1
  return length <= 0xff ? 2 : 3
}
