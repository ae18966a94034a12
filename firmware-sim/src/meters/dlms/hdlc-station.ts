import { dlms } from '@endeks/gateway/codec'

/** A frame that the station sends; its line knows the addresses. */
export type StationFrame = Pick<dlms.HdlcFrame, 'control' | 'segmented' | 'information'>

type Piece = Omit<StationFrame, 'control'>
type Numbered = Extract<dlms.HdlcControl, { readonly receive: number }>

export interface StationOptions {
  /** what this side takes and sends at most */
  readonly own: dlms.HdlcParameters
  /** answers an APDU; undefined where there is no answer */
  readonly answer: (apdu: Uint8Array) => Uint8Array | undefined
  /** the link went up or down: nothing that was agreed above it holds */
  readonly reset: () => void
}

const none = new Uint8Array(0)
/** Reasons of a frame reject: bits w, x, y, z of its third byte (ISO/IEC 13239, 5.5.3.4.1). */
const rejections = { informationTooLong: 0x04, receiveNumberInvalid: 0x08 } as const

/**
 * The secondary station of an HDLC link in normal response mode (IEC 62056-46, 6.4): speaks when it is polled, numbers its
 * frames, keeps each until it is acknowledged and sends it again when the client asks once more.
 */
export class HdlcStation {
  readonly #options: StationOptions
  #mode: 'disconnected' | 'connected' | 'rejecting' = 'disconnected'
  #agreed: dlms.HdlcParameters = dlms.hdlcDefaults
  #incoming = new dlms.SegmentAssembler()
  #unnumbered = new dlms.SegmentAssembler()
  #nextSend = 0
  #peerBusy = false
  #reject: Uint8Array = none
  /** sent and not acknowledged; the last one has the number before `#nextSend` */
  #underway: Piece[] = []
  #waiting: Piece[] = []

  constructor(options: StationOptions) {
    this.#options = options
  }

  /** Nothing of an answer is still to be fetched. */
  get idle(): boolean {
    return this.#waiting.length === 0 && !this.#incoming.open
  }

  /** Longest information field that the client takes. */
  get maxInformation(): number {
    return this.#agreed.maxInformationTransmit
  }

  /** What the station answers to a frame with its address. */
  receive(frame: dlms.HdlcFrame): readonly StationFrame[] {
    const { control } = frame
    switch (control.kind) {
      case 'SNRM':
        return control.final ? this.#connect(frame.information) : []
      case 'DISC':
        return this.#disconnect(control.final)
      case 'UI':
        this.#hear(frame)
        return []
      case 'I':
      case 'RR':
      case 'RNR':
        return this.#numbered(frame, control)
      default:
        // UA, DM and FRMR are said by stations like this one.
        return []
    }
  }

  #connect(information: Uint8Array): readonly StationFrame[] {
    const proposed = dlms.decodeHdlcParameters(information)
    if (!proposed.ok) return [unnumbered('DM')]
    this.#clear('connected')
    this.#agreed = dlms.negotiateHdlc(this.#options.own, proposed.value)
    return [unnumbered('UA', dlms.encodeHdlcParameters(this.#agreed))]
  }

  #disconnect(polled: boolean): readonly StationFrame[] {
    // Parameters in this UA mean nothing, but there are clients that read no UA without them.
    const answer = this.#mode === 'disconnected' ? unnumbered('DM') : unnumbered('UA', dlms.encodeHdlcParameters(this.#agreed))
    this.#clear('disconnected')
    return polled ? [answer] : []
  }

  #clear(mode: 'connected' | 'disconnected'): void {
    this.#mode = mode
    this.#agreed = dlms.hdlcDefaults
    this.#incoming = new dlms.SegmentAssembler()
    this.#unnumbered = new dlms.SegmentAssembler()
    this.#nextSend = 0
    this.#peerBusy = false
    this.#underway = []
    this.#waiting = []
    this.#options.reset()
  }

  /** What comes without a number is not answered: services without confirmation, and what is said to all. */
  #hear(frame: dlms.HdlcFrame): void {
    const heard = dlms.guarded(() => this.#unnumbered.add(frame))
    if (!heard.ok) this.#unnumbered = new dlms.SegmentAssembler()
    else if (heard.value?.direction === 'command') this.#options.answer(heard.value.apdu)
  }

  #numbered(frame: dlms.HdlcFrame, control: Numbered): readonly StationFrame[] {
    const { final } = control
    if (this.#mode === 'disconnected') return final ? [unnumbered('DM')] : []
    if (this.#mode === 'connected') {
      if (!this.#acknowledge(control.receive)) this.#refuse(control, rejections.receiveNumberInvalid)
      else if (control.kind === 'I') this.#take(frame, control)
      this.#peerBusy = control.kind === 'RNR'
    }
    if (!final) return []
    return this.#isRejecting() ? [unnumbered('FRMR', this.#reject)] : this.#turn()
  }

  #isRejecting(): boolean {
    return this.#mode === 'rejecting'
  }

  /** N(R) acknowledges all frames before it. @returns false for a number that was never sent */
  #acknowledge(receive: number): boolean {
    const first = (this.#nextSend - this.#underway.length + 8) % 8
    const acknowledged = (receive - first + 8) % 8
    if (acknowledged > this.#underway.length) return false
    this.#underway.splice(0, acknowledged)
    return true
  }

  /** A frame that came before is passed over, and so is one behind a gap: N(R) of the answer says which one is due. */
  #take(frame: dlms.HdlcFrame, control: Extract<Numbered, { readonly kind: 'I' }>): void {
    if (frame.information.length > this.#agreed.maxInformationReceive) {
      this.#refuse(control, rejections.informationTooLong)
      return
    }
    if (control.send !== this.#incoming.next || frame.information.length === 0) return
    const heard = dlms.guarded(() => this.#incoming.add(frame))
    if (!heard.ok) {
      if (heard.error.code === 'DLMS_LENGTH') this.#refuse(control, rejections.informationTooLong)
      return
    }
    if (heard.value?.direction !== 'command') return
    const apdu = this.#options.answer(heard.value.apdu)
    const pieces = apdu === undefined ? [] : dlms.cutSegments({ direction: 'response', apdu }, this.#agreed.maxInformationTransmit)
    this.#waiting = pieces.map((information, index) => ({ information, segmented: index < pieces.length - 1 }))
  }

  /** Frame reject: the client has to set the link up again (ISO/IEC 13239, 5.5.3.4). */
  #refuse(control: dlms.HdlcControl, reason: number): void {
    this.#mode = 'rejecting'
    const numbers = (this.#nextSend << 1) | (this.#incoming.next << 5)
    this.#reject = Uint8Array.of(dlms.hdlcControlByte(control), numbers, reason)
    this.#underway = []
    this.#waiting = []
  }

  /** The station's turn: what was not acknowledged, then what waits, as far as the window goes; else only N(R). */
  #turn(): readonly StationFrame[] {
    if (this.#peerBusy) return [this.#ready()]
    const room = this.#agreed.windowTransmit - this.#underway.length
    const fresh = this.#waiting.splice(0, Math.max(0, room))
    this.#underway.push(...fresh)
    this.#nextSend = (this.#nextSend + fresh.length) % 8
    const { length } = this.#underway
    if (length === 0) return [this.#ready()]
    const receive = this.#incoming.next
    return this.#underway.map((piece, index) => {
      const send = (this.#nextSend - length + index + 8) % 8
      return { ...piece, control: { kind: 'I', send, receive, final: index === length - 1 } }
    })
  }

  #ready(): StationFrame {
    return { control: { kind: 'RR', receive: this.#incoming.next, final: true }, segmented: false, information: none }
  }
}

function unnumbered(kind: 'UA' | 'DM' | 'FRMR', information: Uint8Array = none): StationFrame {
  return { control: { kind, final: true }, segmented: false, information }
}
