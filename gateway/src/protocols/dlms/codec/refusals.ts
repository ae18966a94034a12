import type { DecodeFailure } from '../../protocol.js'
import { type DlmsCode, DlmsFault } from './fault.js'

/** What is wrong with one value, its unit or its date, and says nothing of those beside it. */
const ofOneValue: ReadonlySet<DlmsCode> = new Set(['DLMS_NO_VALUE', 'DLMS_VALUE', 'DLMS_UNIT', 'DLMS_DATE'])
/** So many tell what is wrong with a meter; a load profile could hold thousands. */
const mostTold = 16

/** Values that are refused, while those beside them are kept. */
export class Refusals {
  readonly #told: DlmsFault[] = []
  #untold = 0

  /**
   * @param what is read, for whoever is told of its refusal; a function where names would be made by the thousand
   * @returns undefined where it is refused
   * @throws {DlmsFault} what is wrong with more than the one value
   */
  keep<Value>(what: string | (() => string), read: () => Value): Value | undefined {
    try {
      return read()
    } catch (thrown) {
      if (!(thrown instanceof DlmsFault) || !ofOneValue.has(thrown.code)) throw thrown
      const name = typeof what === 'string' ? what : what()
      if (this.#told.length < mostTold) this.#told.push(new DlmsFault(thrown.code, `${name}: ${thrown.message}`, thrown.offset))
      else this.#untold += 1
      return undefined
    }
  }

  /** As a readout has them: nothing where nothing was refused. A conversation of which nothing can be kept has failed. @throws {DlmsFault} */
  among(kept: number): { readonly refused?: readonly DecodeFailure[] } {
    const [first] = this.#told
    if (first === undefined) return {}
    if (kept === 0) throw new DlmsFault(first.code, this.#told.map(({ message }) => message).join('; '), first.offset)
    const told = this.#told.map(({ code, message, offset }) => ({ code, message, ...(offset === undefined ? {} : { offset }) }))
    const more = { code: first.code, message: `and ${this.#untold} values more are refused` }
    return { refused: this.#untold === 0 ? told : [...told, more] }
  }
}
