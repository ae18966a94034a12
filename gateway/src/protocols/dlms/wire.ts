import type { Line } from '../../line/index.js'
import { DlmsFault } from './codec/fault.js'

/** What went over the line, both ways; in the place of a password stand zeros. */
export interface Bytes {
  readonly request: Uint8Array
  readonly response: Uint8Array
}

/** Bytes of one conversation: a line that never stops sending is cut here. */
export const maxReceivedBytes = 8 * 1024 * 1024

export interface Question {
  readonly bytes: Uint8Array
  /** the same where no secret stands in them */
  readonly kept: Uint8Array
  readonly withinMs: number
}

interface Waiter<Answer> {
  readonly answer: (answer: Answer) => void
  readonly fault: (fault: DlmsFault) => void
}

/**
 * One conversation on an open line: keeps its bytes, waits for one answer at a time, and remembers the first thing that went
 * wrong, because what follows it are its effects.
 */
export class Wire<Answer> {
  readonly #line: Line
  readonly #signal: AbortSignal
  readonly #sent: Uint8Array[] = []
  readonly #received: Uint8Array[] = []
  #size = 0
  #waiter: Waiter<Answer> | undefined
  #fault: DlmsFault | undefined
  readonly #onAbort = () => this.fail(new DlmsFault('READ_ABORTED', 'the read was called off'))

  readonly #overtime: NodeJS.Timeout

  /** @param take is given each chunk; a `DlmsFault` that it throws ends the conversation */
  constructor(options: {
    readonly line: Line
    readonly conversationWithinMs: number
    readonly signal: AbortSignal
    readonly take: (chunk: Uint8Array) => void
  }) {
    const { line, conversationWithinMs, signal, take } = options
    this.#line = line
    this.#signal = signal
    line.receive({
      data: (chunk) => this.#arrived(chunk, take),
      closed: () => this.fail(new DlmsFault('DLMS_CLOSED', 'the connection to the meter was closed'))
    })
    signal.addEventListener('abort', this.#onAbort, { once: true })
    if (signal.aborted) this.#onAbort()
    // A meter that is in time with each of a hundred thousand tiny pieces would keep its bus for days.
    const overtime = new DlmsFault('DLMS_TOO_LONG', `the conversation was not over after ${conversationWithinMs} ms`)
    this.#overtime = setTimeout(() => this.fail(overtime), conversationWithinMs)
  }

  get bytes(): Bytes {
    return { request: Buffer.concat(this.#sent), response: Buffer.concat(this.#received) }
  }

  /** Nothing more can be said on it. */
  get broken(): boolean {
    return this.#fault !== undefined
  }

  get isWaiting(): boolean {
    return this.#waiter !== undefined
  }

  /**
   * Sends `bytes`, keeps `kept` of them, and waits for what `answer` is given. The wait is for the whole of it: a meter that sends a byte now and then does not
   * prolong it.
   *
   * @returns undefined when nothing came in time
   * @throws {DlmsFault} the first fault of the conversation
   */
  ask({ bytes, kept, withinMs }: Question): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#fault !== undefined) return reject(this.#fault)
      const settled = (): void => {
        clearTimeout(timer)
        this.#waiter = undefined
      }
      const timer = setTimeout(() => {
        settled()
        resolve(undefined)
      }, withinMs)
      this.#waiter = {
        answer: (answer) => {
          settled()
          resolve(answer)
        },
        fault: (fault) => {
          settled()
          reject(fault)
        }
      }
      this.#sent.push(kept)
      if (!this.#line.send(bytes)) this.fail(new DlmsFault('DLMS_CLOSED', 'the line is not open'))
    })
  }

  answer(answer: Answer): void {
    this.#waiter?.answer(answer)
  }

  fail(fault: DlmsFault): void {
    if (this.#fault !== undefined) return
    this.#fault = fault
    this.#waiter?.fault(fault)
  }

  end(): void {
    clearTimeout(this.#overtime)
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#line.receive(undefined)
  }

  #arrived(chunk: Uint8Array, take: (chunk: Uint8Array) => void): void {
    if (this.#fault !== undefined) return
    this.#size += chunk.length
    // Copied: the stream may use its buffer again.
    this.#received.push(Uint8Array.from(chunk))
    try {
      if (this.#size > maxReceivedBytes)
        throw new DlmsFault('DLMS_TOO_MANY', `more than ${maxReceivedBytes} bytes came in one conversation`)
      take(chunk)
    } catch (thrown) {
      if (!(thrown instanceof DlmsFault)) throw thrown
      this.fail(thrown)
    }
  }
}
