import type { Log } from '@endeks/domain/process'
import type { Loss } from './losses.js'

/** A spool at its limit loses a message with each that it takes: told at once, and then once a minute with the totals. */
const everyMs = 60_000

export class LossReport {
  readonly #log: Log
  #messages = 0
  #readings = 0
  #told = 0
  #last: (Pick<Loss, 'epoch' | 'lane'> & { readonly sequence: number }) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(log: Log) {
    this.#log = log
  }

  /** since the start */
  get totals(): { readonly messages: number; readonly readings: number } {
    return { messages: this.#messages, readings: this.#readings }
  }

  add(lost: Pick<Loss, 'epoch' | 'lane' | 'readings'> & { readonly sequence: number }): void {
    this.#messages += 1
    this.#readings += lost.readings
    this.#last = lost
  }

  /** Called once a write: what several messages were lost to is one line. */
  tell(): void {
    if (this.#messages === this.#told || this.#timer !== undefined) return
    this.#write()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.tell()
    }, everyMs)
    this.#timer.unref()
  }

  close(): void {
    clearTimeout(this.#timer)
    if (this.#messages > this.#told) this.#write()
  }

  #write(): void {
    this.#told = this.#messages
    this.#log.error('spool full, oldest messages lost', {
      code: 'SPOOL_LOST',
      messages: this.#messages,
      readings: this.#readings,
      epoch: this.#last?.epoch,
      lane: this.#last?.lane,
      sequence: this.#last?.sequence,
      message: 'the uplink has been down for longer than the spool can hold: mend the line, or give the spool a larger maxBytes'
    })
  }
}
