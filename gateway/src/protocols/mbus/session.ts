import { type DeviceIdentity, formatIdentity } from '@endeks/domain/metering'
import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../protocol.js'
import { refuse } from './codec/failure.js'
import {
  type Command,
  control,
  encodeCommand,
  encodeShort,
  formatSecondary,
  isSelected,
  type MbusFrame,
  type MbusResponse,
  readIdentity,
  readResponse,
  type SecondaryAddress,
  sameDevice,
  sharedAddress
} from './codec/index.js'
import { usualTries } from './timing.js'

/** Frames that one readout may have: a meter that never stops saying "more" must not hold the bus. */
export const mostFrames = 16

/** Whom to talk to: a primary address, or whoever answers to a selection. */
export type Target = number | SecondaryAddress

/** What is to be sent next. */
export interface Step {
  readonly request: Uint8Array
  /** silence is no failure: a reset of 253 is answered by a selected meter only, and there may be none */
  readonly mayBeSilent: boolean
}

/**
 * The link to one primary address: which frame count bit its next request carries (EN 13757-2, after IEC 60870-5-2). The bit changes
 * when, and only when, an answer was good; a repeated request keeps it, and the meter repeats its answer.
 */
export interface Link {
  readonly frameCountBit: boolean
  /** the meter's own count is unknown, it stands in the middle of a readout, or is selected: begin with SND_NKE */
  readonly reset: boolean
}

export const newLink: Link = { frameCountBit: true, reset: true }

export interface SessionOptions {
  /** how often a request is sent at most; `usualTries` unless told */
  readonly tries?: number
  /** told before anything is asked for */
  readonly commands?: readonly Command[]
  /** what to ask for; undefined: nothing */
  readonly data?: DataOptions
  /** leaves a selected meter selected, for a search that selects the next one at once */
  readonly keepSelected?: boolean
}

export interface DataOptions {
  /** 1: alarms, for which an acknowledgement means that there are none */
  readonly requestClass?: 1 | 2
  /** whether the answers so far hold all that is wanted, so that the rest need not be asked for */
  readonly enough?: (responses: readonly MbusResponse[]) => boolean
  readonly key?: Uint8Array | undefined
  /** an answer that names its meter is good, though its data can't be read; `trouble` then says why */
  readonly tolerant?: boolean
}

type Phase = { readonly kind: 'reset' | 'select' | 'data' | 'deselect' } | { readonly kind: 'command'; readonly command: Command }

/** One conversation with one meter, without any line or clock: it says what to send and judges what came. */
export class Session {
  readonly #target: Target
  readonly #tries: number
  readonly #data: DataOptions
  readonly #phases: Phase[]
  readonly #responses: MbusResponse[] = []
  /** data of the good answers: one of them once more is a late answer to a request before */
  readonly #accepted: Uint8Array[] = []
  #identity: DeviceIdentity | undefined
  #trouble: DecodeFailure | undefined
  #frameCountBit: boolean
  #link: Link = newLink
  /** how often a frame came that was there before, since the last new one */
  #repeats = 0

  constructor(target: Target, link: Link, options: SessionOptions) {
    this.#target = target
    this.#tries = options.tries ?? usualTries
    this.#data = options.data ?? {}
    const secondary = typeof target !== 'number'
    // A meter forgets its count when it is selected.
    this.#frameCountBit = link.reset || secondary ? newLink.frameCountBit : link.frameCountBit
    this.#phases = [
      ...(link.reset ? [{ kind: secondary ? 'deselect' : 'reset' } as const] : []),
      ...(secondary ? [{ kind: 'select' } as const] : []),
      ...(options.commands ?? []).map((command) => ({ kind: 'command', command }) as const),
      ...(options.data === undefined ? [] : [{ kind: 'data' } as const]),
      ...(secondary && options.keepSelected !== true ? [{ kind: 'deselect' } as const] : [])
    ]
  }

  /** How the link stands now: in need of a reset until the conversation came to a clean end. */
  get link(): Link {
    return this.#link
  }

  get responses(): readonly MbusResponse[] {
    return this.#responses
  }

  /** who answered, as far as any answer said so */
  get identity(): DeviceIdentity | undefined {
    return this.#identity
  }

  /** why an answer that named its meter could not be read */
  get trouble(): DecodeFailure | undefined {
    return this.#trouble
  }

  get step(): Step {
    const phase = this.#phases[0] ?? { kind: 'data' }
    return { request: this.#request(phase), mayBeSilent: phase.kind === 'deselect' || this.#address === sharedAddress.broadcast }
  }

  /**
   * Judges an answer to the current step.
   *
   * @returns whether the conversation is complete; a failure when the answer is not one to this request, which leaves the step as it is
   */
  accept(frame: MbusFrame): Result<'complete' | 'continue', DecodeFailure> {
    const phase = this.#phases[0]
    if (phase?.kind === 'data') return this.#acceptData(frame)
    if (frame.type !== 'acknowledge') return refuse('MBUS_CONTROL_FIELD', `${this.#who} answers this with E5 only`)
    if (phase?.kind === 'command') this.#frameCountBit = !this.#frameCountBit
    return success(this.#next(true))
  }

  /** Whether a frame answers the last request as well, for another meter than the one that was heard. */
  isRival(frame: MbusFrame): boolean {
    const own = this.#identity
    const other = frame.type === 'long' ? readIdentity(frame) : undefined
    if (frame.type !== 'long' || own === undefined || other === undefined || sameDevice(own, other)) return false
    return typeof this.#target === 'number' ? frame.address === this.#target : isSelected(this.#target, other)
  }

  /** Goes on where silence is no failure. */
  pass(): 'complete' | 'continue' {
    return this.#next(false)
  }

  get #address(): number {
    return typeof this.#target === 'number' ? this.#target : sharedAddress.selected
  }

  get #who(): string {
    return typeof this.#target === 'number' ? `Address ${this.#target}` : formatSecondary(this.#target)
  }

  #request(phase: Phase): Uint8Array {
    if (phase.kind === 'reset' || phase.kind === 'deselect') return encodeShort(control.sendNke, this.#address)
    if (phase.kind === 'command') return encodeCommand(phase.command, this.#address, this.#frameCountBit)
    if (phase.kind === 'select' && typeof this.#target !== 'number')
      return encodeCommand({ kind: 'select', address: this.#target }, this.#address)
    const request = this.#data.requestClass === 1 ? control.requestUserData1 : control.requestUserData2
    return encodeShort(request | (this.#frameCountBit ? control.frameCountBit : 0), this.#address)
  }

  /** @param answered whether the step that ends was answered, so that the meter's state is known */
  #next(answered: boolean): 'complete' | 'continue' {
    const ended = this.#phases.shift()
    if (this.#phases.length > 0) return 'continue'
    // Only after a readout of a single frame does the next request surely begin at the first one again.
    const single = this.#responses.length <= 1 && this.#responses.at(-1)?.moreFollow !== true
    const clean = typeof this.#target === 'number' ? single : ended?.kind === 'deselect'
    this.#link = { frameCountBit: this.#frameCountBit, reset: !answered || !clean }
    return 'complete'
  }

  #acceptData(frame: MbusFrame): Result<'complete' | 'continue', DecodeFailure> {
    const nothingToSay = frame.type === 'acknowledge' && this.#data.requestClass === 1
    if (nothingToSay) return success(this.#goOn(false))
    if (frame.type === 'acknowledge') return refuse('MBUS_NO_DATA', `${this.#who} acknowledges and has no data`)
    if (frame.type === 'short') return refuse('MBUS_CONTROL_FIELD', 'A meter does not answer with a short frame')
    if (frame.address !== this.#address && this.#address < sharedAddress.selected)
      return refuse('MBUS_FOREIGN_ADDRESS', `${this.#who} was asked and ${frame.address} answered`)
    const identity = readIdentity(frame)
    // Two meters may have been selected, or another one speaks: what it counts is not what was asked for.
    if (identity !== undefined && typeof this.#target !== 'number' && !isSelected(this.#target, identity))
      return refuse('MBUS_FOREIGN_IDENTITY', `${this.#who} was selected and ${formatIdentity(identity)} answered`)
    const repeated = this.#accepted.some((data) => Buffer.compare(data, frame.data) === 0)
    this.#repeats = repeated ? this.#repeats + 1 : 0
    // A late answer comes less often than its request was sent. A meter that repeats itself as often as it is asked knows no
    // frame count bit, and has but one frame.
    if (repeated && (this.#accepted.length > 1 || this.#repeats < this.#tries))
      return refuse('MBUS_REPEATED', `${this.#who} sent a frame again instead of the next one`)
    const response = readResponse(frame, this.#data.key)
    if (!response.ok && (this.#data.tolerant !== true || identity === undefined)) return response
    this.#identity ??= identity
    this.#accepted.push(frame.data)
    if (!response.ok) {
      this.#trouble = response.error
      return success(this.#goOn(false))
    }
    this.#responses.push(response.value)
    const enough = this.#data.enough?.(this.#responses) === true
    return success(this.#goOn(response.value.moreFollow && !enough && !repeated && this.#responses.length < mostFrames))
  }

  /** After a good answer to a request for data. */
  #goOn(more: boolean): 'complete' | 'continue' {
    this.#frameCountBit = !this.#frameCountBit
    return more ? 'continue' : this.#next(true)
  }
}
