import { setTimeout as delay } from 'node:timers/promises'
import type { Line } from '../../line/index.js'
import { addressText } from './codec/apdu-stream.js'
import { DlmsFault } from './codec/fault.js'
import type { HdlcAddress } from './codec/hdlc-fields.js'
import { encodeHdlcFrame, type HdlcFrame } from './codec/hdlc-frame.js'
import type { HdlcParameters } from './codec/hdlc-parameters.js'
import { type HdlcEvent, HdlcReader } from './codec/hdlc-reader.js'
import { type Burst, HdlcPrimary, type Procedure, type Turn } from './hdlc-primary.js'
import type { ApduTransport } from './transport.js'
import { type Bytes, Wire } from './wire.js'

export interface HdlcOptions {
  /** open */
  readonly line: Line
  readonly client: HdlcAddress
  readonly server: HdlcAddress
  readonly proposal: HdlcParameters
  /** from the end of a request to its answer, without the time that the line itself takes */
  readonly answerWithinMs: number
  /** from the first frame to the last */
  readonly conversationWithinMs: number
  /** of a serial line; 0 where the line takes no time worth naming */
  readonly baudRate: number
  /** how often a connection is asked for */
  readonly calls?: number
  /** how often any other frame without answer is sent again */
  readonly repetitions?: number
  readonly signal: AbortSignal
}

/** Flags, format, addresses, control and check sequences around the information. */
const frameOverhead = 16
const bitsPerByte = 10
/** Noise, echoes and foreign frames that a line may have in front of an answer: each flag in it costs a search. */
const mostStrange = 16_384
/** As many bytes are searched at once. */
const slice = 2_048

/** The data link layer of IEC 62056-46, for one connection: SNRM to DISC. */
export class HdlcLink implements ApduTransport {
  /** A meter that is disconnected has ended its association: RLRQ is of no use here, and many meters do not know it (Green Book 9.3.3). */
  readonly releases = false
  readonly #options: HdlcOptions
  readonly #primary: HdlcPrimary
  readonly #wire: Wire<Turn>
  readonly #taken: Uint8Array[] = []
  #reader = new HdlcReader()
  #turn: HdlcFrame[] = []
  #connected = false
  /** bytes since the meter's last frame */
  #strange = 0

  constructor(options: HdlcOptions) {
    const { line, conversationWithinMs, signal } = options
    this.#options = options
    this.#primary = new HdlcPrimary(options)
    this.#wire = new Wire({ line, conversationWithinMs, signal, take: (chunk) => this.#take(chunk) })
  }

  /** Before anything else. Also where it fails, `heard` has what was heard. @throws {DlmsFault} as `HdlcPrimary.connect` */
  async connect(): Promise<void> {
    await this.#run(this.#primary.connect())
    this.#connected = true
  }

  /** Sent frames with their repetitions, and what came from this meter whole: noise, echo and half frames prove nothing. */
  get conversation(): Bytes {
    return { request: this.#wire.bytes.request, response: Buffer.concat(this.#taken) }
  }

  get heard(): Bytes {
    return this.#wire.bytes
  }

  exchange(apdu: Uint8Array, kept?: Uint8Array): Promise<Uint8Array> {
    return this.#run(this.#primary.carry(apdu, kept))
  }

  async close(): Promise<void> {
    try {
      if (this.#connected && !this.#wire.broken) await this.#run(this.#primary.disconnect())
    } catch (thrown) {
      // What was read has been read, and a failure before this one is the one to tell.
      if (!(thrown instanceof DlmsFault)) throw thrown
    } finally {
      this.#wire.end()
    }
  }

  async #run<Value>(procedure: Procedure<Value>): Promise<Value> {
    try {
      let step = procedure.next()
      while (!step.done) {
        if (step.value.pauseMs !== undefined) await this.#pause(step.value.pauseMs)
        step = procedure.next(await this.#hand(step.value))
      }
      return step.value
    } catch (thrown) {
      // A meter that is silent or not connected would not hear a farewell either.
      if (thrown instanceof DlmsFault && (thrown.code === 'DLMS_TIMEOUT' || thrown.code === 'DLMS_DISCONNECTED')) this.#connected = false
      throw thrown
    }
  }

  /** A pause that a read called off ends: the next frame is then refused. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#options
    await delay(ms, undefined, { signal }).catch((thrown: unknown) => {
      if (!signal.aborted) throw thrown
    })
  }

  /** Hands the line over and waits for it to come back. */
  async #hand({ frames, kept = frames }: Burst): Promise<Turn> {
    this.#turn = []
    const bytes = bytesOf(frames)
    const turn = await this.#wire.ask({ bytes, kept: bytesOf(kept), withinMs: this.#waitMs(bytes.length) })
    if (turn !== undefined) return turn
    // Half a frame of before would swallow the beginning of what comes next.
    this.#reader = new HdlcReader()
    return { frames: this.#turn, inTime: false }
  }

  /** The answer's time, and that of a whole window each way on a slow line. */
  #waitMs(sent: number): number {
    const { answerWithinMs, baudRate } = this.#options
    if (baudRate === 0) return answerWithinMs
    const { maxInformationReceive, windowReceive } = this.#primary.agreed
    const bytes = sent + windowReceive * (maxInformationReceive + frameOverhead)
    return answerWithinMs + Math.ceil((1000 * bitsPerByte * bytes) / baudRate)
  }

  #take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += slice) {
      const piece = chunk.subarray(at, at + slice)
      this.#strange += piece.length
      for (const event of this.#reader.push(piece)) this.#consider(event)
      if (this.#strange > mostStrange)
        throw new DlmsFault(
          'BUS_NEVER_QUIET',
          `more than ${mostStrange} bytes came and no frame of the meter: something never stops sending`
        )
    }
  }

  /** A frame that is damaged, of another meter or our own echo is as if nothing had come: the repetition mends it. */
  #consider(event: HdlcEvent): void {
    if (!('frame' in event) || !this.#wire.isWaiting) return
    const { frame, bytes } = event
    const { client, server } = this.#options
    if (addressText(frame.source) !== addressText(server) || addressText(frame.destination) !== addressText(client)) return
    this.#strange = 0
    const before = this.#turn.filter(({ control }) => control.kind === 'I').length
    const judged = this.#primary.judge(frame, before)
    if (judged === 'stale') return
    if (judged === 'taken') {
      this.#turn.push(frame)
      this.#taken.push(bytes)
    }
    if (frame.control.final) this.#wire.answer({ frames: this.#turn, inTime: true })
  }
}

function bytesOf(frames: readonly HdlcFrame[]): Uint8Array {
  return Buffer.concat(frames.map(encodeHdlcFrame))
}
