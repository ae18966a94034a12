import { DlmsFault } from './fault.js'
import type { HdlcFrame } from './hdlc-frame.js'
import { ByteReader, hexByte } from './reader.js'
import { ByteWriter } from './writer.js'

/** The LLC header in front of each APDU (IEC 62056-46, 5.3.2): who speaks. */
export type LlcDirection = 'command' | 'response'

const destinationSap = 0xe6
const sourceSap: Readonly<Record<LlcDirection, number>> = { command: 0xe6, response: 0xe7 }
export const llcSize = 3

/** The longest APDU that an association can agree on. */
export const maxApduBytes = 0xffff

export interface LlcFrame {
  readonly direction: LlcDirection
  readonly apdu: Uint8Array
}

/** Takes the LLC header off; the APDU is a view of the same bytes. @throws {DlmsFault} DLMS_HDLC when there is none */
export function readLlc(bytes: Uint8Array): LlcFrame {
  const reader = new ByteReader(bytes)
  const destination = reader.u8()
  const source = reader.u8()
  const quality = reader.u8()
  const direction = source === sourceSap.command ? 'command' : 'response'
  if (destination !== destinationSap || source !== sourceSap[direction] || quality !== 0) {
    throw new DlmsFault('DLMS_HDLC', `${[destination, source, quality].map(hexByte).join(' ')} is not the LLC header of DLMS`, 0)
  }
  return { direction, apdu: bytes.subarray(llcSize) }
}

export function writeLlc(frame: LlcFrame): Uint8Array {
  return new ByteWriter().u8(destinationSap).u8(sourceSap[frame.direction]).u8(0).raw(frame.apdu).finish()
}

/** The information fields that one APDU goes in: all but the last are sent as segmented. */
export function cutSegments(frame: LlcFrame, maxInformation: number): Uint8Array[] {
  const whole = writeLlc(frame)
  const room = Math.max(1, maxInformation)
  const pieces: Uint8Array[] = []
  for (let at = 0; at < whole.length; at += room) pieces.push(whole.subarray(at, at + room))
  return pieces
}

function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = pieces
  if (only !== undefined && pieces.length === 1) return only
  const whole = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/**
 * Puts the information of one side's frames together to APDUs. A frame that came twice, or one that is missing, is seen by its
 * number: without it a repetition would stand twice inside an APDU.
 */
export class SegmentAssembler {
  #pieces: Uint8Array[] = []
  #size = 0
  #next = 0

  /** N(R): the number of the I frame that is due, which acknowledges all before it. */
  get next(): number {
    return this.#next
  }

  /** The APDU is not at its end. */
  get open(): boolean {
    return this.#pieces.length > 0
  }

  /**
   * @returns the APDU with its last segment, undefined before
   * @throws {DlmsFault} DLMS_HDLC_SEQUENCE for a frame out of order, DLMS_HDLC for one without information, DLMS_LENGTH for more than 64 KB
   */
  add(frame: HdlcFrame): LlcFrame | undefined {
    const { control, information } = frame
    if ((control.kind !== 'I' && control.kind !== 'UI') || information.length === 0)
      throw new DlmsFault('DLMS_HDLC', `a frame ${control.kind} of ${information.length} bytes is no piece of an APDU`)
    if (control.kind === 'I' && control.send !== this.#next)
      throw new DlmsFault('DLMS_HDLC_SEQUENCE', `frame ${control.send} came where ${this.#next} was due`)
    if (this.#size + information.length > llcSize + maxApduBytes)
      throw new DlmsFault('DLMS_LENGTH', `an APDU in segments is longer than ${maxApduBytes} bytes`)
    if (control.kind === 'I') this.#next = (this.#next + 1) % 8
    this.#pieces.push(information)
    this.#size += information.length
    if (frame.segmented) return undefined
    const whole = joined(this.#pieces, this.#size)
    this.#pieces = []
    this.#size = 0
    return readLlc(whole)
  }
}
