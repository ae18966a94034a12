import type { DeviceIdentity } from '@endeks/domain/metering'
import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { hexByte, refuse } from './failure.js'
import { fixedStructureSize, readFixedStructure } from './fixed-structure.js'
import { control, type LongFrame } from './frame.js'
import { type MbusRecord, readRecords } from './record.js'
import { openBody } from './security.js'
import { type HeaderKind, readTransportHeader } from './transport-header.js'

/** CI fields that an encoder writes (EN 13757-7:2018). */
export const ciField = { variable: 0x72, fixed: 0x73 } as const

type Content = 'records' | 'counters' | 'error'

interface CiMeaning {
  readonly content: Content
  readonly header: HeaderKind
  /** mode 2 of the editions before 2013: the high byte of every number comes first */
  readonly highByteFirst: boolean
}

/** CI fields of a meter's answers (EN 13757-7:2018; 76 and 77 are EN 1434-3's). */
const ciMeanings: Readonly<Record<number, CiMeaning>> = {
  110: { content: 'error', header: 'short', highByteFirst: false },
  111: { content: 'error', header: 'long', highByteFirst: false },
  112: { content: 'error', header: 'none', highByteFirst: false },
  114: { content: 'records', header: 'long', highByteFirst: false },
  115: { content: 'counters', header: 'none', highByteFirst: false },
  118: { content: 'records', header: 'long', highByteFirst: true },
  119: { content: 'counters', header: 'none', highByteFirst: true },
  120: { content: 'records', header: 'none', highByteFirst: false },
  122: { content: 'records', header: 'short', highByteFirst: false }
}

/** What a meter said in one frame. */
export interface MbusResponse {
  readonly address: number
  /** who speaks; a short header and none leave that to the link */
  readonly identity?: DeviceIdentity
  readonly access: number
  readonly status: number
  readonly records: readonly MbusRecord[]
  /** DIF 1F: the rest comes with the next request */
  readonly moreFollow: boolean
  /** the security mode by which the records were hidden; 0 for plain ones */
  readonly securityMode: number
}

/** Application errors (EN 13757-3:2013, 4.6); the codes of later editions are shown by their number. */
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

/** @param key of the meter, for data that are encrypted */
export function readResponse(frame: LongFrame, key?: Uint8Array): Result<MbusResponse, DecodeFailure> {
  const start = frame.dataOffset
  if ((frame.control & control.answerMask) !== control.respondUserData)
    return refuse('MBUS_CONTROL_FIELD', `Control field ${hexByte(frame.control)} is not that of a meter's answer`, start - 3)
  const meaning = ciMeanings[frame.ci]
  if (meaning === undefined)
    return refuse(
      'MBUS_CI_UNSUPPORTED',
      `CI field ${hexByte(frame.ci)} is none of ${Object.keys(ciMeanings).map(Number).map(hexByte).join(', ')}`,
      start - 1
    )
  if (meaning.content === 'counters') return readCounters(frame, meaning)
  const header = readTransportHeader(meaning.header, frame.data, { offset: start, highByteFirst: meaning.highByteFirst })
  if (!header.ok) return header
  const place = { offset: start + header.value.size, key }
  const opened = openBody(header.value, frame.data.subarray(header.value.size), place)
  if (!opened.ok) return opened
  const { body, mode } = opened.value
  if (meaning.content === 'error') return applicationError(body, place.offset)
  const records = readRecords(body, place.offset, meaning.highByteFirst)
  if (!records.ok) return records
  const { identity, access, status } = header.value
  return success({
    address: frame.address,
    ...(identity === undefined ? {} : { identity }),
    access,
    status,
    records: records.value,
    moreFollow: records.value.at(-1)?.function === 'more-records-follow',
    securityMode: mode
  })
}

function applicationError(body: Uint8Array, offset: number): Result<never, DecodeFailure> {
  const code = body[0] ?? 0
  return refuse('MBUS_APPLICATION_ERROR', `The meter reports: ${applicationErrors[code] ?? `error ${code}`}`, offset)
}

function readCounters(frame: LongFrame, meaning: CiMeaning): Result<MbusResponse, DecodeFailure> {
  const { data, dataOffset } = frame
  const message = `The fixed data structure has ${fixedStructureSize} bytes, here are ${data.length}`
  if (data.length < fixedStructureSize) return refuse('MBUS_HEADER_TRUNCATED', message, dataOffset + data.length)
  if (data.length > fixedStructureSize) return refuse('MBUS_TRAILING_BYTES', message, dataOffset + fixedStructureSize)
  const { id, medium, access, status, records } = readFixedStructure(data, dataOffset, meaning.highByteFirst)
  return success({ address: frame.address, identity: { id, medium }, access, status, records, moreFollow: false, securityMode: 0 })
}
