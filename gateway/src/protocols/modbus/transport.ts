import { setTimeout as delay } from 'node:timers/promises'
import { failure, type Result, success } from '@endeks/domain/result'
import type { Line, LineFailure } from '../../line/index.js'
import { type DecodeFailure, nothing } from '../protocol.js'
import { encodeIdentificationRequest, encodeReadRequest, type Frame } from './codec/index.js'
import { Debts } from './debts.js'
import { type Framing, type Sent, surplusOf, type Verdict } from './framing.js'
import type { Timing } from './timing.js'

/** Nobody sends more before an answer is judged: two frames, an echo of the request, and some noise. */
const mostBytes = 1_024

/** Modbus TCP: so long after an answer the rest of one that was cut off by its length may follow in a segment of its own. */
const surplusWithinMs = 10

/** What every device answers, if only by refusing it. */
const sweepingQuestions = [
  encodeReadRequest({ function: 4, address: 0, count: 1 }),
  encodeReadRequest({ function: 3, address: 0, count: 1 }),
  encodeIdentificationRequest(0)
] as const

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
  /** something of what came was the unit's own answer, damaged, so that no more of it is due */
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
  /** RTU: answers that may still come */
  readonly #debts = new Debts()
  /** Modbus TCP: what came while nobody had asked */
  #unasked: Uint8Array = new Uint8Array()
  #interrupt: (() => void) | undefined

  constructor(line: Line, framing: Framing, timing: Timing) {
    this.#line = line
    this.#framing = framing
    this.#timing = timing
  }

  open({ withinMs, signal }: Asking): Promise<Result<undefined, LineFailure>> {
    // What it belongs to is read and gone; with this connection no next answer begins where it should.
    if (this.#surplus() !== undefined) this.drop()
    return this.#line.open({ withinMs, signal })
  }

  /** @returns the first answer to this very request, as soon as it is whole */
  async exchange(unit: number, pdu: Uint8Array, asking: Asking): Promise<Outcome> {
    this.#transaction = (this.#transaction + 1) & 0xffff
    const sent = this.#framing.send(this.#transaction, unit, pdu)
    const surplus = this.#surplus()
    if (surplus !== undefined) {
      const failed = damaged(sent, this.#unasked, { ...surplus, heard: true })
      this.drop()
      return failed
    }
    if (this.#framing.name === 'rtu') {
      const ready = await this.#ready(sent, asking)
      if (!ready.ok) return ready
    }
    const outcome = await this.#converse(sent, asking)
    this.#account(sent, outcome, asking.withinMs)
    return outcome
  }

  /**
   * Modbus TCP has no checksum: whether bytes were put into the last answer shows only in what is left over of it.
   *
   * @returns why the last answer can't be believed, with the bytes that say so
   */
  async surplusBehind(signal: AbortSignal): Promise<(DecodeFailure & { readonly response: Uint8Array }) | undefined> {
    // What comes meanwhile is kept; a read that is called off is told so elsewhere.
    if (this.#framing.name === 'tcp') await delay(surplusWithinMs, undefined, { signal }).catch(() => {})
    const surplus = this.#surplus()
    return surplus === undefined ? undefined : { ...surplus, response: this.#unasked }
  }

  /** What is to be known of the line before the next request. */
  #account(sent: Sent, outcome: Outcome, withinMs: number): void {
    if (!outcome.ok) this.#restless = outcome.error.response.length > 0
    if (this.#framing.name === 'tcp') return
    if (outcome.ok) this.#debts.answered(sent, withinMs)
    else if (!outcome.error.heard) this.#debts.owe(sent, withinMs)
  }

  /** @returns why what came unasked is no frame; whole frames are late or doubled, and harm nobody */
  #surplus(): DecodeFailure | undefined {
    const surplus = surplusOf(this.#unasked, 0)
    if (surplus === undefined) this.#unasked = new Uint8Array()
    return surplus
  }

  /** Ends the connection, and with it whatever is still to come over it. */
  drop(): void {
    this.#line.drop()
    this.#restless = false
    this.#unasked = new Uint8Array()
    this.#interrupt?.()
  }

  /** As `drop`, and waits until another line may have the place. */
  async close(): Promise<void> {
    this.drop()
    await this.#line.close()
  }

  /** Before an RTU request: no answer to another question is due from this unit, and the line is silent. */
  async #ready(sent: Sent, asking: Asking): Promise<Result<undefined, ExchangeFailure>> {
    if (this.#debts.like(sent).length > 0) await this.#collect(sent, asking.signal)
    if (this.#debts.like(sent).length > 0) {
      const swept = await this.#sweep(sent, asking)
      if (!swept.ok) return swept
    }
    return this.#settleDown(sent, asking)
  }

  /** Waits for what may be taken for the answer to `sent`, until all of it came or none is due any more. */
  async #collect(sent: Sent, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      let over = false
      const settle = (): void => {
        // The time may run out after all came, and then somebody else listens.
        if (over) return
        over = true
        signal.removeEventListener('abort', settle)
        this.#release()
        resolve()
      }
      let bytes = new Uint8Array()
      const onChunk = (chunk: Uint8Array): void => {
        bytes = Uint8Array.of(...bytes, ...chunk.subarray(-mostBytes)).slice(-mostBytes)
        for (const debt of this.#debts.like(sent)) {
          const verdict = this.#framing.judge(debt.sent, bytes)
          if (verdict.kind !== 'answer') continue
          bytes = bytes.slice(verdict.frame.offset + verdict.frame.size)
          this.#debts.paid(debt)
        }
        if (this.#debts.like(sent).length === 0) settle()
      }
      this.#hold(onChunk, settle)
      signal.addEventListener('abort', settle, { once: true })
      void Promise.all(this.#debts.like(sent).map(({ due }) => due)).then(settle)
    })
  }

  /**
   * Asks something whose answer nothing that is owed looks like. Once that has come, what was asked before is lost: a unit answers
   * one question after the other, and so does a network that held them up for however long.
   */
  async #sweep({ unit }: Sent, asking: Asking): Promise<Result<undefined, ExchangeFailure>> {
    const owed = this.#debts.of(unit).map(({ sent }) => sent.pdu[0])
    const pdu = sweepingQuestions.find(([code]) => !owed.includes(code))
    if (pdu === undefined) {
      const message = `unit ${unit} owes answers to everything that it could be asked`
      return failure({ code: 'NO_ANSWER', message, kind: 'silent', heard: false, ...nothing })
    }
    const sent = this.#framing.send(0, unit, pdu)
    const ready = await this.#settleDown(sent, asking)
    if (!ready.ok) return ready
    const outcome = await this.#converse(sent, asking)
    this.#account(sent, outcome, asking.withinMs)
    if (!outcome.ok) return outcome
    this.#debts.forgive(unit)
    return success(undefined)
  }

  async #settleDown(sent: Sent, asking: Asking): Promise<Result<undefined, ExchangeFailure>> {
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
    this.#line.receive(
      this.#framing.name === 'tcp' ? { data: (chunk) => this.#keep(chunk), closed: () => this.#keep(undefined) } : undefined
    )
  }

  #keep(chunk: Uint8Array | undefined): void {
    this.#unasked =
      chunk === undefined ? new Uint8Array() : Uint8Array.of(...this.#unasked, ...chunk.subarray(0, mostBytes)).slice(0, mostBytes)
  }
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
