import type { Result } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { DlmsFault, guarded } from './fault.js'
import { fcs16 } from './hdlc-fcs.js'
import { type HdlcAddress, type HdlcControl, hdlcControlByte, readHdlcAddress, readHdlcControl, writeHdlcAddress } from './hdlc-fields.js'
import { ByteReader, hexByte } from './reader.js'
import { ByteWriter } from './writer.js'

/** One frame of format type 3 (IEC 62056-46, 6.4.2), without its flags and check sequences. */
export interface HdlcFrame {
  readonly destination: HdlcAddress
  readonly source: HdlcAddress
  readonly control: HdlcControl
  /** the information goes on in the next frame */
  readonly segmented: boolean
  /** empty for frames that carry none */
  readonly information: Uint8Array
}

export const hdlcFlag = 0x7e
/** Format, two addresses of one byte, control and FCS; and what eleven bits of length hold. */
export const hdlcSizes = { least: 7, most: 0x7ff } as const
const formatType = 0xa0
const segmentBit = 0x08
const checkSize = 2

type Header = Omit<HdlcFrame, 'information'> & {
  /** of the whole frame without flags, as the format field says */
  readonly length: number
  readonly hasInformation: boolean
}

/** Type and length of the two bytes behind the flag. */
export function readHdlcFormat(reader: ByteReader): { readonly segmented: boolean; readonly length: number } {
  const at = reader.offset
  const format = reader.u8()
  if ((format & 0xf0) !== formatType)
    throw new DlmsFault('DLMS_HDLC', `a frame begins with format type 3 (0xa_), not ${hexByte(format)}`, at)
  const length = (format & 7) * 256 + reader.u8()
  if (length < hdlcSizes.least) throw new DlmsFault('DLMS_LENGTH', `a frame has at least ${hdlcSizes.least} bytes, not ${length}`, at)
  return { segmented: (format & segmentBit) !== 0, length }
}

/**
 * Reads a frame's header up to its own check sequence, which protects the length that the rest is found by.
 *
 * @throws {DlmsFault} DLMS_HDLC, DLMS_LENGTH, DLMS_CHECKSUM for the HCS
 */
export function readHdlcHeader(reader: ByteReader): Header {
  const start = reader.offset
  const { segmented, length } = readHdlcFormat(reader)
  const destination = readHdlcAddress(reader)
  const source = readHdlcAddress(reader)
  const control = readHdlcControl(reader)
  const rest = length - (reader.offset - start)
  if (rest < checkSize) throw new DlmsFault('DLMS_LENGTH', `a frame of ${length} bytes has no room for its check sequence`, start)
  const hasInformation = rest > checkSize
  if (hasInformation) {
    if (rest <= 2 * checkSize) throw new DlmsFault('DLMS_LENGTH', `${rest} bytes behind the control field are no information`, start)
    check(reader, start, 'header')
  }
  return { destination, source, control, segmented, length, hasInformation }
}

function check(reader: ByteReader, start: number, what: string): void {
  const at = reader.offset
  const expected = fcs16(reader.bytes.subarray(start, at))
  const found = reader.u8() + reader.u8() * 256
  if (found !== expected) throw new DlmsFault('DLMS_CHECKSUM', `the check sequence of the ${what} does not fit: damaged`, at)
}

/** Reads one frame between its flags, however many bytes follow; its information is a view of them. @throws {DlmsFault} */
export function readHdlcFrame(reader: ByteReader): HdlcFrame {
  reader.expect(hdlcFlag, 'an HDLC frame')
  const start = reader.offset
  const { destination, source, control, segmented, length, hasInformation } = readHdlcHeader(reader)
  const information = hasInformation ? reader.view(length - (reader.offset - start) - checkSize) : new Uint8Array(0)
  check(reader, start, 'frame')
  reader.expect(hdlcFlag, 'the end of an HDLC frame')
  return { destination, source, control, segmented, information }
}

/** One frame with its flags. Never throws, whatever the bytes. */
export function decodeHdlcFrame(bytes: Uint8Array): Result<HdlcFrame, DecodeFailure> {
  return guarded(() => {
    const reader = new ByteReader(bytes)
    const frame = readHdlcFrame(reader)
    reader.finish('the HDLC frame')
    return { ...frame, information: Uint8Array.from(frame.information) }
  })
}

/** @throws {DlmsFault} DLMS_LENGTH for more information than a frame holds, DLMS_VALUE for an address or number that does not fit */
export function encodeHdlcFrame(frame: HdlcFrame): Uint8Array {
  const { information } = frame
  const addresses = writeHdlcAddress(writeHdlcAddress(new ByteWriter(), frame.destination), frame.source).finish()
  const length = 2 + addresses.length + 1 + (information.length === 0 ? 0 : checkSize + information.length) + checkSize
  if (length > hdlcSizes.most) throw new DlmsFault('DLMS_LENGTH', `a frame of ${length} bytes is longer than its length field`)
  const format = (formatType << 8) | (frame.segmented ? segmentBit << 8 : 0) | length
  const body = new ByteWriter().u16(format).raw(addresses).u8(hdlcControlByte(frame.control))
  if (information.length > 0) writeCheck(body).raw(information)
  return new ByteWriter().u8(hdlcFlag).raw(writeCheck(body).finish()).u8(hdlcFlag).finish()
}

function writeCheck(writer: ByteWriter): ByteWriter {
  const value = fcs16(writer.finish())
  return writer.u8(value & 0xff).u8(value >> 8)
}
