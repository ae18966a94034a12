import type { Line } from '../../line/index.js'
import type { BusDependencies, MeterKeys } from '../protocol.js'
import { encodeApdu, readApdu } from './codec/apdu.js'
import { mechanisms } from './codec/authentication.js'
import { integerOf } from './codec/data-types.js'
import { DlmsFault } from './codec/fault.js'
import { attributes } from './codec/object-classes.js'
import type { AssociationPlan } from './codec/profile.js'
import { ByteReader } from './codec/reader.js'
import { publicClientPort } from './codec/wrapper.js'
import { HdlcLink } from './hdlc-link.js'
import { checkSecrets, type Secured, secure, unprotected } from './security.js'
import { associate, type Dialogue, get, type Purpose, publicOpening, releaseRequest, type Session } from './session.js'
import { type BusSettings, hdlcAddress, hdlcClient, wrapperAddress } from './settings.js'
import type { ApduTransport } from './transport.js'
import type { Bytes } from './wire.js'
import { WrapperLink } from './wrapper-link.js'

/** With whom, as whom, and for what. */
export interface Call {
  readonly address: string
  /** undefined: as the bus's own client, without any security */
  readonly plan?: AssociationPlan
  readonly keys?: MeterKeys
  readonly purpose?: Purpose
  readonly answerWithinMs: number
  /** for an HDLC connection, and repetitions of any other frame without answer */
  readonly calls?: number
  readonly repetitions?: number
  readonly signal: AbortSignal
}

/** What may go wrong on the way out without anything being lost. */
const harmless: ReadonlySet<string> = new Set(['DLMS_TIMEOUT', 'DLMS_CLOSED', 'DLMS_DISCONNECTED'])

/** Conversations on a line, one after the other. Keeps all bytes, for a failure to show. */
export class Talk {
  readonly #line: Line
  readonly #settings: BusSettings
  readonly #dependencies: BusDependencies
  readonly #heard: Bytes[] = []
  #answered = false

  constructor(line: Line, settings: BusSettings, dependencies: BusDependencies) {
    this.#line = line
    this.#settings = settings
    this.#dependencies = dependencies
  }

  get heard(): Bytes {
    return {
      request: Buffer.concat(this.#heard.map(({ request }) => request)),
      response: Buffer.concat(this.#heard.map(({ response }) => response))
    }
  }

  /** Whether anything whole came from the meter. */
  get answered(): boolean {
    return this.#answered
  }

  /**
   * One association from AARQ to its end, and what is done in it. Where the plan names a counter, the public client asks for it
   * first, in a conversation of its own.
   *
   * @returns what was done, and the bytes of this association alone
   * @throws {DlmsFault}
   */
  async hold<Value>(call: Call, work: (session: Session) => Dialogue<Value>): Promise<{ readonly value: Value; readonly bytes: Bytes }> {
    const { plan, keys } = call
    if (plan === undefined) return this.#converse(call, this.#settings.clientId, plain, work)
    // Before anything is sent: a secret that is missing is missing also after a question.
    checkSecrets(plan, keys)
    const { title } = this.#settings
    const { counters } = this.#dependencies
    const meterCounter = plan.counter === undefined ? undefined : await this.#counterOf(call, plan.counter)
    return this.#converse(call, plan.client, await secure({ plan, keys, title, counters, meterCounter }), work)
  }

  async #counterOf(call: Call, counter: NonNullable<AssociationPlan['counter']>): Promise<number> {
    const { class: dataClass, value: attribute } = attributes.data
    const reference = { class: dataClass, obis: counter, attribute }
    const { value } = await this.#converse({ ...call, purpose: 'read' }, publicClientPort, plain, (session) => get(session, reference))
    const number = integerOf(value)
    if (number === undefined || number < 0n || number > 0xffff_ffffn)
      throw new DlmsFault('DLMS_VALUE', `${counter} holds no invocation counter but a ${value.type}`)
    return Number(number)
  }

  async #converse<Value>(
    call: Call,
    client: number,
    { opening, protection }: Secured,
    work: (session: Session) => Dialogue<Value>
  ): Promise<{ readonly value: Value; readonly bytes: Bytes }> {
    const transport = await this.#connect(call, client)
    const purpose = call.purpose ?? 'read'
    const dialogue = function* (): Dialogue<Value> {
      return yield* work(yield* associate(opening, purpose))
    }
    try {
      const value = await carry(dialogue(), transport, protection)
      if (transport.releases) await release(transport, await protection.protect(releaseRequest(opening, purpose)))
      return { value, bytes: transport.conversation }
    } finally {
      const password = opening.authentication === 'lls' ? opening.secret : undefined
      await protection.keep().finally(() => this.#farewell(transport, password))
    }
  }

  async #farewell(transport: ApduTransport, password?: Uint8Array): Promise<void> {
    await transport.close()
    const { request, response } = transport.heard
    this.#answered ||= transport.conversation.response.length > 0
    this.#heard.push({ request, response: password === undefined ? response : withoutPieces(response, password) })
  }

  async #connect({ address, answerWithinMs, calls, repetitions, signal }: Call, client: number): Promise<ApduTransport> {
    const { framing, addressBytes, maxInformation, window, place, conversationWithinMs } = this.#settings
    const line = this.#line
    if (framing === 'wrapper') {
      const server = wrapperAddress(address)
      await this.#open(signal)
      return new WrapperLink({ line, client, server, answerWithinMs, conversationWithinMs, signal })
    }
    const ends = { client: hdlcClient(client), server: hdlcAddress(address, addressBytes) }
    await this.#open(signal)
    const link = new HdlcLink({
      line,
      ...ends,
      proposal: {
        maxInformationTransmit: maxInformation,
        maxInformationReceive: maxInformation,
        windowTransmit: window,
        windowReceive: window
      },
      answerWithinMs,
      conversationWithinMs,
      ...(calls === undefined ? {} : { calls }),
      ...(repetitions === undefined ? {} : { repetitions }),
      baudRate: place.kind === 'serial' ? place.baudRate : 0,
      signal
    })
    try {
      await link.connect()
      return link
    } catch (thrown) {
      await this.#farewell(link)
      throw thrown
    }
  }

  /** The line, where it is not open already: a meter may hang up between two associations. @throws {DlmsFault} BUS_UNREACHABLE, READ_ABORTED */
  async #open(signal: AbortSignal): Promise<void> {
    const opened = await this.#line.open({ withinMs: this.#settings.connectWithinMs, signal })
    if (!opened.ok) throw new DlmsFault(opened.error.code, opened.error.message)
  }
}

const plain: Secured = { opening: publicOpening, protection: unprotected }

/** Carries a dialogue's requests over the transport and its answers back. */
async function carry<Value>(dialogue: Dialogue<Value>, transport: ApduTransport, protection: Secured['protection']): Promise<Value> {
  let step = dialogue.next()
  while (!step.done) {
    const bytes = await protection.protect(step.value)
    const answer = await transport.exchange(bytes, step.value.apdu === 'aarq' ? withoutPassword(bytes) : bytes)
    const opened = await protection.open(answer).catch((thrown: unknown) => {
      if (thrown instanceof DlmsFault) return thrown
      throw thrown
    })
    // A dialogue may pass over an answer that is none; one that does not ends with it.
    step = opened instanceof DlmsFault ? dialogue.throw(opened) : dialogue.next(opened)
  }
  return step.value
}

/** Everything asked for is here: a meter that hangs up instead of confirming the release, or says anything else, has not failed. */
async function release(transport: ApduTransport, request: Uint8Array): Promise<void> {
  try {
    await transport.exchange(request)
  } catch (thrown) {
    if (!(thrown instanceof DlmsFault) || !harmless.has(thrown.code)) throw thrown
  }
}

/** An AARQ without the password of LLS: its bytes go to logs and, as evidence, to whoever may see a bill. */
function withoutPassword(bytes: Uint8Array): Uint8Array {
  const aarq = readApdu(new ByteReader(bytes))
  if (aarq.apdu !== 'aarq' || aarq.mechanismName !== mechanisms.low || aarq.callingAuthenticationValue === undefined) return bytes
  return encodeApdu({ ...aarq, callingAuthenticationValue: new Uint8Array(aarq.callingAuthenticationValue.length) })
}

/** So many bytes of a password say something about it. */
const pieceSize = 3

/** An adapter that echoes gives back what was sent, in one piece or in several, damaged or whole: no piece of a password is kept of it. */
function withoutPieces(heard: Uint8Array, password: Uint8Array): Uint8Array {
  const found = Buffer.from(heard.buffer, heard.byteOffset, heard.length)
  const kept = Buffer.from(found)
  const size = Math.min(pieceSize, password.length)
  for (let from = 0; size > 0 && from + size <= password.length; from += 1) {
    const piece = password.subarray(from, from + size)
    for (let at = found.indexOf(piece); at !== -1; at = found.indexOf(piece, at + 1)) kept.fill(0, at, at + size)
  }
  return kept
}
