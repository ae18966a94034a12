import { DlmsFault } from './fault.js'
import { type ByteReader, hexByte } from './reader.js'
import type { ByteWriter } from './writer.js'

/**
 * An address of IEC 62056-46, 6.4.2.2. A client has one byte. A server has an upper address, the logical device, and in two
 * and four bytes a lower one, the physical device. The size is kept: a meter answers only to the one it is set to.
 */
export type HdlcAddress =
  | { readonly size: 1; readonly upper: number }
  | { readonly size: 2 | 4; readonly upper: number; readonly lower: number }

/** The lowest bit of a byte says that it is the last one of its address. */
export function readHdlcAddress(reader: ByteReader): HdlcAddress {
  const at = reader.offset
  const parts: number[] = []
  for (let last = false; !last; ) {
    if (parts.length === 4) throw new DlmsFault('DLMS_HDLC', 'an address has 1, 2 or 4 bytes, this one has no end', at)
    const byte = reader.u8()
    parts.push(byte >> 1)
    last = (byte & 1) === 1
  }
  const [first = 0, second = 0, third = 0, fourth = 0] = parts
  if (parts.length === 1) return { size: 1, upper: first }
  if (parts.length === 2) return { size: 2, upper: first, lower: second }
  if (parts.length === 4) return { size: 4, upper: first * 128 + second, lower: third * 128 + fourth }
  throw new DlmsFault('DLMS_HDLC', 'an address has 1, 2 or 4 bytes, not 3', at)
}

/** @throws {DlmsFault} DLMS_VALUE for an address that its size does not hold */
export function writeHdlcAddress(writer: ByteWriter, address: HdlcAddress): ByteWriter {
  const limit = address.size === 4 ? 0x3fff : 0x7f
  const parts = address.size === 1 ? [address.upper] : [address.upper, address.lower]
  for (const [index, part] of parts.entries()) {
    if (!Number.isInteger(part) || part < 0 || part > limit)
      throw new DlmsFault('DLMS_VALUE', `${part} does not fit into an address of ${address.size} bytes`)
    const last = index === parts.length - 1 ? 1 : 0
    if (address.size === 4) writer.u8((part >> 7) << 1)
    writer.u8(((part & 0x7f) << 1) | last)
  }
  return writer
}

/** Frames without a number (IEC 62056-46, 6.4.3.1): the control byte with the poll/final bit cleared. */
const unnumbered = [
  { kind: 'SNRM', code: 0x83 },
  { kind: 'DISC', code: 0x43 },
  { kind: 'UA', code: 0x63 },
  { kind: 'DM', code: 0x0f },
  { kind: 'FRMR', code: 0x87 },
  { kind: 'UI', code: 0x03 }
] as const
/** Frames that only acknowledge: the low four bits. */
const supervisory = [
  { kind: 'RR', code: 0x01 },
  { kind: 'RNR', code: 0x05 }
] as const
const finalBit = 0x10

/** `final` is the poll bit of a command and the final bit of a response. Sequence numbers count modulo 8. */
export type HdlcControl =
  | { readonly kind: 'I'; readonly send: number; readonly receive: number; readonly final: boolean }
  | { readonly kind: (typeof supervisory)[number]['kind']; readonly receive: number; readonly final: boolean }
  | { readonly kind: (typeof unnumbered)[number]['kind']; readonly final: boolean }

export function readHdlcControl(reader: ByteReader): HdlcControl {
  const at = reader.offset
  const byte = reader.u8()
  const final = (byte & finalBit) !== 0
  if ((byte & 1) === 0) return { kind: 'I', send: (byte >> 1) & 7, receive: byte >> 5, final }
  const acknowledging = supervisory.find((row) => row.code === (byte & 0x0f))
  if (acknowledging !== undefined) return { kind: acknowledging.kind, receive: byte >> 5, final }
  const row = unnumbered.find((each) => each.code === (byte & ~finalBit))
  if (row === undefined) throw new DlmsFault('DLMS_HDLC', `${hexByte(byte)} is not a control field of DLMS`, at)
  return { kind: row.kind, final }
}

/** @throws {DlmsFault} DLMS_VALUE for a sequence number outside 0 to 7 */
export function hdlcControlByte(control: HdlcControl): number {
  const final = control.final ? finalBit : 0
  if (control.kind === 'I') return final | (sequence(control.receive) << 5) | (sequence(control.send) << 1)
  if ('receive' in control) {
    const row = supervisory.find((each) => each.kind === control.kind) ?? supervisory[0]
    return final | (sequence(control.receive) << 5) | row.code
  }
  const row = unnumbered.find((each) => each.kind === control.kind)
  if (row === undefined) throw new DlmsFault('DLMS_VALUE', `${control.kind} is not a frame of DLMS`)
  return final | row.code
}

function sequence(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 7) throw new DlmsFault('DLMS_VALUE', `a sequence number is 0 to 7, not ${value}`)
  return value
}
