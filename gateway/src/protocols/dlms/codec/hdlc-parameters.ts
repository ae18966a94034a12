import type { Result } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { DlmsFault, guarded } from './fault.js'
import { ByteReader } from './reader.js'
import { ByteWriter } from './writer.js'

/** What SNRM proposes and UA grants, seen by the side that sends it (IEC 62056-46, 6.4.4.4.3.2). */
export interface HdlcParameters {
  /** longest information field, in bytes */
  readonly maxInformationTransmit: number
  readonly maxInformationReceive: number
  /** frames that may be under way without acknowledgement */
  readonly windowTransmit: number
  readonly windowReceive: number
}

const formatIdentifier = 0x81
const groupIdentifier = 0x80

/** The parameters of the group: where each stands, and what it may be. */
const rows = [
  { id: 5, name: 'maxInformationTransmit', least: 1, most: 2030 },
  { id: 6, name: 'maxInformationReceive', least: 1, most: 2030 },
  { id: 7, name: 'windowTransmit', least: 1, most: 7 },
  { id: 8, name: 'windowReceive', least: 1, most: 7 }
] as const

/** What holds where a parameter is not sent. */
export const hdlcDefaults: HdlcParameters = {
  maxInformationTransmit: 128,
  maxInformationReceive: 128,
  windowTransmit: 1,
  windowReceive: 1
}

/** The information field of SNRM or UA. Without one the defaults hold; groups and parameters of makers are passed over. */
export function decodeHdlcParameters(information: Uint8Array): Result<HdlcParameters, DecodeFailure> {
  return guarded(() => {
    const reader = new ByteReader(information)
    const parameters = { ...hdlcDefaults }
    if (reader.left === 0) return parameters
    reader.expect(formatIdentifier, 'the parameters of a connection')
    while (reader.left > 0) {
      const group = reader.u8()
      const contents = reader.window(reader.u8())
      while (group === groupIdentifier && contents.left > 0) readParameter(contents, parameters)
    }
    return parameters
  })
}

function readParameter(reader: ByteReader, into: { -readonly [Name in keyof HdlcParameters]: HdlcParameters[Name] }): void {
  const at = reader.offset
  const id = reader.u8()
  const field = reader.window(reader.u8())
  const row = rows.find((each) => each.id === id)
  if (row === undefined) return
  if (field.left < 1 || field.left > 4) throw new DlmsFault('DLMS_LENGTH', `${row.name} has 1 to 4 bytes, not ${field.left}`, at)
  let value = 0
  while (field.left > 0) value = value * 256 + field.u8()
  if (value < row.least || value > row.most)
    throw new DlmsFault('DLMS_HDLC', `${row.name} is ${value}, it must be ${row.least} to ${row.most}`, at)
  into[row.name] = value
}

/** Lengths in as few bytes as they need, windows in four, as meters send them. @throws {DlmsFault} DLMS_VALUE */
export function encodeHdlcParameters(parameters: HdlcParameters): Uint8Array {
  const group = new ByteWriter()
  for (const row of rows) {
    const value = parameters[row.name]
    if (!Number.isInteger(value) || value < row.least || value > row.most)
      throw new DlmsFault('DLMS_VALUE', `${row.name} is ${value}, it must be ${row.least} to ${row.most}`)
    group.u8(row.id)
    if (row.name === 'windowTransmit' || row.name === 'windowReceive') group.u8(4).u32(value)
    else if (value <= 0xff) group.u8(1).u8(value)
    else group.u8(2).u16(value)
  }
  return new ByteWriter().u8(formatIdentifier).u8(groupIdentifier).u8(group.finish().length).raw(group.finish()).finish()
}

/** What holds between a side and its peer: neither sends more than the other takes. */
export function negotiateHdlc(own: HdlcParameters, peer: HdlcParameters): HdlcParameters {
  return {
    maxInformationTransmit: Math.min(own.maxInformationTransmit, peer.maxInformationReceive),
    maxInformationReceive: Math.min(own.maxInformationReceive, peer.maxInformationTransmit),
    windowTransmit: Math.min(own.windowTransmit, peer.windowReceive),
    windowReceive: Math.min(own.windowReceive, peer.windowTransmit)
  }
}
