import { addressText } from './codec/apdu-stream.js'
import { DlmsFault } from './codec/fault.js'
import type { HdlcAddress, HdlcControl } from './codec/hdlc-fields.js'
import type { HdlcFrame } from './codec/hdlc-frame.js'
import { decodeHdlcParameters, encodeHdlcParameters, type HdlcParameters, hdlcDefaults, negotiateHdlc } from './codec/hdlc-parameters.js'
import { cutSegments, type LlcFrame, SegmentAssembler } from './codec/hdlc-segments.js'
import { toHex } from './codec/reader.js'

/** Frames that go out together; the last one hands the line over. */
export interface Burst {
  readonly frames: readonly HdlcFrame[]
  /** the same as they may be kept, where a secret stands in them */
  readonly kept?: readonly HdlcFrame[]
  /** wait before they go: the meter said that it has nothing yet */
  readonly pauseMs?: number
}

/** What came until the meter handed the line back, or until the wait for that was over. */
export interface Turn {
  readonly frames: readonly HdlcFrame[]
  readonly inTime: boolean
}

/** Gives bursts, takes turns: in normal response mode nothing else happens on the line (IEC 62056-46, 6.4.4). */
export type Procedure<Value = void> = Generator<Burst, Value, Turn>

/** How often a connection is asked for, and how often anything else is sent again, unless said otherwise. */
const usualCalls = 2
const usualRepetitions = 3
/** Waits that a connection may lose to a line that damages what is said, and how many turns in time earn one more. */
const lostAtMost = 8
const turnsThatEarnOne = 4
/** How often a meter may say that it has nothing yet. */
const polls = 20
const pollPauseMs = 200

/** The client's end of a data link: what it sends next, given what came. No socket, no clock. */
export class HdlcPrimary {
  readonly #client: HdlcAddress
  readonly #server: HdlcAddress
  readonly #proposal: HdlcParameters
  readonly #calls: number
  readonly #repetitions: number
  #phase: 'connecting' | 'connected' | 'disconnecting' = 'connecting'
  #agreed: HdlcParameters = hdlcDefaults
  /** N(S) of the first information frame that is not acknowledged */
  #oldest = 0
  #segments = new SegmentAssembler()
  /** turns in which the meter handed the line back, and those in which the wait for that was over */
  readonly #turns = { inTime: 0, lost: 0 }

  constructor(options: {
    readonly client: HdlcAddress
    readonly server: HdlcAddress
    readonly proposal: HdlcParameters
    readonly calls?: number
    readonly repetitions?: number
  }) {
    this.#client = options.client
    this.#server = options.server
    this.#proposal = options.proposal
    this.#calls = options.calls ?? usualCalls
    this.#repetitions = options.repetitions ?? usualRepetitions
  }

  get agreed(): HdlcParameters {
    return this.#agreed
  }

  /**
   * What a frame from the meter is in this turn: `taken`; `ends` the turn although there is nothing in it to take, as one behind a
   * gap does; or `stale`, such as the answer to a frame sent twice, behind which the real one is still to come.
   *
   * @param before information frames taken in this turn
   */
  judge({ control }: HdlcFrame, before: number): 'taken' | 'ends' | 'stale' {
    const { kind } = control
    if (kind === 'DM' || kind === 'FRMR') return 'taken'
    if (this.#phase !== 'connected') return kind === 'UA' ? 'taken' : 'stale'
    if (kind === 'RR' || kind === 'RNR') return 'taken'
    if (kind !== 'I') return 'stale'
    const ahead = (control.send - this.#segments.next - before + 16) % 8
    if (ahead === 0) return 'taken'
    return ahead < this.#agreed.windowReceive ? 'ends' : 'stale'
  }

  /** SNRM until UA. @throws {DlmsFault} DLMS_TIMEOUT, DLMS_DISCONNECTED when the meter does not connect, DLMS_HDLC */
  *connect(): Procedure {
    const information = encodeHdlcParameters(this.#proposal)
    for (let calls = 0; calls < this.#calls; calls += 1) {
      const { frames } = yield { frames: [this.#frame({ kind: 'SNRM', final: true }, information)] }
      for (const frame of frames) {
        checkAlive(frame)
        if (frame.control.kind !== 'UA') continue
        const granted = decodeHdlcParameters(frame.information)
        if (!granted.ok) throw new DlmsFault('DLMS_HDLC', `the meter's parameters are refused: ${granted.error.message}`)
        this.#agreed = negotiateHdlc(this.#proposal, granted.value)
        this.#phase = 'connected'
        this.#oldest = 0
        this.#segments = new SegmentAssembler()
        return
      }
    }
    throw new DlmsFault('DLMS_TIMEOUT', `nobody at HDLC address ${addressText(this.#server)} answered ${this.#calls} calls`)
  }

  /**
   * One APDU there and one back, in as many segments as either takes.
   *
   * @param kept the APDU as it may be kept, of the same length
   * @throws {DlmsFault} DLMS_TIMEOUT, DLMS_DISCONNECTED, DLMS_HDLC for a frame rejected and for a line too disturbed, DLMS_HDLC_SEQUENCE
   */
  *carry(apdu: Uint8Array, kept: Uint8Array = apdu): Procedure<Uint8Array> {
    const room = this.#agreed.maxInformationTransmit
    const pieces = cutSegments({ direction: 'command', apdu }, room)
    const keptPieces = cutSegments({ direction: 'command', apdu: kept }, room)
    let acknowledged = 0
    let whole: LlcFrame | undefined
    let silent = 0
    let empty = 0
    let busy = false
    while (whole === undefined) {
      // Who says RNR takes no information now: it is polled until it says RR.
      const from: number = busy ? pieces.length : acknowledged
      const pause = empty > 0 || busy ? { pauseMs: pollPauseMs } : {}
      const turn: Turn = yield { frames: this.#burst(pieces, from), kept: this.#burst(keptPieces, from), ...pause }
      this.#count(turn)
      let news = 0
      for (const frame of turn.frames) {
        checkAlive(frame)
        busy = frame.control.kind === 'RNR'
        const fresh = this.#acknowledgedBy(frame.control, pieces.length - acknowledged)
        acknowledged += fresh
        news += fresh
        if (frame.control.kind !== 'I' || frame.control.send !== this.#segments.next) continue
        if (whole !== undefined) throw new DlmsFault('DLMS_HDLC_SEQUENCE', 'more came behind the end of an answer')
        whole = this.#segments.add(frame)
        news += 1
      }
      // With each piece of news both counts begin again: an answer in a thousand segments is no repetition.
      silent = news > 0 || turn.inTime ? 0 : silent + 1
      empty = news === 0 && turn.inTime ? empty + 1 : 0
      if (silent > this.#repetitions) throw new DlmsFault('DLMS_TIMEOUT', `the meter was asked ${silent} times and did not answer`)
      if (empty > polls) throw new DlmsFault('DLMS_TIMEOUT', `the meter has not got an answer after ${empty} polls`)
    }
    if (acknowledged < pieces.length) throw new DlmsFault('DLMS_HDLC_SEQUENCE', 'an answer came before its whole request was taken')
    if (whole.direction !== 'response') throw new DlmsFault('DLMS_HDLC', 'the meter answered with a command')
    return whole.apdu
  }

  /** Frames lost here and there are repeated one by one without end: together they have one. @throws {DlmsFault} DLMS_HDLC */
  #count({ inTime }: Turn): void {
    this.#turns[inTime ? 'inTime' : 'lost'] += 1
    const { lost, inTime: came } = this.#turns
    if (lost <= lostAtMost + came / turnsThatEarnOne) return
    throw new DlmsFault('DLMS_HDLC', `${lost} of ${lost + came} turns came damaged, in part or not at all: the line is too disturbed`)
  }

  /** DISC once: a meter that does not confirm it ends the connection by its own inactivity time-out. */
  *disconnect(): Procedure {
    this.#phase = 'disconnecting'
    yield { frames: [this.#frame({ kind: 'DISC', final: true })] }
  }

  /** What is not acknowledged, as much as the window allows, again and again; then polls that acknowledge in their turn. */
  #burst(pieces: readonly Uint8Array[], from: number): readonly HdlcFrame[] {
    const receive = this.#segments.next
    const waiting = pieces.slice(from, from + this.#agreed.windowTransmit)
    if (waiting.length === 0) return [this.#frame({ kind: 'RR', receive, final: true })]
    return waiting.map((information, index): HdlcFrame => {
      const control = { kind: 'I', send: (this.#oldest + index) % 8, receive, final: index === waiting.length - 1 } as const
      return { ...this.#frame(control, information), segmented: from + index < pieces.length - 1 }
    })
  }

  /** How many of the frames under way an N(R) acknowledges. One that acknowledges what was not sent is no news. */
  #acknowledgedBy(control: HdlcControl, left: number): number {
    if (!('receive' in control)) return 0
    const fresh = (control.receive - this.#oldest + 8) % 8
    if (fresh > Math.min(left, this.#agreed.windowTransmit)) return 0
    this.#oldest = control.receive
    return fresh
  }

  #frame(control: HdlcControl, information: Uint8Array = new Uint8Array(0)): HdlcFrame {
    return { destination: this.#server, source: this.#client, control, segmented: false, information }
  }
}

function checkAlive({ control, information }: HdlcFrame): void {
  if (control.kind === 'DM') throw new DlmsFault('DLMS_DISCONNECTED', 'the meter says that it is not connected (DM)')
  if (control.kind === 'FRMR') throw new DlmsFault('DLMS_HDLC', `the meter rejected a frame (FRMR ${toHex(information)})`)
}
