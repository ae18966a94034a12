import type { Result } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { readFields, writeFields } from './association.js'
import { type Aare, type Aarq, aareFields, aarqFields, type Rlre, type Rlrq, releaseFields } from './association-fields.js'
import { type CipheredApdu, cipheredTags, readCiphered, writeCiphered } from './ciphered.js'
import { type ExceptionResponse, readExceptionResponse, writeExceptionResponse } from './exception.js'
import { DlmsFault, guarded } from './fault.js'
import {
  type GetRequestNext,
  type GetRequestNormal,
  type GetResponseBlock,
  type GetResponseNormal,
  readGetRequest,
  readGetResponse,
  writeGetRequestNext,
  writeGetRequestNormal,
  writeGetResponseBlock,
  writeGetResponseNormal
} from './get.js'
import {
  type ConfirmedServiceError,
  type InitiateRequest,
  type InitiateResponse,
  readConfirmedServiceError,
  readInitiateRequest,
  readInitiateResponse,
  writeConfirmedServiceError,
  writeInitiateRequest,
  writeInitiateResponse
} from './initiate.js'
import { ByteReader, hexByte } from './reader.js'
import { isService, readService, type ServiceApdu, writeService } from './services.js'
import { ByteWriter } from './writer.js'

/** Every APDU that is spoken here. `apdu` says which. */
export type Apdu =
  | Aarq
  | Aare
  | Rlrq
  | Rlre
  | InitiateRequest
  | InitiateResponse
  | ConfirmedServiceError
  | GetRequestNormal
  | GetRequestNext
  | GetResponseNormal
  | GetResponseBlock
  | ExceptionResponse
  | CipheredApdu
  | ServiceApdu

interface ApduRow {
  readonly tag: number
  readonly name: string
  readonly read?: (reader: ByteReader) => Apdu
}

/** A GET of or for many attributes: the table of services has it. */
function listed(reader: ByteReader): boolean {
  return reader.bytes[reader.offset] === 3
}

/** The first byte of an APDU (Green Book 9.5): what it announces, and how it is read where that is built. */
export const apduTags: readonly ApduRow[] = [
  { tag: 0x01, name: 'initiate-request', read: readInitiateRequest },
  { tag: 0x08, name: 'initiate-response', read: readInitiateResponse },
  { tag: 0x0e, name: 'confirmed-service-error', read: readConfirmedServiceError },
  { tag: 0x0f, name: 'data-notification', read: (reader) => readService(reader, 0x0f) },
  { tag: 0x60, name: 'aarq', read: (reader) => ({ apdu: 'aarq', ...readFields(reader, aarqFields, 'an AARQ') }) },
  { tag: 0x61, name: 'aare', read: (reader) => ({ apdu: 'aare', ...readFields(reader, aareFields, 'an AARE') }) },
  { tag: 0x62, name: 'rlrq', read: (reader) => ({ apdu: 'rlrq', ...readFields(reader, releaseFields, 'an RLRQ') }) },
  { tag: 0x63, name: 'rlre', read: (reader) => ({ apdu: 'rlre', ...readFields(reader, releaseFields, 'an RLRE') }) },
  { tag: 0x7e, name: 'HDLC frame' },
  { tag: 0xc0, name: 'get-request', read: (reader) => (listed(reader) ? readService(reader, 0xc0) : readGetRequest(reader)) },
  { tag: 0xc1, name: 'set-request', read: (reader) => readService(reader, 0xc1) },
  { tag: 0xc2, name: 'event-notification-request', read: (reader) => readService(reader, 0xc2) },
  { tag: 0xc3, name: 'action-request', read: (reader) => readService(reader, 0xc3) },
  { tag: 0xc4, name: 'get-response', read: (reader) => (listed(reader) ? readService(reader, 0xc4) : readGetResponse(reader)) },
  { tag: 0xc5, name: 'set-response', read: (reader) => readService(reader, 0xc5) },
  { tag: 0xc7, name: 'action-response', read: (reader) => readService(reader, 0xc7) },
  { tag: 0xd8, name: 'exception-response', read: readExceptionResponse },
  { tag: 0xd9, name: 'access-request' },
  { tag: 0xda, name: 'access-response' },
  { tag: 0xdd, name: 'general-ciphering' },
  { tag: 0xdf, name: 'general-signing' },
  { tag: 0xe0, name: 'general-block-transfer' },
  { tag: 0xe6, name: 'LLC header of HDLC' },
  ...cipheredTags.map(({ tag, name }) => ({ tag, name, read: (reader: ByteReader) => readCiphered(reader, name) }))
]

const rowsByTag = new Map(apduTags.map((row) => [row.tag, row]))

/** Reads the APDU that fills the rest of the reader. @throws {DlmsFault} */
export function readApdu(reader: ByteReader): Apdu {
  const at = reader.offset
  const tag = reader.u8()
  const row = rowsByTag.get(tag)
  if (row === undefined) throw new DlmsFault('DLMS_TAG', `no APDU begins with ${hexByte(tag)}`, at)
  if (row.read === undefined) throw new DlmsFault('DLMS_UNSUPPORTED', `${row.name} (${hexByte(tag)}) is not read yet`, at)
  const apdu = row.read(reader)
  reader.finish(`the ${apdu.apdu}`)
  return apdu
}

/** One APDU without wrapper. Never throws, whatever the bytes. */
export function decodeApdu(bytes: Uint8Array): Result<Apdu, DecodeFailure> {
  return guarded(() => readApdu(new ByteReader(bytes)))
}

/** @throws {DlmsFault} DLMS_VALUE for a value that its type cannot hold */
export function encodeApdu(apdu: Apdu): Uint8Array {
  const writer = new ByteWriter()
  writeApdu(writer, apdu)
  return writer.finish()
}

function writeApdu(writer: ByteWriter, apdu: Apdu): void {
  switch (apdu.apdu) {
    case 'aarq':
      writeFields(writer.u8(0x60), aarqFields, apdu)
      break
    case 'aare':
      writeFields(writer.u8(0x61), aareFields, apdu)
      break
    case 'rlrq':
      writeFields(writer.u8(0x62), releaseFields, apdu)
      break
    case 'rlre':
      writeFields(writer.u8(0x63), releaseFields, apdu)
      break
    case 'initiate-request':
      writeInitiateRequest(writer.u8(0x01), apdu)
      break
    case 'initiate-response':
      writeInitiateResponse(writer.u8(0x08), apdu)
      break
    case 'confirmed-service-error':
      writeConfirmedServiceError(writer.u8(0x0e), apdu)
      break
    case 'get-request-normal':
      writeGetRequestNormal(writer.u8(0xc0), apdu)
      break
    case 'get-request-next':
      writeGetRequestNext(writer.u8(0xc0), apdu)
      break
    case 'get-response-normal':
      writeGetResponseNormal(writer.u8(0xc4), apdu)
      break
    case 'get-response-with-datablock':
      writeGetResponseBlock(writer.u8(0xc4), apdu)
      break
    case 'exception-response':
      writeExceptionResponse(writer.u8(0xd8), apdu)
      break
    default:
      if (isService(apdu)) writeService(writer, apdu)
      else writeCiphered(writer, apdu)
  }
}
