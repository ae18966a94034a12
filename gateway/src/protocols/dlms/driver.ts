import { setTimeout as delay } from 'node:timers/promises'
import { Value } from 'typebox/value'
import { Line } from '../../line/index.js'
import {
  type Bus,
  type BusDependencies,
  type CommandOutcome,
  type Exchange,
  type Finding,
  type MeterKeys,
  type ProbeJob,
  type Protocol,
  ReadFailure,
  type ReadJob,
  type ScanJob,
  type Sighting,
  type TellJob
} from '../protocol.js'
import { Turns } from '../turns.js'
import { dlmsCodec } from './codec/codec.js'
import { type DlmsCode, DlmsFault, guarded } from './codec/fault.js'
import { type AssociationPlan, parseProfile } from './codec/profile.js'
import { carryOut, type Progress } from './commanding.js'
import { probe } from './probing.js'
import { read } from './reading.js'
import { scan } from './scanning.js'
import type { Dialogue, Session } from './session.js'
import { addressPattern, type BusSettings, busSchema, settingsOf } from './settings.js'
import { Talk } from './talk.js'

/** What may be gone with the next attempt. Anything else would be answered the same way again. */
const passing: ReadonlySet<DlmsCode> = new Set(['DLMS_TIMEOUT', 'DLMS_CLOSED', 'DLMS_DISCONNECTED'])
/**
 * What bytes that were damaged on their way look like over the wrapper, which has no check sequence: worth one more attempt on a
 * connection of its own. Behind the check sequences of HDLC they are what the meter meant.
 */
const damaged: ReadonlySet<DlmsCode> = new Set([
  'DLMS_WRAPPER',
  'DLMS_WRONG_PORT',
  'DLMS_TRUNCATED',
  'DLMS_TRAILING',
  'DLMS_TAG',
  'DLMS_LENGTH',
  'DLMS_TOO_DEEP',
  'DLMS_UNEXPECTED',
  'DLMS_INVOKE_ID',
  'DLMS_BLOCK'
])
const pauseMs = 200

/** What is done with a meter beside reading it, such as `setClock`. */
export interface CommandJob<Done> {
  readonly address: string
  readonly association?: AssociationPlan
  readonly keys?: MeterKeys
  readonly signal: AbortSignal
  readonly work: (session: Session) => Dialogue<Done>
}

export class DlmsBus implements Bus {
  readonly #settings: BusSettings
  readonly #dependencies: BusDependencies
  readonly #line: Line
  readonly #closing = new AbortController()
  readonly #turns = new Turns()

  constructor(settings: BusSettings, dependencies: BusDependencies) {
    this.#settings = settings
    this.#dependencies = dependencies
    this.#line = new Line(settings.place, dependencies.clock)
  }

  read(job: ReadJob): Promise<Exchange> {
    const attempts = job.doubtful === true ? 1 : this.#settings.attempts
    const calls = job.doubtful === true ? { calls: 1 } : {}
    return this.#inTurn(job.signal, attempts, async (talk, signal) => {
      const { clock } = this.#dependencies
      const profile = parseProfile(job.profile)
      const { association: plan } = profile
      const reading = { profile, zone: job.zone, want: job.want, now: clock.now() }
      const call = { address: job.address, answerWithinMs: this.#answerWithinMs, ...calls, signal }
      const secured = { ...(plan === undefined ? {} : { plan }), ...(job.keys === undefined ? {} : { keys: job.keys }) }
      const { bytes } = await talk.hold({ ...call, ...secured }, (session) => read(session, reading))
      return { ...bytes, at: clock.now() }
    })
  }

  /** Commands a meter, once: what was commanded may have been done although its answer did not come. @throws {ReadFailure} */
  command<Done>(job: CommandJob<Done>): Promise<Done> {
    return this.#inTurn(job.signal, 1, async (talk, signal) => {
      const { address, association: plan, keys, work } = job
      const secured = { ...(plan === undefined ? {} : { plan }), ...(keys === undefined ? {} : { keys }) }
      const call = { address, purpose: 'command', answerWithinMs: this.#answerWithinMs, signal, ...secured } as const
      return (await talk.hold(call, work)).value
    })
  }

  async tell(job: TellJob): Promise<CommandOutcome> {
    const { address, profile, command, zone, keys, signal, begin } = job
    const parsed = guarded(() => parseProfile(profile).commands)
    if (!parsed.ok) return { state: 'rejected', ...parsed.error }
    const { association } = parsed.value
    const progress: Progress = { told: false, result: undefined }
    const commanding = { plan: parsed.value, command, zone, clock: this.#dependencies.clock, progress }
    try {
      await this.#inTurn(signal, 1, async (talk, within) => {
        await begin()
        const call = { address, purpose: 'command', answerWithinMs: this.#answerWithinMs, signal: within } as const
        const secured = { ...(association === undefined ? {} : { plan: association }), ...(keys === undefined ? {} : { keys }) }
        await talk.hold({ ...call, ...secured }, (session) => carryOut(session, commanding))
      })
    } catch (thrown) {
      if (!(thrown instanceof ReadFailure)) throw thrown
      // What was confirmed is done, however the conversation ended.
      if (progress.result === undefined) return notDone(thrown, progress.told)
    }
    return { state: 'done', result: progress.result ?? {} }
  }

  probe(job: ProbeJob): Promise<Finding> {
    const { attempts } = this.#settings
    return this.#inTurn(job.signal, attempts, async (talk, signal) => {
      const found = await probe(job, { talk, answerWithinMs: this.#answerWithinMs, signal })
      return { ...found, ...talk.heard }
    })
  }

  scan(job: ScanJob): AsyncIterable<Sighting> {
    const settings = this.#settings
    const answerWithinMs = this.#answerWithinMs
    // Each address is a turn of its own: reads that wait are not held up by a scan of minutes.
    const turn = <Done>(work: (talk: Talk, signal: AbortSignal) => Promise<Done>): Promise<Done> => this.#inTurn(job.signal, 1, work)
    return scan(job, { settings, answerWithinMs, turn })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#turns.over()
    await this.#line.close()
  }

  get #answerWithinMs(): number {
    return this.#dependencies.answerWithinMs ?? this.#settings.answerWithinMs
  }

  #inTurn<Done>(signal: AbortSignal, attempts: number, work: (talk: Talk, signal: AbortSignal) => Promise<Done>): Promise<Done> {
    return this.#turns.take(() => this.#now(signal, attempts, work))
  }

  async #now<Done>(caller: AbortSignal, attempts: number, work: (talk: Talk, signal: AbortSignal) => Promise<Done>): Promise<Done> {
    // Not AbortSignal.any: the bus lives for months, and a signal derived for each read would be remembered by it.
    const calling = new AbortController()
    const callOff = (): void => calling.abort()
    const sources = [caller, this.#closing.signal]
    for (const source of sources) source.addEventListener('abort', callOff, { once: true })
    if (sources.some((source) => source.aborted)) callOff()
    try {
      return await this.#tryAgain(attempts, calling.signal, work)
    } finally {
      for (const source of sources) source.removeEventListener('abort', callOff)
    }
  }

  async #tryAgain<Done>(attempts: number, signal: AbortSignal, work: (talk: Talk, signal: AbortSignal) => Promise<Done>): Promise<Done> {
    let wasDamaged = false
    for (let attempt = 1; ; attempt += 1) {
      const tried = await this.#attempt(signal, work)
      if ('done' in tried) return tried.done
      const { failure, hope } = tried
      if (attempt >= attempts || signal.aborted || hope === 'none' || (hope === 'damaged' && wasDamaged)) throw failure
      wasDamaged ||= hope === 'damaged'
      await delay(pauseMs * attempt, undefined, { signal }).catch((thrown: unknown) => {
        if (!signal.aborted) throw thrown
      })
    }
  }

  async #attempt<Done>(signal: AbortSignal, work: (talk: Talk, signal: AbortSignal) => Promise<Done>): Promise<Tried<Done>> {
    const talk = new Talk(this.#line, this.#settings, this.#dependencies)
    try {
      return { done: await work(talk, signal) }
    } catch (thrown) {
      if (!(thrown instanceof DlmsFault)) throw thrown
      const failure = new ReadFailure(thrown.code, thrown.message, talk.heard, thrown)
      return { failure, hope: this.#hopeAfter(thrown.code, talk) }
    } finally {
      // A meter has room for one connection or two: it is left free for others, and an answer that comes too late is not heard.
      if (this.#settings.place.kind === 'tcp') this.#line.drop()
    }
  }

  #hopeAfter(code: DlmsCode, talk: Talk): 'passing' | 'damaged' | 'none' {
    const { framing } = this.#settings
    // Nobody is there: an HDLC station was called twice already.
    if (framing === 'hdlc' && code === 'DLMS_TIMEOUT' && !talk.answered) return 'none'
    if (passing.has(code)) return 'passing'
    return framing === 'wrapper' && damaged.has(code) ? 'damaged' : 'none'
  }
}

/** What an attempt came to, and what the next one may hope for. */
type Tried<Done> = { readonly done: Done } | { readonly failure: ReadFailure; readonly hope: 'passing' | 'damaged' | 'none' }

/** With these a meter says that it has not done it, or it was never sent. */
const refusals: ReadonlySet<string> = new Set<DlmsCode>([
  'DLMS_ACCESS',
  'DLMS_EXCEPTION',
  'DLMS_SERVICE_ERROR',
  'DLMS_CONFORMANCE',
  'COMMAND_UNSUPPORTED'
])

function notDone({ code, message }: ReadFailure, told: boolean): CommandOutcome {
  return { state: told && !refusals.has(code) ? 'failed' : 'rejected', code, message }
}

export const dlmsProtocol: Protocol = {
  codec: dlmsCodec,
  busSchema,
  addressPattern,
  addressForm: 'a wPort from 1 to 65535; over HDLC upper and lower address such as 1/17, or one address of one byte',
  open: (bus, dependencies) => new DlmsBus(settingsOf(Value.Parse(busSchema, bus)), dependencies)
}
