import { longestFrame } from './codec/index.js'

/** A character: start bit, eight data bits, parity, stop bit. */
const bitsPerByte = 11
/** A meter begins its answer within 330 bit times and 50 ms (EN 13757-2, data link layer, time-outs). */
const longestDelayBits = 330
const delayMs = 50
/** What lies between this program and the bus: network and packets of a converter, or the buffers of a serial port. */
const marginMs = { tcp: 300, serial: 100 } as const

export const usualBaudRate = 2_400
export const usualTries = 3

/** How long one answer may take, from the moment at which its request was handed over. */
export interface AnswerLimits {
  /** when the first byte must have come */
  readonly beginMs: number
  /** when the last byte must have come, whatever came before */
  readonly endMs: number
}

/** The pace of a bus: waits by its speed, or by what its site file says. */
export class Timing {
  readonly #byteMs: number
  readonly #beginMs: number
  readonly #answerWithinMs: number | undefined

  /** @param answerWithinMs longest wait for a whole answer, in place of what the speed says */
  constructor(bus: { readonly kind: 'tcp' | 'serial'; readonly baudRate: number }, answerWithinMs: number | undefined) {
    this.#byteMs = (1_000 * bitsPerByte) / bus.baudRate
    this.#beginMs = (1_000 * longestDelayBits) / bus.baudRate + delayMs + marginMs[bus.kind]
    this.#answerWithinMs = answerWithinMs
  }

  limits(requestBytes: number): AnswerLimits {
    if (this.#answerWithinMs !== undefined) return { beginMs: this.#answerWithinMs, endMs: this.#answerWithinMs }
    const beginMs = Math.ceil(this.#beginMs + requestBytes * this.#byteMs)
    return { beginMs, endMs: beginMs + Math.ceil(longestFrame * this.#byteMs) }
  }

  /** When a meter that lets others speak first has surely begun: what its bus's speed says, and no more than it is given. */
  ownAnswerMs(requestBytes: number): number {
    return Math.ceil(Math.min(this.#beginMs + requestBytes * this.#byteMs, this.#answerWithinMs ?? Number.POSITIVE_INFINITY))
  }
}
