import { setTimeout as delay } from 'node:timers/promises'
import { failure, type Result, success } from '@endeks/domain/result'
import type { Line, LineFailure } from '../../line/index.js'
import type { DecodeFailure } from '../protocol.js'
import type { Frame } from './codec/index.js'
import type { Framing, Sent, Verdict } from './framing.js'
import type { Timing } from './timing.js'

/** Nobody sends more before an answer is judged: two frames, an echo of the request, and some noise. */
const mostBytes = 1_024

/**
 * So many waits long an answer that did not come may still come, and be taken for one to another question that has as many registers.
 * Converters on slow networks keep one back for longer than the one wait that is given to it.
 */
const owedForWaits = 2

export interface Asking {
  readonly withinMs: number
  readonly signal: AbortSignal
}

/** A request and the answer to it, which may be a refusal: their very bytes, and the answer's content. */
export interface Exchanged {
  readonly request: Uint8Array
  readonly response: Uint8Array
  readonly frame: Frame
}

export interface ExchangeFailure extends DecodeFailure {
  /** `silent`: the unit said nothing; `damaged`: something came that is no answer; `line`: there is no line any more */
  readonly kind: 'silent' | 'damaged' | 'line' | 'aborted'
  /** something of what came was the unit's own, so that no more of it is due */
  readonly heard: boolean
  readonly request: Uint8Array
  /** all that came */
  readonly response: Uint8Array
}

type Outcome = Result<Exchanged, ExchangeFailure>

/** Carries one request at a time over a line and finds its answer in what comes, so that no other answer passes for it. */
export class Transport {
  readonly #line: Line
  readonly #framing: Framing
  readonly #timing: Timing
  #transaction = 0
  /** something came that was no answer: the rest of it may still be on its way */
  #restless = false
  /** units that may still answer a request that was given up; RTU answers do not say what they answer */
  readonly #owed = new Map<number, { readonly request: string; readonly until: Promise<unknown> }>()
  #interrupt: (() => void) | undefined

  constructor(line: Line, framing: Framing, timing: Timing) {
    this.#line = line
    this.#framing = framing
    this.#timing = timing
  }

  open({ withinMs, signal }: Asking): Promise<Result<undefined, LineFailure>> {
    return this.#line.open({ withinMs, signal })
  }

  /** @returns the first answer to this very request, as soon as it is whole */
  async exchange(unit: number, pdu: Uint8Array, asking: Asking): Promise<Outcome> {
    this.#transaction = (this.#transaction + 1) & 0xffff
    const sent = this.#framing.send(this.#transaction, unit, pdu)
    if (this.#framing.name === 'rtu') {
      const ready = await this.#ready(sent, asking)
      if (!ready.ok) return ready
    }
    const outcome = await this.#converse(sent, asking)
    if (!outcome.ok) {
      this.#restless = outcome.error.response.length > 0
      if (this.#framing.name === 'rtu' && !outcome.error.heard) this.#owe(sent, asking.withinMs)
    }
    return outcome
  }

  /** Ends the connection, and with it whatever is still to come over it. */
  drop(): void {
    this.#line.drop()
    this.#restless = false
    this.#interrupt?.()
  }

  /** As `drop`, and waits until another line may have the place. */
  async close(): Promise<void> {
    this.drop()
    await this.#line.close()
  }

  /** Before an RTU request: no answer to another question is due from this unit, and the line is silent. */
  async #ready(sent: Sent, asking: Asking): Promise<Result<undefined, ExchangeFailure>> {
    const owed = this.#owed.get(sent.unit)
    // The late answer to the same request is an answer to it.
    if (owed !== undefined && owed.request !== keyOf(sent)) await until(owed.until, asking.signal)
    const silence = await this.#silence(this.#restless ? this.#timing.quietMs : this.#timing.gapMs, asking)
    if (asking.signal.aborted) return aborted(sent)
    if (silence === 'closed') return broken(sent, new Uint8Array())
    if (silence === 'noisy') {
      const message = `the line does not fall silent within ${asking.withinMs} ms: something never stops sending`
      return failure({ code: 'BUS_NOISE', message, kind: 'line', heard: false, request: sent.bytes, response: new Uint8Array() })
    }
    this.#restless = false
    return success(undefined)
  }

  #silence(gapMs: number, { withinMs, signal }: Asking): Promise<'silent' | 'noisy' | 'closed'> {
    if (signal.aborted) return Promise.resolve('closed')
    return new Promise((resolve) => {
      const settle = (how: 'silent' | 'noisy' | 'closed'): void => {
        clearTimeout(gap)
        clearTimeout(deadline)
        signal.removeEventListener('abort', onAbort)
        this.#release()
        resolve(how)
      }
      const onAbort = (): void => settle('closed')
      let gap = setTimeout(() => settle('silent'), gapMs)
      const deadline = setTimeout(() => settle('noisy'), Math.max(withinMs, 3 * gapMs))
      signal.addEventListener('abort', onAbort, { once: true })
      this.#hold(
        () => {
          clearTimeout(gap)
          gap = setTimeout(() => settle('silent'), gapMs)
        },
        () => settle('closed')
      )
    })
  }

  #converse(sent: Sent, { withinMs, signal }: Asking): Promise<Outcome> {
    if (signal.aborted) return Promise.resolve(aborted(sent))
    return new Promise((resolve) => {
      let received = new Uint8Array()
      let verdict: Verdict = { kind: 'wait', heard: false, ended: false }
      let quiet: NodeJS.Timeout | undefined
      const settle = (outcome: Outcome): void => {
        clearTimeout(deadline)
        clearTimeout(quiet)
        signal.removeEventListener('abort', onAbort)
        this.#release()
        resolve(outcome)
      }
      const giveUp = (): void => settle(unanswered(sent, received, { verdict, withinMs }))
      const onAbort = (): void => settle(aborted(sent, received))
      const deadline = setTimeout(giveUp, withinMs)
      signal.addEventListener('abort', onAbort, { once: true })
      const onChunk = (chunk: Uint8Array): void => {
        received = Uint8Array.of(...received, ...chunk.subarray(0, mostBytes + 1 - received.length))
        verdict = this.#framing.judge(sent, received)
        if (verdict.kind === 'answer') settle(answered(sent, received, verdict.frame))
        else if (verdict.kind === 'broken') {
          settle(damaged(sent, received, { ...verdict.failure, heard: true }))
          this.#line.drop()
        } else if (received.length > mostBytes) {
          const message = `more than ${mostBytes} bytes came, and no answer in them`
          settle(damaged(sent, received, { code: 'BUS_NOISE', message, heard: false }))
        } else if (verdict.ended) {
          clearTimeout(quiet)
          quiet = setTimeout(giveUp, this.#timing.quietMs)
        }
      }
      this.#hold(onChunk, () => settle(broken(sent, received)))
      if (!this.#line.send(sent.bytes)) settle(broken(sent, received))
    })
  }

  #hold(data: (chunk: Uint8Array) => void, closed: () => void): void {
    this.#interrupt = closed
    this.#line.receive({ data, closed })
  }

  #release(): void {
    this.#interrupt = undefined
    this.#line.receive(undefined)
  }

  #owe(sent: Sent, withinMs: number): void {
    const owed = { request: keyOf(sent), until: delay(owedForWaits * withinMs, undefined, { ref: false }) }
    this.#owed.set(sent.unit, owed)
    owed.until.then(() => {
      if (this.#owed.get(sent.unit) === owed) this.#owed.delete(sent.unit)
    })
  }
}

function keyOf(sent: Sent): string {
  return Buffer.from(sent.pdu).toString('hex')
}

/** Resolves when either happens. */
async function until(due: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  let onAbort = (): void => {}
  const called = new Promise<void>((resolve) => {
    onAbort = resolve
    signal.addEventListener('abort', onAbort, { once: true })
  })
  await Promise.race([due, called])
  signal.removeEventListener('abort', onAbort)
}

function answered(sent: Sent, received: Uint8Array, frame: Frame): Outcome {
  return success({ request: sent.bytes, response: received.slice(frame.offset, frame.offset + frame.size), frame })
}

function unanswered(sent: Sent, received: Uint8Array, { verdict, withinMs }: { verdict: Verdict; withinMs: number }): Outcome {
  if (verdict.kind === 'wait' && verdict.failure !== undefined) return damaged(sent, received, { ...verdict.failure, heard: verdict.heard })
  const what = received.length === 0 ? 'nothing' : 'nothing but the request itself'
  return failure({
    code: 'NO_ANSWER',
    message: `${what} came from unit ${sent.unit} within ${withinMs} ms`,
    kind: 'silent',
    heard: false,
    request: sent.bytes,
    response: received
  })
}

function damaged(sent: Sent, received: Uint8Array, { heard, ...why }: DecodeFailure & { readonly heard: boolean }): Outcome {
  return failure({ ...why, kind: 'damaged', heard, request: sent.bytes, response: received })
}

function broken(sent: Sent, received: Uint8Array): Result<never, ExchangeFailure> {
  return failure({
    code: 'BUS_BROKEN',
    message: 'the connection closed during the conversation',
    kind: 'line',
    heard: false,
    request: sent.bytes,
    response: received
  })
}

function aborted(sent: Sent, received: Uint8Array = new Uint8Array()): Result<never, ExchangeFailure> {
  return failure({
    code: 'READ_ABORTED',
    message: 'the read was called off',
    kind: 'aborted',
    heard: false,
    request: sent.bytes,
    response: received
  })
}
