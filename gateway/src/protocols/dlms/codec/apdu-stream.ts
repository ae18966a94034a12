import { DlmsFault } from './fault.js'
import type { HdlcAddress } from './hdlc-fields.js'
import { type HdlcFrame, hdlcFlag, readHdlcFrame } from './hdlc-frame.js'
import { type LlcDirection, SegmentAssembler } from './hdlc-segments.js'
import { ByteReader } from './reader.js'
import { readWrapper } from './wrapper.js'

/**
 * All APDUs of one direction of a conversation, and who spoke to whom, as "16 to 1". Each is still to be read: what nobody asks
 * for, such as the answer to a release, may be anything.
 */
export interface ApduStream {
  readonly apdus: readonly ByteReader[]
  readonly from: string
  readonly to: string
}

/** Reads one direction of a conversation: HDLC frames begin with a flag, the wrapper with its version. @throws {DlmsFault} */
export function readStream(bytes: Uint8Array, direction: LlcDirection): ApduStream | undefined {
  if (bytes.length === 0) return undefined
  return bytes[0] === hdlcFlag ? readHdlcStream(bytes, direction) : readWrapperStream(bytes)
}

/** Collects the APDUs of frames that must all go the same way. */
class OneWay {
  readonly apdus: ByteReader[] = []
  #ends: { readonly from: string; readonly to: string } | undefined

  goes(from: string, to: string, at: number): void {
    this.#ends ??= { from, to }
    if (from === this.#ends.from && to === this.#ends.to) return
    const expected = `${this.#ends.from} talks to ${this.#ends.to}`
    throw new DlmsFault('DLMS_WRONG_PORT', `a frame from ${from} to ${to} stands where ${expected}`, at)
  }

  finish(): ApduStream | undefined {
    return this.#ends === undefined ? undefined : { apdus: this.apdus, ...this.#ends }
  }
}

function readWrapperStream(bytes: Uint8Array): ApduStream | undefined {
  const reader = new ByteReader(bytes)
  const way = new OneWay()
  while (reader.left > 0) {
    const at = reader.offset
    const { source, destination, body } = readWrapper(reader)
    way.goes(String(source), String(destination), at)
    way.apdus.push(body)
  }
  return way.finish()
}

/**
 * A repeated frame is known by its number and passed over: of two that carry the same one the second says nothing new. SNRM and
 * UA begin the numbers anew.
 */
function readHdlcStream(bytes: Uint8Array, direction: LlcDirection): ApduStream | undefined {
  const reader = new ByteReader(bytes)
  const way = new OneWay()
  let segments = new SegmentAssembler()
  const unnumbered = new SegmentAssembler()
  while (reader.left > 0) {
    const at = reader.offset
    // The flag that ends one frame may begin the next, or stand doubled between them.
    if (reader.left > 1 && bytes[at] === hdlcFlag && bytes[at + 1] === hdlcFlag) {
      reader.u8()
      continue
    }
    const frame = readHdlcFrame(reader)
    way.goes(addressText(frame.source), addressText(frame.destination), at)
    if (frame.control.kind === 'SNRM' || frame.control.kind === 'UA') segments = new SegmentAssembler()
    const assembler = frame.control.kind === 'UI' ? unnumbered : segments
    const whole = carries(frame, assembler) ? assembler.add(frame) : undefined
    if (whole === undefined) continue
    if (whole.direction !== direction) throw new DlmsFault('DLMS_HDLC', `a ${whole.direction} stands among the bytes of a ${direction}`, at)
    way.apdus.push(new ByteReader(whole.apdu))
  }
  return way.finish()
}

function carries({ control }: HdlcFrame, assembler: SegmentAssembler): boolean {
  return control.kind === 'UI' || (control.kind === 'I' && control.send === assembler.next)
}

/** "1/17", or "1" for an address of one byte. */
export function addressText(address: HdlcAddress): string {
  return address.size === 1 ? String(address.upper) : `${address.upper}/${address.lower}`
}
