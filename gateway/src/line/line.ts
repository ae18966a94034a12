import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { failure, type Result, success } from '@endeks/domain/result'
import type { Clock } from '@endeks/domain/time'
import { type Opening, openPlace } from './open.js'
import { formatPlace, type LinePlace } from './place.js'

const firstBackOffMs = 1_000
const longestBackOffMs = 60_000
/** Longest wait for a port to be closed: the operating system may first send what it holds. */
const closeWithinMs = 2_000

export interface LineFailure {
  readonly code: 'BUS_UNREACHABLE' | 'READ_ABORTED'
  readonly message: string
}

/** Whoever has the line just now. */
export interface Receiver {
  data(chunk: Uint8Array): void
  closed(): void
}

/**
 * A line to a bus, over a transparent converter or a serial port: what is sent goes onto the bus, what meters answer comes back,
 * and bytes that come while nobody listens are gone. Opens on demand; a place that can't be opened is left alone for a while
 * that doubles up to a minute, so that a dead converter costs its meters nothing.
 */
export class Line {
  readonly place: LinePlace
  readonly #clock: Clock
  #stream: Duplex | undefined
  #receiver: Receiver | undefined
  /** settled when what was dropped last is closed */
  #closing: Promise<void> | undefined
  #backOffMs = 0
  #notBefore = Number.NEGATIVE_INFINITY

  constructor(place: LinePlace, clock: Clock) {
    this.place = place
    this.#clock = clock
  }

  get isOpen(): boolean {
    return this.#stream !== undefined
  }

  async open(opening: Opening): Promise<Result<undefined, LineFailure>> {
    if (this.#stream !== undefined) return success(undefined)
    const waitMs = this.#notBefore - this.#clock.now()
    // More than the wait that was begun is left when the clock was set back.
    if (waitMs > 0 && waitMs <= this.#backOffMs)
      return this.#unreachable(`is left alone for another ${waitMs} ms after it could not be reached`)
    await this.#dropped(opening)
    const opened = await openPlace(this.place, opening)
    if (!opened.ok) {
      if (opening.signal.aborted) return failure({ code: 'READ_ABORTED', message: 'The read was called off' })
      this.#backOffMs = Math.min(Math.max(2 * this.#backOffMs, firstBackOffMs), longestBackOffMs)
      this.#notBefore = this.#clock.now() + this.#backOffMs
      return this.#unreachable(opened.error)
    }
    this.#backOffMs = 0
    this.#use(opened.value)
    return success(undefined)
  }

  /** One receiver at a time, until it is taken away with `undefined`. */
  receive(receiver: Receiver | undefined): void {
    this.#receiver = receiver
  }

  /** @returns whether there is a line to send on */
  send(bytes: Uint8Array): boolean {
    if (this.#stream === undefined) return false
    this.#stream.write(bytes)
    return true
  }

  /** Ends the connection; the next `open` makes a new one. */
  drop(): void {
    const stream = this.#stream
    if (stream === undefined) return
    this.#stream = undefined
    this.#closing = new Promise((resolve) => stream.once('close', () => resolve()))
    stream.destroy()
  }

  /** Ends the connection, and waits until another line may have the place. */
  async close(): Promise<void> {
    this.drop()
    await this.#dropped({ withinMs: closeWithinMs, signal: new AbortController().signal })
  }

  /** A serial port has one owner, also while it is being closed. */
  async #dropped({ withinMs, signal }: Opening): Promise<void> {
    if (this.#closing === undefined || signal.aborted) return
    const waiting = new AbortController()
    const giveUp = (): void => waiting.abort()
    signal.addEventListener('abort', giveUp, { once: true })
    // Rejects only when it is called off, which is an end of the waiting like any other.
    const tooLong = delay(withinMs, undefined, { signal: waiting.signal }).catch(() => undefined)
    await Promise.race([this.#closing, tooLong])
    this.#closing = undefined
    signal.removeEventListener('abort', giveUp)
    giveUp()
  }

  #use(stream: Duplex): void {
    this.#stream = stream
    stream.on('data', (chunk: Uint8Array) => {
      if (this.#stream === stream) this.#receiver?.data(chunk)
    })
    // The close that follows tells whoever waits; without a listener an error would end the process.
    stream.on('error', () => stream.destroy())
    stream.on('close', () => {
      // One that was dropped is no concern of whoever has the line now.
      if (this.#stream !== stream) return
      this.#stream = undefined
      this.#receiver?.closed()
    })
  }

  #unreachable(why: string): Result<never, LineFailure> {
    return failure({ code: 'BUS_UNREACHABLE', message: `${formatPlace(this.place)} ${why}` })
  }
}
