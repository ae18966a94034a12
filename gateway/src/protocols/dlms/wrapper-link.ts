import type { Line } from '../../line/index.js'
import { DlmsFault } from './codec/fault.js'
import { encodeWrapper, WrapperAssembler, type WrapperFrame } from './codec/wrapper.js'
import type { ApduTransport } from './transport.js'
import { type Bytes, Wire } from './wire.js'

export interface WrapperOptions {
  /** open */
  readonly line: Line
  readonly client: number
  readonly server: number
  readonly answerWithinMs: number
  readonly conversationWithinMs: number
  readonly signal: AbortSignal
}

/** The wrapper of IEC 62056-47, for one conversation. */
export class WrapperLink implements ApduTransport {
  readonly releases = true
  readonly #options: WrapperOptions
  readonly #assembler = new WrapperAssembler()
  readonly #wire: Wire<Uint8Array>

  constructor(options: WrapperOptions) {
    const { line, conversationWithinMs, signal } = options
    this.#options = options
    this.#wire = new Wire({ line, conversationWithinMs, signal, take: (chunk) => this.#take(chunk) })
  }

  /** A stream that holds anything but frames is refused at once: there is no noise to leave out. */
  get conversation(): Bytes {
    return this.#wire.bytes
  }

  get heard(): Bytes {
    return this.#wire.bytes
  }

  async exchange(apdu: Uint8Array, kept: Uint8Array = apdu): Promise<Uint8Array> {
    const { client, server, answerWithinMs } = this.#options
    const framed = (each: Uint8Array): Uint8Array => encodeWrapper({ source: client, destination: server, apdu: each })
    const answer = await this.#wire.ask({ bytes: framed(apdu), kept: framed(kept), withinMs: answerWithinMs })
    if (answer !== undefined) return answer
    const fault = new DlmsFault('DLMS_TIMEOUT', `the meter at wPort ${server} did not answer within ${answerWithinMs} ms`)
    // An answer that comes later would be taken for that of the next request.
    this.#wire.fail(fault)
    throw fault
  }

  async close(): Promise<void> {
    this.#wire.end()
  }

  #take(chunk: Uint8Array): void {
    for (const frame of this.#assembler.push(chunk)) this.#deliver(frame)
    if (this.#assembler.pending > 0 && !this.#wire.isWaiting) throw new DlmsFault('DLMS_UNEXPECTED', 'the meter sent more than one answer')
  }

  #deliver({ source, destination, apdu }: WrapperFrame): void {
    const { client, server } = this.#options
    if (source !== server || destination !== client)
      throw new DlmsFault('DLMS_WRONG_PORT', `a frame from wPort ${source} to ${destination} came where wPort ${server} answers ${client}`)
    if (!this.#wire.isWaiting) throw new DlmsFault('DLMS_UNEXPECTED', 'the meter sent a frame that was not asked for')
    this.#wire.answer(apdu)
  }
}
