import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../protocol.js'
import { refuse } from './codec/failure.js'
import { control, encodeShort, type MbusFrame, type MbusResponse, readResponse } from './codec/index.js'

/** Frames that one readout may have: a meter that never stops saying "more" must not hold the bus. */
export const mostFrames = 16

/** Addresses that any single meter answers with its own: 253 is a selected one, 254 and 255 reach all. */
const firstSharedAddress = 253

/** What is to be sent next, and whether the answer is E5 or data. */
export interface Step {
  readonly request: Uint8Array
  readonly expects: 'acknowledge' | 'data'
}

/**
 * The link to one primary address: which frame count bit its next request carries (EN 13757-2, after IEC 60870-5-2). The bit changes
 * when, and only when, an answer was good; a repeated request keeps it, and the meter repeats its answer.
 */
export interface Link {
  readonly frameCountBit: boolean
  /** the meter's own count is unknown, or it stands in the middle of a readout: begin with SND_NKE */
  readonly reset: boolean
}

export const newLink: Link = { frameCountBit: true, reset: true }

/** One readout, without any line or clock: it says what to send and judges what came. */
export class Readout {
  readonly #address: number
  readonly #enough: (responses: readonly MbusResponse[]) => boolean
  readonly #responses: MbusResponse[] = []
  #frameCountBit: boolean
  #resetting: boolean
  #link: Link = newLink

  /** @param enough whether the answers so far hold all that is wanted, so that the rest need not be asked for */
  constructor(address: number, link: Link, enough: (responses: readonly MbusResponse[]) => boolean) {
    this.#address = address
    this.#enough = enough
    this.#resetting = link.reset
    this.#frameCountBit = link.reset ? newLink.frameCountBit : link.frameCountBit
  }

  /** How the link stands now: in need of a reset until the readout came to a clean end. */
  get link(): Link {
    return this.#link
  }

  get step(): Step {
    if (this.#resetting) return { request: encodeShort(control.sendNke, this.#address), expects: 'acknowledge' }
    const bit = this.#frameCountBit ? control.frameCountBit : 0
    return { request: encodeShort((control.requestUserData2 & ~control.frameCountBit) | bit, this.#address), expects: 'data' }
  }

  /**
   * Judges an answer to the current step.
   *
   * @returns whether the readout is complete; a failure when the answer is not one to this request, which leaves the step as it is
   */
  accept(frame: MbusFrame): Result<'complete' | 'continue', DecodeFailure> {
    if (this.#resetting) return this.#acceptAcknowledge(frame)
    if (frame.type === 'acknowledge') return refuse('MBUS_NO_DATA', `Address ${this.#address} acknowledges and has no data`)
    if (frame.type === 'short') return refuse('MBUS_CONTROL_FIELD', 'A meter does not answer with a short frame')
    if (frame.address !== this.#address && this.#address < firstSharedAddress)
      return refuse('MBUS_FOREIGN_ADDRESS', `Address ${this.#address} was asked and ${frame.address} answered`)
    const response = readResponse(frame)
    if (!response.ok) return response
    this.#responses.push(response.value)
    this.#frameCountBit = !this.#frameCountBit
    const more = response.value.moreFollow
    if (more && this.#responses.length < mostFrames && !this.#enough(this.#responses)) return success('continue')
    // Only after a readout of a single frame does the next request surely begin at the first one again.
    this.#link = { frameCountBit: this.#frameCountBit, reset: more || this.#responses.length > 1 }
    return success('complete')
  }

  #acceptAcknowledge(frame: MbusFrame): Result<'continue', DecodeFailure> {
    if (frame.type !== 'acknowledge') return refuse('MBUS_CONTROL_FIELD', `Address ${this.#address} answers a reset with E5 only`)
    this.#resetting = false
    return success('continue')
  }
}
