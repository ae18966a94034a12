import { failure, type Result, success } from '@endeks/domain/result'
import type { Line } from '../../line/index.js'
import type { DecodeFailure } from '../protocol.js'
import { longestFrame, type MbusFrame, readFrame } from './codec/index.js'
import type { Timing } from './timing.js'

/** After a broken answer the rest of it may still be on its way; this long nothing must come before the line is used again. */
const quietMs = 100
/** Nobody sends more before an answer is judged: a frame, an echo of the request, another's answer, and some noise. */
const mostBuffered = 4 * longestFrame

/** Refusals of an answer that may have been another's or an earlier one's; any other would be the same again. */
const worthRepeating: ReadonlySet<string> = new Set([
  'MBUS_FOREIGN_ADDRESS',
  'MBUS_FOREIGN_IDENTITY',
  'MBUS_NO_DATA',
  'MBUS_CONTROL_FIELD',
  'MBUS_REPEATED'
])

/** What is wrong with a frame that was there up to its end. */
const damaged: ReadonlySet<string> = new Set(['MBUS_CHECKSUM', 'MBUS_STOP_BYTE'])

export interface Question<Verdict> {
  readonly request: Uint8Array
  /** whether a frame answers this request */
  readonly judge: (frame: MbusFrame) => Result<Verdict, DecodeFailure>
  readonly timing: Timing
  readonly signal: AbortSignal
}

export interface Answer<Verdict> {
  readonly verdict: Verdict
  /** the frame that was accepted, without what came before it */
  readonly bytes: Uint8Array
  /** what came with it behind it */
  readonly behind: Uint8Array
}

export interface AskFailure {
  readonly code: string
  readonly message: string
  /** what came nevertheless */
  readonly bytes: Uint8Array
  /** whether the same request may be answered better; not so when the line is gone, or the meter means what it says */
  readonly repeatable: boolean
}

/**
 * Sends a request and gives back the first frame that answers it, as soon as it is whole. An echo of the request, noise and
 * another meter's answer before it are passed over; what is broken ends the wait once the line is quiet.
 */
export function ask<Verdict>(line: Line, question: Question<Verdict>): Promise<Result<Answer<Verdict>, AskFailure>> {
  const { signal, request, timing } = question
  if (signal.aborted) return Promise.resolve(failure(aborted(new Uint8Array())))
  return new Promise((resolve) => {
    const { beginMs, endMs } = timing.limits(request.length)
    const hearing = new Hearing(question)
    let quiet: NodeJS.Timeout | undefined
    let begun = false
    const finish = (result: Result<Answer<Verdict>, AskFailure>): void => {
      for (const timer of [begin, own, end, quiet]) clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      line.receive(undefined)
      resolve(result)
    }
    const onAbort = (): void => finish(failure(aborted(hearing.bytes)))
    const begin = setTimeout(() => {
      if (hearing.heardNothing) finish(failure(hearing.unanswered(beginMs)))
    }, beginMs)
    // Behind noise and another's answer the asked meter may still speak, until the time is over at which it must have begun.
    const own = setTimeout(() => {
      begun = true
      if (hearing.refused !== undefined && !hearing.isWaiting && quiet === undefined) finish(failure(hearing.refused))
    }, timing.ownAnswerMs(request.length))
    const end = setTimeout(() => finish(hearing.conclude(endMs, quiet !== undefined)), endMs)
    signal.addEventListener('abort', onAbort, { once: true })
    line.receive({
      closed: () => finish(failure(broken(hearing.bytes))),
      data: (chunk) => {
        const result = hearing.hear(chunk)
        if (result !== undefined) return finish(result)
        clearTimeout(quiet)
        quiet = undefined
        if (hearing.refused === undefined || hearing.isWaiting) return
        quiet = setTimeout(() => {
          quiet = undefined
          if (begun || hearing.hadBrokenFrame) finish(failure(hearing.refused ?? hearing.unanswered(quietMs)))
        }, quietMs)
      }
    })
    if (!line.send(request)) finish(failure(broken(new Uint8Array())))
  })
}

export interface Overhearing {
  /** what came already */
  readonly behind: Uint8Array
  readonly isRival: (frame: MbusFrame) => boolean
  readonly timing: Timing
  readonly signal: AbortSignal
}

/**
 * Whether somebody else answers a request too, behind an answer that was good: until everyone who took the request for his has
 * begun, and to the end of what was begun.
 */
export function overhear(line: Line, { behind, isRival, timing, signal }: Overhearing): Promise<boolean> {
  return new Promise((resolve) => {
    let buffer = behind
    const finish = (): void => {
      clearTimeout(own)
      clearTimeout(end)
      signal.removeEventListener('abort', finish)
      line.receive(undefined)
      resolve(framesIn(buffer).some(isRival))
    }
    const own = setTimeout(() => {
      if (buffer.length === 0) finish()
    }, timing.ownAnswerMs(0))
    const end = setTimeout(finish, timing.limits(0).endMs)
    signal.addEventListener('abort', finish, { once: true })
    line.receive({
      closed: finish,
      data: (chunk) => {
        buffer = Uint8Array.of(...buffer, ...chunk.subarray(0, mostBuffered - buffer.length))
        if (buffer.length === mostBuffered || framesIn(buffer).some(isRival)) finish()
      }
    })
    if (signal.aborted || !line.isOpen || framesIn(buffer).some(isRival)) finish()
  })
}

/** The whole frames among bytes, with noise between them or not. */
function framesIn(bytes: Uint8Array): MbusFrame[] {
  const frames: MbusFrame[] = []
  for (let position = 0; position < bytes.length; ) {
    const frame = readFrame(bytes.subarray(position))
    if (frame.ok) frames.push(frame.value)
    position += frame.ok ? frame.value.size : 1
  }
  return frames
}

/** What came since a request was sent, and what became of it. */
class Hearing<Verdict> {
  readonly #question: Question<Verdict>
  #buffer: Uint8Array = new Uint8Array()
  /** what is before it was an echo, noise or not an answer */
  #position = 0
  #refused: Omit<AskFailure, 'bytes'> | undefined
  #hadBrokenFrame = false
  #waiting = false

  constructor(question: Question<Verdict>) {
    this.#question = question
  }

  get bytes(): Uint8Array {
    return this.#buffer
  }

  /** Nothing but an echo so far. */
  get heardNothing(): boolean {
    return this.#refused === undefined && this.#position === this.#buffer.length
  }

  /** why what came first is not an answer */
  get refused(): AskFailure | undefined {
    return this.#refused === undefined ? undefined : { ...this.#refused, bytes: this.#buffer }
  }

  /** a frame of the right size came damaged: that was the answer */
  get hadBrokenFrame(): boolean {
    return this.#hadBrokenFrame
  }

  /** in the middle of a frame */
  get isWaiting(): boolean {
    return this.#waiting
  }

  hear(chunk: Uint8Array): Result<Answer<Verdict>, AskFailure> | undefined {
    const room = mostBuffered - this.#buffer.length
    this.#buffer = Uint8Array.of(...this.#buffer, ...chunk.subarray(0, room))
    const heard = this.#search()
    if (heard !== undefined) return heard
    return chunk.length > room ? failure(this.#babble()) : undefined
  }

  /** At the end of the wait. @param speaking whether something came just now */
  conclude(withinMs: number, speaking: boolean): Result<Answer<Verdict>, AskFailure> {
    while (this.#waiting) {
      // What looked like the beginning of a frame was none, or was cut short; a whole one may stand behind it.
      this.#refuse({ code: 'MBUS_TRUNCATED', message: `Only a part of an answer came within ${withinMs} ms` }, true)
      this.#position += 1
      const heard = this.#search()
      if (heard !== undefined) return heard
    }
    if (speaking && this.#buffer.length > longestFrame + this.#question.request.length) return failure(this.#babble())
    return failure(this.refused ?? this.unanswered(withinMs))
  }

  unanswered(withinMs: number): AskFailure {
    const what = this.#buffer.length === 0 ? 'Nothing' : 'Nothing but an echo'
    return { code: 'NO_ANSWER', message: `${what} came within ${withinMs} ms`, bytes: this.#buffer, repeatable: true }
  }

  /** @returns undefined while there is nothing to decide yet */
  #search(): Result<Answer<Verdict>, AskFailure> | undefined {
    this.#waiting = false
    if (this.#position === 0 && !this.#skipEcho()) return undefined
    while (this.#position < this.#buffer.length) {
      const rest = this.#buffer.subarray(this.#position)
      const frame = readFrame(rest)
      if (!frame.ok && frame.error.code === 'MBUS_TRUNCATED') {
        this.#waiting = true
        return undefined
      }
      if (!frame.ok) {
        this.#hadBrokenFrame ||= damaged.has(frame.error.code)
        this.#refuse(frame.error, true)
        this.#position += 1
        continue
      }
      // In the middle of noise an E5 is no more than one more byte of it.
      const isNoise = frame.value.type === 'acknowledge' && this.#refused !== undefined && rest.length > 1
      const verdict = isNoise ? undefined : this.#question.judge(frame.value)
      if (verdict?.ok === true) {
        const { size } = frame.value
        return success({ verdict: verdict.value, bytes: rest.slice(0, size), behind: rest.slice(size) })
      }
      this.#position += frame.value.size
      if (verdict === undefined) continue
      const repeatable = worthRepeating.has(verdict.error.code)
      this.#refuse(verdict.error, repeatable)
      if (!repeatable) return failure({ ...verdict.error, repeatable, bytes: this.#buffer })
    }
    return undefined
  }

  /** Some converters hand back what they were given to send. @returns false while it may still be coming */
  #skipEcho(): boolean {
    const { request } = this.#question
    const overlap = Math.min(this.#buffer.length, request.length)
    if (Buffer.compare(this.#buffer.subarray(0, overlap), request.subarray(0, overlap)) !== 0) return true
    this.#waiting = overlap < request.length
    if (!this.#waiting) this.#position = overlap
    return !this.#waiting
  }

  #refuse({ code, message }: DecodeFailure, repeatable: boolean): void {
    this.#refused ??= { code, message, repeatable }
  }

  #babble(): AskFailure {
    const message = 'The line never stops sending: nobody can be asked'
    return { code: 'BUS_NEVER_QUIET', message, bytes: this.#buffer, repeatable: false }
  }
}

function broken(bytes: Uint8Array): AskFailure {
  return { code: 'BUS_BROKEN', message: 'The connection closed during the conversation', bytes, repeatable: false }
}

function aborted(bytes: Uint8Array): AskFailure {
  return { code: 'READ_ABORTED', message: 'The read was called off', bytes, repeatable: false }
}
