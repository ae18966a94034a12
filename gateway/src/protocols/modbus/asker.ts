import { setTimeout as delay } from 'node:timers/promises'
import { failure, type Result, success } from '@endeks/domain/result'
import { type DecodeFailure, ReadFailure } from '../protocol.js'
import { answerBytes, exceptionNames, type Identification, parseIdentification, type ReadRange } from './codec/index.js'
import type { Master } from './master.js'
import type { Timing } from './timing.js'
import type { Exchanged, ExchangeFailure } from './transport.js'

/** How often a request is sent before what comes instead of an answer counts. */
const mostTries = 3
/** A unit that is busy (exception 6) or needs time (5) is asked again after these. */
const busyWaitsMs = [100, 300, 900] as const
const needsTime: ReadonlySet<number> = new Set([5, 6])
/** A converter's word for a silent unit (Modbus Application Protocol V1.1b3, 7). */
const unitUnreachable: ReadonlySet<number> = new Set([10, 11])
/** Read Device Identification has 256 objects, and the basic ones are three. */
const mostIdentifications = 8
const longestAnswer = 256

/** All bytes of a conversation, and those of its answered requests. */
export class Transcript {
  readonly #sent: Uint8Array[] = []
  readonly #received: Uint8Array[] = []
  readonly #requests: Uint8Array[] = []
  readonly #responses: Uint8Array[] = []

  add({ request, response }: Pick<Exchanged, 'request' | 'response'>): void {
    this.#sent.push(request)
    this.#received.push(response)
  }

  addAnswered(exchanged: Exchanged): void {
    this.add(exchanged)
    this.#requests.push(exchanged.request)
    this.#responses.push(exchanged.response)
  }

  get all(): { readonly request: Uint8Array; readonly response: Uint8Array } {
    return { request: Buffer.concat(this.#sent), response: Buffer.concat(this.#received) }
  }

  get answered(): { readonly request: Uint8Array; readonly response: Uint8Array } {
    return { request: Buffer.concat(this.#requests), response: Buffer.concat(this.#responses) }
  }
}

export interface Refusal extends DecodeFailure {
  readonly kind: 'refused' | ExchangeFailure['kind']
  /** the unit itself did not say anything, whatever else came, or a converter says so */
  readonly silent: boolean
  /** of a unit that refused */
  readonly exception?: number
}

export interface AskerOptions {
  readonly master: Master
  readonly timing: Timing
  /** RTU: a damaged answer is asked for again. TCP repeats by itself, and what is wrong there stays so */
  readonly repeats: boolean
  readonly unit: number
  /** a unit that was silent before gets one try */
  readonly wasSilent: boolean
  /** shorter than the line's usual wait, for a scan */
  readonly withinMs?: number
  readonly signal: AbortSignal
}

/** One conversation with one unit: asks again while that may help, and keeps every byte. */
export class Asker {
  readonly transcript = new Transcript()
  readonly #options: AskerOptions
  #wasSilent: boolean

  constructor(options: AskerOptions) {
    this.#options = options
    this.#wasSilent = options.wasSilent
  }

  ask(range: ReadRange): Promise<Result<Exchanged, Refusal>> {
    const { master, unit } = this.#options
    const asking = this.#asking(5 + answerBytes(range))
    return this.#persist(() => master.ask(unit, range, asking))
  }

  /** Vendor, product and whatever else the unit says of itself. */
  async identify(): Promise<Result<Identification['objects'], Refusal>> {
    const { master, unit } = this.#options
    const objects: { id: number; text: string }[] = []
    let next: number | undefined = 0
    for (let tries = 0; next !== undefined && tries < mostIdentifications; tries += 1) {
      const object: number = next
      const answer = await this.#persist(() => master.identify(unit, object, this.#asking(longestAnswer)))
      if (!answer.ok) return answer
      const parsed = parseIdentification(answer.value.frame)
      if (!parsed.ok) return failure({ ...parsed.error, kind: 'damaged', silent: false })
      objects.push(...parsed.value.objects)
      next = parsed.value.next
    }
    return success(objects)
  }

  /** Sends a request that changes something, once, whatever comes of it: it may have been done though its answer is lost. */
  async once(pdu: Uint8Array): Promise<Result<Exchanged, Refusal>> {
    const { master, unit } = this.#options
    const outcome = await master.write(unit, pdu, this.#asking(8))
    this.transcript.add(outcome.ok ? outcome.value : outcome.error)
    return refused(outcome)
  }

  failed({ code, message }: DecodeFailure): ReadFailure {
    return new ReadFailure(code, message, this.transcript.all)
  }

  #asking(answerSize: number): { readonly withinMs: number; readonly signal: AbortSignal } {
    const { timing, withinMs, signal } = this.#options
    return { withinMs: withinMs ?? timing.answerWithinMs(8, answerSize), signal }
  }

  async #persist(exchange: () => Promise<Result<Exchanged, ExchangeFailure>>): Promise<Result<Exchanged, Refusal>> {
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await exchange()
      const answer = refused(outcome)
      if (answer.ok) {
        this.#wasSilent = false
        this.transcript.addAnswered(answer.value)
        return answer
      }
      this.transcript.add(outcome.ok ? outcome.value : outcome.error)
      const refusal = answer.error
      const waitMs = this.#again(refusal, attempt)
      if (waitMs === undefined) {
        this.#wasSilent = refusal.silent
        return failure(refusal)
      }
      if (waitMs > 0) await delay(waitMs, undefined, { signal: this.#options.signal }).catch(() => {})
    }
  }

  /** @returns after how long to ask again; undefined where that is of no use */
  #again({ kind, silent, exception }: Refusal, attempt: number): number | undefined {
    const { repeats, signal } = this.#options
    if (signal.aborted) return undefined
    if (exception !== undefined) return needsTime.has(exception) ? busyWaitsMs[attempt - 1] : undefined
    if (!repeats) return undefined
    if (silent) return this.#wasSilent || attempt > 1 ? undefined : 0
    return kind === 'damaged' && attempt < mostTries ? 0 : undefined
  }
}

/** An exception is an answer, and not to what was asked. */
function refused(outcome: Result<Exchanged, ExchangeFailure>): Result<Exchanged, Refusal> {
  if (!outcome.ok) {
    const { code, message, kind, heard } = outcome.error
    return failure({ code, message, kind, silent: kind === 'silent' || (kind === 'damaged' && !heard) })
  }
  const { frame } = outcome.value
  const code = frame.pdu[0] ?? 0
  if ((code & 0x80) === 0) return outcome
  const exception = frame.pdu[1] ?? 0
  return failure({
    code: 'MODBUS_EXCEPTION',
    message: `unit ${frame.unit} refuses function ${code & 0x7f}: exception ${exception} (${exceptionNames[exception] ?? 'unknown'})`,
    kind: 'refused',
    silent: unitUnreachable.has(exception),
    exception
  })
}
