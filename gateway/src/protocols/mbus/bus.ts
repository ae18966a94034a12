import type { Clock } from '@endeks/domain/time'
import type { Line } from '../../line/index.js'
import {
  type Bus,
  type CommandOutcome,
  type Exchange,
  type Finding,
  nothing,
  type ProbeJob,
  ReadFailure,
  type ReadJob,
  type ScanJob,
  type Sighting,
  type TellJob
} from '../protocol.js'
import { Turns } from '../turns.js'
import { ask, overhear } from './asking.js'
import { type Command, fittingProfiles, holdsCurrent, isMbusProfile, parseSecondary, sharedAddress, withValue } from './codec/index.js'
import { type Attempt, scanBus } from './scan.js'
import { type Link, newLink, Session, type SessionOptions, type Target } from './session.js'
import { noProfile, recordsFor, wasTold } from './telling.js'
import type { Timing } from './timing.js'

/** Opening a connection has nothing to do with the speed of the bus behind it. */
const openWithinMs = 3_000
/** So many conversations in a row without a single byte mean that the connection is dead, not each of the meters. */
const mostSilent = 3
/** What a babbling meter said last reaches into the questions after it; a search gives up where it does not end. */
const mostNeverQuiet = 3
/** Failures of the line itself: it is opened anew, and what is still in a converter's buffer goes with the old connection. */
const lineGone: ReadonlySet<string> = new Set(['BUS_BROKEN', 'BUS_NEVER_QUIET', 'READ_ABORTED'])

export interface MbusBusOptions {
  readonly tries: number
  readonly timing: Timing
  readonly clock: Clock
}

/** All bytes of a conversation, and those of its answered requests. */
interface Transcript {
  readonly sent: Uint8Array[]
  readonly received: Uint8Array[]
  readonly requests: Uint8Array[]
  readonly responses: Uint8Array[]
  /** what came in one piece with each of them, behind it */
  readonly behind: Uint8Array[]
}

interface Conversation {
  readonly session: Session
  readonly transcript: Transcript
  readonly signal: AbortSignal
  /** how often to ask where nothing comes back */
  readonly silentTries: number
}

export class MbusBus implements Bus {
  readonly #line: Line
  readonly #options: MbusBusOptions
  /** by primary address; 253 for all meters that are selected */
  readonly #links = new Map<number, Link>()
  #silent = 0
  #neverQuiet = 0
  /** two conversations at a time would collide on the wire */
  readonly #turns = new Turns()

  constructor(line: Line, options: MbusBusOptions) {
    this.#line = line
    this.#options = options
  }

  read(job: ReadJob): Promise<Exchange> {
    return this.#turns.take(() => this.#read(job))
  }

  probe(job: ProbeJob): Promise<Finding> {
    return this.#turns.take(() => this.#probe(job))
  }

  async *scan(job: ScanJob): AsyncGenerator<Sighting> {
    try {
      // Each address is a turn of its own, so that meters are read while a search goes on.
      yield* scanBus(job, (target) => this.#turns.take(() => this.#attempt(target, job.signal)))
    } finally {
      await this.#turns.take(() => this.#deselect(job.signal))
    }
  }

  /**
   * Sends commands to one meter, each acknowledged before the next; address 255 reaches all meters and is not answered.
   *
   * @throws {ReadFailure} when one is not acknowledged, or the line is down
   */
  command(address: number | string, commands: readonly Command[], signal: AbortSignal): Promise<Exchange> {
    return this.#turns.take(async () => {
      const { exchange } = await this.#talk(targetOf(String(address)), { commands }, signal)
      return exchange
    })
  }

  /** A meter acknowledges what it does not know, and says so only when it is asked for data: so it is asked. */
  tell({ address, profile, command, zone, keys, signal, begin }: TellJob): Promise<CommandOutcome> {
    return this.#turns.take(async () => {
      const { clock } = this.#options
      const wanted = isMbusProfile(profile) ? recordsFor(command, { profile, zone, now: clock.now() }) : noProfile
      if (!wanted.ok) return { state: 'rejected', ...wanted.error }
      await begin()
      const { records, result } = wanted.value
      const target = targetOf(address)
      try {
        await this.#talk(
          target,
          { commands: [{ kind: 'data', records }], data: { key: keys?.secrets.encryption, enough: () => true } },
          signal
        )
        return { state: 'done', result }
      } catch (thrown) {
        if (!(thrown instanceof ReadFailure)) throw thrown
        const { code, message } = thrown
        const told = wasTold(thrown.request, records, typeof target === 'number' ? target : sharedAddress.selected)
        return { state: told && code !== 'MBUS_APPLICATION_ERROR' ? 'failed' : 'rejected', code, message }
      }
    })
  }

  close(): Promise<void> {
    return this.#line.close()
  }

  async #read({ address, profile, want, doubtful, keys, signal }: ReadJob): Promise<Exchange> {
    if (!isMbusProfile(profile)) throw new ReadFailure('MBUS_PROFILE', 'The profile is not one for M-Bus', nothing)
    const reset = profile.applicationReset
    const { exchange } = await this.#talk(
      targetOf(address),
      {
        commands: reset === undefined ? [] : [{ kind: 'application-reset', ...reset }],
        data: { key: keys?.secrets.encryption, enough: (responses) => want.kind === 'current' && holdsCurrent(profile, responses) }
      },
      signal,
      doubtful === true ? 1 : this.#options.tries
    )
    return exchange
  }

  async #probe({ address, profiles, keys, signal }: ProbeJob): Promise<Finding> {
    const data = { key: keys?.secrets.encryption, tolerant: true }
    const { session, exchange } = await this.#talk(targetOf(address), { data }, signal)
    const { identity, responses, trouble } = session
    const offers = responses.flatMap((response) => response.records).map(withValue)
    return {
      address,
      ...(identity === undefined ? {} : { identity }),
      offers: trouble === undefined ? offers : [...offers, `${trouble.code}: ${trouble.message}`],
      profiles: fittingProfiles(profiles, { identity, responses }),
      request: exchange.request,
      response: exchange.response
    }
  }

  /** One step of a search. What is silent is asked once only. */
  async #attempt(target: Target, signal: AbortSignal): Promise<Attempt> {
    const link = typeof target === 'number' ? newLink : { ...newLink, reset: false }
    const { tries, timing } = this.#options
    const session = new Session(target, link, { tries, data: { tolerant: true, enough: () => true }, keepSelected: true })
    const transcript = newTranscript()
    // Whatever comes of it, the meter's state is not that of a clean link.
    this.#links.delete(keyOf(target))
    await this.#open(signal)
    try {
      // Whoever has acknowledged is there: an answer that is lost then is worth asking for again.
      const silentTries = (): number => (transcript.responses.length === 0 ? 1 : tries)
      while ((await this.#step({ session, transcript, signal, silentTries: silentTries() })) === 'continue');
    } catch (error) {
      if (!(error instanceof ReadFailure) || !this.#isOfOneAddress(error.code)) throw error
      if (error.code === 'NO_ANSWER' && transcript.responses.length === 0) return { kind: 'silence' }
      const garbled = error.code !== 'BUS_NEVER_QUIET' && isGarbled(transcript)
      return { kind: 'trouble', garbled, message: `${error.code}: ${error.message}` }
    }
    this.#neverQuiet = 0
    const isRival = session.isRival.bind(session)
    if (await overhear(this.#line, { behind: transcript.behind.at(-1) ?? new Uint8Array(), isRival, timing, signal }))
      return { kind: 'trouble', garbled: true, message: 'Behind the answer of one meter came that of another' }
    const { identity, trouble } = session
    return {
      kind: 'meter',
      ...(identity === undefined ? {} : { identity }),
      ...(trouble === undefined ? {} : { trouble: `${trouble.code}: ${trouble.message}` })
    }
  }

  /** A meter that never stops sending is one place with trouble; a line on which every question meets that is down. */
  #isOfOneAddress(code: string): boolean {
    this.#neverQuiet = code === 'BUS_NEVER_QUIET' ? this.#neverQuiet + 1 : 0
    return this.#neverQuiet > 0 ? this.#neverQuiet < mostNeverQuiet : !lineGone.has(code)
  }

  /** Whoever a search left selected; nobody need answer. */
  async #deselect(signal: AbortSignal): Promise<void> {
    if (!this.#line.isOpen) return
    const { timing } = this.#options
    const session = new Session(sharedAddress.selected, newLink, {})
    const { request } = session.step
    await ask(this.#line, { request, judge: (frame) => session.accept(frame), timing, signal })
  }

  async #talk(
    target: Target,
    options: SessionOptions,
    signal: AbortSignal,
    silentTries = this.#options.tries
  ): Promise<{ session: Session; exchange: Exchange }> {
    await this.#open(signal)
    const session = new Session(target, this.#links.get(keyOf(target)) ?? newLink, { ...options, tries: this.#options.tries })
    const transcript = newTranscript()
    try {
      while ((await this.#step({ session, transcript, signal, silentTries })) === 'continue');
    } finally {
      this.#links.set(keyOf(target), session.link)
      this.#judgeSilence(transcript)
    }
    const exchange = {
      request: Buffer.concat(transcript.requests),
      response: Buffer.concat(transcript.responses),
      at: this.#options.clock.now()
    }
    return { session, exchange }
  }

  async #open(signal: AbortSignal): Promise<void> {
    const opened = await this.#line.open({ withinMs: openWithinMs, signal })
    if (!opened.ok) throw new ReadFailure(opened.error.code, opened.error.message, nothing)
  }

  /** One step of a conversation, repeated while that may help. */
  async #step({ session, transcript, signal, silentTries }: Conversation): Promise<'complete' | 'continue'> {
    const { request, mayBeSilent } = session.step
    const { timing, tries } = this.#options
    for (let attempt = 1; ; attempt++) {
      transcript.sent.push(request)
      const answer = await ask(this.#line, { request, judge: (frame) => session.accept(frame), timing, signal })
      if (answer.ok) {
        transcript.received.push(answer.value.bytes)
        transcript.requests.push(request)
        transcript.responses.push(answer.value.bytes)
        transcript.behind.push(answer.value.behind)
        return answer.value.verdict
      }
      const { code, message, bytes, repeatable } = answer.error
      transcript.received.push(bytes)
      const silent = code === 'NO_ANSWER'
      if (repeatable && !(silent && mayBeSilent) && attempt < (silent ? silentTries : tries)) continue
      if (repeatable && mayBeSilent) return session.pass()
      if (lineGone.has(code)) this.#line.drop()
      throw new ReadFailure(code, message, { request: Buffer.concat(transcript.sent), response: Buffer.concat(transcript.received) })
    }
  }

  #judgeSilence(transcript: Transcript): void {
    this.#silent = transcript.received.every((bytes) => bytes.length === 0) ? this.#silent + 1 : 0
    if (this.#silent < mostSilent) return
    this.#silent = 0
    this.#line.drop()
  }
}

function newTranscript(): Transcript {
  return { sent: [], received: [], requests: [], responses: [], behind: [] }
}

/** Whether anything came that was neither accepted nor an echo. */
function isGarbled({ sent, received, responses }: Transcript): boolean {
  return received.some(
    (bytes, index) => bytes.length > 0 && !responses.includes(bytes) && Buffer.compare(bytes, sent[index] ?? bytes) !== 0
  )
}

function targetOf(address: string): Target {
  return parseSecondary(address) ?? Number(address)
}

function keyOf(target: Target): number {
  return typeof target === 'number' ? target : sharedAddress.selected
}
