import type { DeviceIdentity } from '@endeks/domain/metering'
import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { readAuthentication } from './authentication.js'
import { hexByte, refuse } from './failure.js'
import { fixedStructureSize, readFixedStructure } from './fixed-structure.js'
import { control, type LongFrame } from './frame.js'
import { type MbusRecord, readAlarm, readRecords } from './record.js'
import { type Authentication, openBody } from './security.js'
import { type HeaderKind, readTransportHeader } from './transport-header.js'

/** CI fields that an encoder writes (EN 13757-7:2018). */
export const ciField = { variable: 0x72, fixed: 0x73, authentication: 0x90 } as const

type Content = 'records' | 'counters' | 'error' | 'alarm'

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
  113: { content: 'alarm', header: 'none', highByteFirst: false },
  114: { content: 'records', header: 'long', highByteFirst: false },
  115: { content: 'counters', header: 'none', highByteFirst: false },
  116: { content: 'alarm', header: 'short', highByteFirst: false },
  117: { content: 'alarm', header: 'long', highByteFirst: false },
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
  /** a MAC proved that it comes from the holder of the meter's key */
  readonly authenticated: boolean
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
  const message = messageIn(frame)
  return message.ok ? readMessage(message.value, key) : message
}

/** Who sent an answer, as far as it says so and whether or not the rest of it can be read. */
export function readIdentity(frame: LongFrame): DeviceIdentity | undefined {
  const message = messageIn(frame)
  if (!message.ok) return undefined
  const { ci, data, offset } = message.value
  const meaning = ciMeanings[ci]
  if (meaning?.content === 'counters') {
    const counters = readCounters(message.value, meaning)
    return counters.ok ? counters.value.identity : undefined
  }
  if (meaning?.header !== 'long') return undefined
  const header = readTransportHeader('long', data, { offset, highByteFirst: meaning.highByteFirst })
  return header.ok ? header.value.identity : undefined
}

/** The transport layer of an answer, which may stand behind an authentication layer. */
function messageIn(frame: LongFrame): Result<Message, DecodeFailure> {
  const { address, ci, data, dataOffset: offset } = frame
  if ((frame.control & control.answerMask) !== control.respondUserData)
    return refuse('MBUS_CONTROL_FIELD', `Control field ${hexByte(frame.control)} is not that of a meter's answer`, offset - 3)
  if (ci !== ciField.authentication) return success({ address, ci, data, offset, authentication: undefined })
  const layer = readAuthentication(data, offset)
  if (!layer.ok) return layer
  const message = data.subarray(layer.value.size)
  const inner = message[0]
  if (inner === undefined) return refuse('MBUS_HEADER_TRUNCATED', 'Behind the authentication layer comes no CI field', offset + data.length)
  const authentication = { layer: layer.value, message }
  return success({ address, ci: inner, data: message.subarray(1), offset: offset + layer.value.size + 1, authentication })
}

/** A transport layer and what it carries. Spelt out wherever it is made: spreading one took half of the time of a frame. */
interface Message {
  readonly address: number
  readonly ci: number
  /** behind the CI field */
  readonly data: Uint8Array
  /** of `data` in the frame */
  readonly offset: number
  readonly authentication: Authentication | undefined
}

function readMessage(message: Message, key: Uint8Array | undefined): Result<MbusResponse, DecodeFailure> {
  const { data, offset: start, ci, authentication } = message
  const meaning = ciMeanings[ci]
  if (meaning === undefined)
    return refuse(
      'MBUS_CI_UNSUPPORTED',
      `CI field ${hexByte(ci)} is none of ${Object.keys(ciMeanings).map(Number).map(hexByte).join(', ')}`,
      start - 1
    )
  if (meaning.content === 'counters') return readCounters(message, meaning)
  const header = readTransportHeader(meaning.header, data, { offset: start, highByteFirst: meaning.highByteFirst })
  if (!header.ok) return header
  const offset = start + header.value.size
  const opened = openBody(header.value, data.subarray(header.value.size), { offset, key, authentication })
  if (!opened.ok) return opened
  const { body, mode, authenticated } = opened.value
  if (meaning.content === 'error') return applicationError(body, offset)
  const records = meaning.content === 'alarm' ? readAlarm(body, offset) : readRecords(body, offset, meaning.highByteFirst)
  if (!records.ok) return records
  const { identity, access, status } = header.value
  return success({
    address: message.address,
    ...(identity === undefined ? {} : { identity }),
    access,
    status,
    records: records.value,
    moreFollow: records.value.at(-1)?.function === 'more-records-follow',
    securityMode: mode,
    authenticated
  })
}

function applicationError(body: Uint8Array, offset: number): Result<never, DecodeFailure> {
  const code = body[0] ?? 0
  return refuse('MBUS_APPLICATION_ERROR', `The meter reports: ${applicationErrors[code] ?? `error ${code}`}`, offset)
}

function readCounters({ address, data, offset }: Message, meaning: CiMeaning): Result<MbusResponse, DecodeFailure> {
  const message = `The fixed data structure has ${fixedStructureSize} bytes, here are ${data.length}`
  if (data.length < fixedStructureSize) return refuse('MBUS_HEADER_TRUNCATED', message, offset + data.length)
  if (data.length > fixedStructureSize) return refuse('MBUS_TRAILING_BYTES', message, offset + fixedStructureSize)
  const { id, medium, access, status, records } = readFixedStructure(data, offset, meaning.highByteFirst)
  const plain = { moreFollow: false, securityMode: 0, authenticated: false }
  return success({ address, identity: { id, medium }, access, status, records, ...plain })
}
