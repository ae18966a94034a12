import type { DeviceIdentity } from '@endeks/domain/metering'
import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { hexByte, refuse } from './failure.js'
import { fixedStructureSize, readFixedStructure } from './fixed-structure.js'
import { control, type LongFrame } from './frame.js'
import { identificationText, manufacturerName, mediumName } from './header.js'
import { type MbusRecord, readRecords } from './record.js'

/** CI fields of answers whose numbers come low byte first (EN 13757-7:2018). */
export const ciField = { applicationError: 0x70, variable: 0x72, fixed: 0x73 } as const

/** The long header (EN 13757-7:2018; EN 13757-3:2013, 4.9): where each part stands and how many bytes it has. */
export const longHeader = {
  id: { offset: 0, size: 4 },
  manufacturer: { offset: 4, size: 2 },
  version: { offset: 6, size: 1 },
  medium: { offset: 7, size: 1 },
  access: { offset: 8, size: 1 },
  status: { offset: 9, size: 1 },
  configuration: { offset: 10, size: 2 }
} as const
export const longHeaderSize = 12

/** What a meter said in one frame. */
export interface MbusResponse {
  readonly address: number
  readonly identity: DeviceIdentity
  readonly access: number
  readonly status: number
  readonly records: readonly MbusRecord[]
  /** DIF 1F: the rest comes with the next request */
  readonly moreFollow: boolean
}

/** Application errors (EN 13757-3:2013, 4.6). */
const applicationErrors: Readonly<Record<number, string>> = {
  0: 'unspecified error',
  1: 'CI field not implemented',
  2: 'buffer too long',
  3: 'too many records',
  4: 'premature end of record',
  5: 'more than 10 DIFE',
  6: 'more than 10 VIFE',
  8: 'application too busy',
  9: 'too many readouts'
}

export function readResponse(frame: LongFrame): Result<MbusResponse, DecodeFailure> {
  const start = frame.dataOffset
  if ((frame.control & control.answerMask) !== control.respondUserData)
    return refuse('MBUS_CONTROL_FIELD', `Control field ${hexByte(frame.control)} is not that of a meter's answer`, start - 3)
  if (frame.ci === ciField.applicationError) return readApplicationError(frame)
  if (frame.ci === ciField.fixed) return readFixed(frame)
  if (frame.ci === ciField.variable) return readVariable(frame)
  return refuse('MBUS_CI_UNSUPPORTED', `CI field ${hexByte(frame.ci)} is none of 70, 72 and 73`, start - 1)
}

function readApplicationError(frame: LongFrame): Result<MbusResponse, DecodeFailure> {
  const code = frame.data[0] ?? 0
  return refuse('MBUS_APPLICATION_ERROR', `The meter reports: ${applicationErrors[code] ?? `error ${code}`}`, frame.dataOffset)
}

function readFixed(frame: LongFrame): Result<MbusResponse, DecodeFailure> {
  const { data, dataOffset } = frame
  if (data.length < fixedStructureSize)
    return refuse(
      'MBUS_HEADER_TRUNCATED',
      `The fixed data structure has ${fixedStructureSize} bytes, here are ${data.length}`,
      dataOffset + data.length
    )
  if (data.length > fixedStructureSize)
    return refuse(
      'MBUS_TRAILING_BYTES',
      `The fixed data structure has ${fixedStructureSize} bytes, here are ${data.length}`,
      dataOffset + fixedStructureSize
    )
  const { id, medium, access, status, records } = readFixedStructure(data, dataOffset, false)
  return success({ address: frame.address, identity: { id, medium }, access, status, records, moreFollow: false })
}

function readVariable(frame: LongFrame): Result<MbusResponse, DecodeFailure> {
  const { data, dataOffset } = frame
  if (data.length < longHeaderSize)
    return refuse('MBUS_HEADER_TRUNCATED', `The header has ${longHeaderSize} bytes, here are ${data.length}`, dataOffset + data.length)
  const part = (name: keyof typeof longHeader): Uint8Array =>
    data.subarray(longHeader[name].offset, longHeader[name].offset + longHeader[name].size)
  const [low = 0, high = 0] = part('manufacturer')
  const identity = {
    id: identificationText(part('id')),
    manufacturer: manufacturerName(low | (high << 8)),
    version: part('version')[0] ?? 0,
    medium: mediumName(part('medium')[0] ?? 0)
  }
  const body = data.subarray(longHeaderSize)
  const mode = encryptionMode(part('configuration'), body)
  if (mode !== 0)
    return refuse(
      'MBUS_ENCRYPTED',
      `${identity.manufacturer} ${identity.id} encrypts its data (security mode ${mode})`,
      dataOffset + longHeader.configuration.offset
    )
  const records = readRecords(body, dataOffset + longHeaderSize)
  if (!records.ok) return records
  return success({
    address: frame.address,
    identity,
    access: part('access')[0] ?? 0,
    status: part('status')[0] ?? 0,
    records: records.value,
    moreFollow: records.value.at(-1)?.function === 'more-records-follow'
  })
}

/**
 * The security mode that hides the data, or 0. Wired meters were given a "signature" here before the configuration field was
 * defined, and some still fill it with other things: only the modes of EN 13757-7:2018 with blocks to decrypt
 * count, and data that begin with the two idle fillers of a decrypted block are plain.
 */
function encryptionMode(configuration: Uint8Array, body: Uint8Array): number {
  const [low = 0, high = 0] = configuration
  const mode = high & 0x1f
  const blocks = low >> 4
  const known = mode === 5 || mode === 7 || mode === 13
  const plain = body[0] === 0x2f && body[1] === 0x2f
  return known && blocks > 0 && !plain ? mode : 0
}
