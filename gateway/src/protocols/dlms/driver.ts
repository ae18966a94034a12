import { setTimeout as delay } from 'node:timers/promises'
import Type, { type Static } from 'typebox'
import { Value } from 'typebox/value'
import { type Bus, type BusDependencies, type Exchange, type Protocol, ReadFailure, type ReadJob } from '../protocol.js'
import { encodeApdu, readApdu } from './codec/apdu.js'
import { dlmsCodec } from './codec/codec.js'
import { DlmsFault } from './codec/fault.js'
import { parseProfile } from './codec/profile.js'
import { ByteReader } from './codec/reader.js'
import { publicClientPort } from './codec/wrapper.js'
import { type Conversation, converse } from './session.js'
import { type ApduTransport, WrapperTransport } from './transport.js'

/** One TCP port with one meter, or with a concentrator behind which several answer by their wPorts. */
export const busSchema = Type.Object(
  {
    host: Type.String({ minLength: 1, maxLength: 253 }),
    port: Type.Integer({ minimum: 1, maximum: 65535 }),
    clientId: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: 'wPort of this client, 16: the public one' })),
    attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 5, description: 'conversations tried before a read fails, 2' })),
    connectWithinMs: Type.Optional(Type.Integer({ minimum: 10, maximum: 60_000, description: 'longest wait for the connection, 5000' }))
  },
  { additionalProperties: false }
)

/** What may be gone with the next attempt. Anything else would be answered the same way again. */
const passing: ReadonlySet<string> = new Set(['DLMS_CONNECT', 'DLMS_TIMEOUT', 'DLMS_CLOSED'])
const pauseMs = 200
const defaultAnswerMs = 3_000

class DlmsBus implements Bus {
  readonly #settings: Static<typeof busSchema>
  readonly #dependencies: BusDependencies
  readonly #closing = new AbortController()
  #last: Promise<unknown> = Promise.resolve()

  constructor(settings: Static<typeof busSchema>, dependencies: BusDependencies) {
    this.#settings = settings
    this.#dependencies = dependencies
  }

  read(job: ReadJob): Promise<Exchange> {
    const turn = this.#last.then(() => this.#readNow(job))
    // The caller has the outcome; here it only matters that this read is over before the next one begins.
    const over = () => undefined
    this.#last = turn.then(over, over)
    return turn
  }

  async probe(): Promise<never> {
    throw new ReadFailure('UNSUPPORTED', 'probing is not built yet', { request: new Uint8Array(), response: new Uint8Array() })
  }

  scan(): AsyncIterable<never> {
    throw new ReadFailure('UNSUPPORTED', 'scanning is not built yet', { request: new Uint8Array(), response: new Uint8Array() })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#last
  }

  async #readNow(job: ReadJob): Promise<Exchange> {
    // Not AbortSignal.any: the bus lives for months, and a signal derived for each read would be remembered by it.
    const calling = new AbortController()
    const callOff = () => calling.abort()
    const sources = [job.signal, this.#closing.signal]
    for (const source of sources) source.addEventListener('abort', callOff, { once: true })
    if (sources.some((source) => source.aborted)) callOff()
    try {
      return await this.#tryAgain(job, calling.signal)
    } finally {
      for (const source of sources) source.removeEventListener('abort', callOff)
    }
  }

  async #tryAgain(job: ReadJob, signal: AbortSignal): Promise<Exchange> {
    const attempts = this.#settings.attempts ?? 2
    for (let attempt = 1; ; attempt += 1) {
      const tried = await this.#attempt(job, signal)
      if (!(tried instanceof ReadFailure)) return tried
      if (attempt >= attempts || signal.aborted || !passing.has(tried.code)) throw tried
      await delay(pauseMs * attempt, undefined, { signal }).catch((thrown: unknown) => {
        if (!signal.aborted) throw thrown
      })
    }
  }

  async #attempt(job: ReadJob, signal: AbortSignal): Promise<Exchange | ReadFailure> {
    const { clock, answerWithinMs = defaultAnswerMs } = this.#dependencies
    const { host, port, clientId: clientPort = publicClientPort, connectWithinMs = 5000 } = this.#settings
    let transport: WrapperTransport | undefined
    try {
      const conversation = { profile: parseProfile(job.profile), zone: job.zone, want: job.want, now: clock.now() }
      const serverPort = addressOf(job.address)
      transport = await WrapperTransport.open({ host, port, clientPort, serverPort, connectWithinMs, answerWithinMs, signal })
      await hold(transport, conversation)
      return { request: transport.sent, response: transport.received, at: clock.now() }
    } catch (thrown) {
      if (!(thrown instanceof DlmsFault)) throw thrown
      const bytes = { request: transport?.sent ?? new Uint8Array(0), response: transport?.received ?? new Uint8Array(0) }
      return new ReadFailure(thrown.code, thrown.message, bytes, thrown)
    } finally {
      transport?.close()
    }
  }
}

/** Carries a conversation's requests over the transport and its answers back. */
async function hold(transport: ApduTransport, conversation: Conversation): Promise<void> {
  const dialogue = converse(conversation)
  let step = dialogue.next()
  while (!step.done) {
    const request = step.value
    const release = request.apdu === 'rlrq'
    const answer = await transport.exchange(encodeApdu(request)).catch((thrown: unknown) => {
      // Everything asked for is here: a meter that hangs up instead of confirming the release has not failed.
      if (release && thrown instanceof DlmsFault && passing.has(thrown.code)) return undefined
      throw thrown
    })
    if (answer === undefined) return
    step = dialogue.next(readApdu(new ByteReader(answer)))
  }
}

function addressOf(address: string): number {
  const port = addressPattern.test(address) ? Number(address) : Number.NaN
  if (!(port >= 1 && port <= 0xffff)) throw new DlmsFault('DLMS_PROFILE', `"${address.slice(0, 20)}" is not a wPort from 1 to 65535`)
  return port
}

const addressPattern = /^[1-9]\d{0,4}$/

export const dlmsProtocol: Protocol = {
  codec: dlmsCodec,
  busSchema,
  addressPattern,
  open: (bus, dependencies) => new DlmsBus(Value.Parse(busSchema, bus), dependencies)
}
