import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { type Bus, type BusDependencies, type Exchange, type Protocol, ReadFailure, type ReadJob } from '../protocol.js'
import { holdsCurrent, isMbusProfile, type MbusResponse, mbusCodec } from './codec/index.js'
import { type Link, newLink, Readout } from './session.js'
import { TcpLine } from './tcp-line.js'

const BusSchema = Type.Object(
  {
    host: Type.String({ minLength: 1, maxLength: 253 }),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    /** how often a request is sent before its meter counts as silent */
    tries: Type.Optional(Type.Integer({ minimum: 1, maximum: 5, default: 3 }))
  },
  { additionalProperties: false }
)
const busValidator = Compile(BusSchema)
const defaultTries = 3
const defaultAnswerMs = 3_000

/** So many conversations in a row without a single byte mean that the connection is dead, not each of the meters. */
const mostSilent = 3
/** Answers that may have been another's or an earlier one's; other refusals would be the same again. */
const worthRepeating: ReadonlySet<string> = new Set(['MBUS_FOREIGN_ADDRESS', 'MBUS_NO_DATA', 'MBUS_CONTROL_FIELD'])
/** Failures of the line itself: asking again can't mend them. */
const lineGone: ReadonlySet<string> = new Set(['BUS_BROKEN', 'READ_ABORTED'])

/** All bytes of a conversation, and those of its answered requests. */
interface Transcript {
  readonly sent: Uint8Array[]
  readonly received: Uint8Array[]
  readonly requests: Uint8Array[]
  readonly responses: Uint8Array[]
}

class MbusTcpBus implements Bus {
  readonly #line: TcpLine
  readonly #tries: number
  readonly #dependencies: BusDependencies
  readonly #answerWithinMs: number
  readonly #links = new Map<number, Link>()
  #silent = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(line: TcpLine, tries: number, dependencies: BusDependencies) {
    this.#line = line
    this.#tries = tries
    this.#dependencies = dependencies
    this.#answerWithinMs = dependencies.answerWithinMs ?? defaultAnswerMs
  }

  /** One conversation after the other, whoever asks: two at a time would collide on the wire. */
  read(job: ReadJob): Promise<Exchange> {
    const read = this.#turn.then(() => this.#read(job))
    this.#turn = read.catch(() => {})
    return read
  }

  async probe(): Promise<never> {
    throw new ReadFailure('UNSUPPORTED', 'probing is not built yet', nothing)
  }

  scan(): AsyncIterable<never> {
    throw new ReadFailure('UNSUPPORTED', 'scanning is not built yet', { request: new Uint8Array(), response: new Uint8Array() })
  }

  async close(): Promise<void> {
    this.#line.drop()
  }

  async #read(job: ReadJob): Promise<Exchange> {
    const { profile, signal } = job
    if (!isMbusProfile(profile)) throw new ReadFailure('MBUS_PROFILE', 'The profile is not one for M-Bus', nothing)
    const connected = await this.#line.connect(this.#answerWithinMs, signal)
    if (!connected.ok) throw new ReadFailure(connected.error.code, connected.error.message, nothing)
    const address = Number(job.address)
    const enough = (responses: readonly MbusResponse[]): boolean => job.want.kind === 'current' && holdsCurrent(profile, responses)
    const readout = new Readout(address, this.#links.get(address) ?? newLink, enough)
    const transcript: Transcript = { sent: [], received: [], requests: [], responses: [] }
    try {
      while ((await this.#converse(readout, transcript, signal)) === 'continue');
    } finally {
      this.#links.set(address, readout.link)
      this.#judgeSilence(transcript)
    }
    return {
      request: Buffer.concat(transcript.requests),
      response: Buffer.concat(transcript.responses),
      at: this.#dependencies.clock.now()
    }
  }

  /** One step of the readout, repeated while that may help. */
  async #converse(readout: Readout, transcript: Transcript, signal: AbortSignal): Promise<'complete' | 'continue'> {
    const { request } = readout.step
    for (let attempt = 1; ; attempt++) {
      transcript.sent.push(request)
      const answer = await this.#line.ask(request, this.#answerWithinMs, signal)
      transcript.received.push(answer.ok ? answer.value.bytes : answer.error.bytes)
      let failed: { readonly code: string; readonly message: string; readonly repeatable: boolean }
      if (answer.ok) {
        const verdict = readout.accept(answer.value.frame)
        if (verdict.ok) {
          transcript.requests.push(request)
          transcript.responses.push(answer.value.bytes)
          return verdict.value
        }
        failed = { ...verdict.error, repeatable: worthRepeating.has(verdict.error.code) }
      } else failed = { ...answer.error, repeatable: !lineGone.has(answer.error.code) }
      if (attempt < this.#tries && failed.repeatable) continue
      if (lineGone.has(failed.code)) this.#line.drop()
      throw new ReadFailure(failed.code, failed.message, {
        request: Buffer.concat(transcript.sent),
        response: Buffer.concat(transcript.received)
      })
    }
  }

  #judgeSilence(transcript: Transcript): void {
    this.#silent = transcript.received.every((bytes) => bytes.length === 0) ? this.#silent + 1 : 0
    if (this.#silent < mostSilent) return
    this.#silent = 0
    this.#line.drop()
  }
}

const nothing = { request: new Uint8Array(), response: new Uint8Array() }

export const mbusProtocol: Protocol = {
  codec: mbusCodec,
  busSchema: BusSchema,
  /** primary addresses: 0 as delivered, 1 to 250 assigned, 254 for a single meter behind a converter of its own */
  addressPattern: /^(\d|[1-9]\d|1\d\d|2[0-4]\d|250|254)$/,
  open(bus, dependencies) {
    if (!busValidator.Check(bus)) throw new ReadFailure('CONFIG_INVALID', 'The bus entry was not checked', nothing)
    return new MbusTcpBus(new TcpLine(bus.host, bus.port, dependencies.clock), bus.tries ?? defaultTries, dependencies)
  }
}
