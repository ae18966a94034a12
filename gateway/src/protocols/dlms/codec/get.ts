import type { Obis } from '@endeks/domain/metering'
import type { DlmsData } from './data-types.js'
import { readData } from './decode-data.js'
import { writeData } from './encode-data.js'
import { DlmsFault } from './fault.js'
import { logicalNameBytes, readLogicalName } from './logical-name.js'
import { type ByteReader, hexByte } from './reader.js'
import type { ByteWriter } from './writer.js'

/** An attribute of a COSEM object: Cosem-Attribute-Descriptor. */
export interface AttributeReference {
  readonly class: number
  readonly obis: Obis
  readonly attribute: number
}

export interface SelectiveAccess {
  readonly selector: number
  readonly parameters: DlmsData
}

export interface GetRequestNormal extends AttributeReference {
  readonly apdu: 'get-request-normal'
  /** Invoke-Id-And-Priority: low four bits the id, 0x40 confirmed, 0x80 high priority */
  readonly invoke: number
  readonly access?: SelectiveAccess
}

export interface GetRequestNext {
  readonly apdu: 'get-request-next'
  readonly invoke: number
  readonly block: number
}

export interface GetResponseNormal {
  readonly apdu: 'get-response-normal'
  readonly invoke: number
  readonly result: { readonly data: DlmsData } | { readonly error: number }
}

export interface GetResponseBlock {
  readonly apdu: 'get-response-with-datablock'
  readonly invoke: number
  readonly last: boolean
  readonly block: number
  /** a piece of the encoded value; pieces are cut anywhere, also inside a number */
  readonly result: { readonly raw: Uint8Array } | { readonly error: number }
}

/** Data-Access-Result of the Green Book 9.5. */
export const dataAccessResults: ReadonlyMap<number, string> = new Map([
  [0, 'success'],
  [1, 'hardware-fault'],
  [2, 'temporary-failure'],
  [3, 'read-write-denied'],
  [4, 'object-undefined'],
  [9, 'object-class-inconsistent'],
  [11, 'object-unavailable'],
  [12, 'type-unmatched'],
  [13, 'scope-of-access-violated'],
  [14, 'data-block-unavailable'],
  [15, 'long-get-aborted'],
  [16, 'no-long-get-in-progress'],
  [17, 'long-set-aborted'],
  [18, 'no-long-set-in-progress'],
  [19, 'data-block-number-invalid'],
  [250, 'other-reason']
])

export const accessResult = {
  hardwareFault: 1,
  readWriteDenied: 3,
  objectUndefined: 4,
  objectClassInconsistent: 9,
  typeUnmatched: 12,
  scopeOfAccessViolated: 13,
  noLongGetInProgress: 16,
  dataBlockNumberInvalid: 19,
  otherReason: 250
} as const

/** Bits of Invoke-Id-And-Priority. */
export const invokeBits = { id: 0x0f, confirmed: 0x40, highPriority: 0x80 } as const

/** A CHOICE of two that A-XDR numbers 0 and 1. */
export function readChoice(reader: ByteReader, what: string): 0 | 1 {
  const at = reader.offset
  const choice = reader.u8()
  if (choice !== 0 && choice !== 1) throw new DlmsFault('DLMS_TAG', `${what} is chosen by 0 or 1, not ${hexByte(choice)}`, at)
  return choice
}

export function readAttribute(reader: ByteReader): AttributeReference {
  return { class: reader.u16(), obis: readLogicalName(reader), attribute: reader.i8() }
}

export function writeAttribute(writer: ByteWriter, reference: AttributeReference): ByteWriter {
  return writer.u16(reference.class).raw(logicalNameBytes(reference.obis)).u8(reference.attribute)
}

export function readGetRequest(reader: ByteReader): GetRequestNormal | GetRequestNext {
  const at = reader.offset
  const kind = reader.u8()
  const invoke = reader.u8()
  if (kind === 1) {
    const reference = readAttribute(reader)
    if (readChoice(reader, 'the access selection') === 0) return { apdu: 'get-request-normal', invoke, ...reference }
    return { apdu: 'get-request-normal', invoke, ...reference, access: { selector: reader.u8(), parameters: readData(reader) } }
  }
  if (kind === 2) return { apdu: 'get-request-next', invoke, block: reader.u32() }
  throw unknownKind('GET request', kind, at)
}

export function readGetResponse(reader: ByteReader): GetResponseNormal | GetResponseBlock {
  const at = reader.offset
  const kind = reader.u8()
  const invoke = reader.u8()
  if (kind === 1) {
    const result = readChoice(reader, 'the result') === 0 ? { data: readData(reader) } : { error: reader.u8() }
    return { apdu: 'get-response-normal', invoke, result }
  }
  if (kind === 2) {
    const last = readChoice(reader, 'last-block') === 1
    const block = reader.u32()
    const result = readChoice(reader, 'the result') === 0 ? { raw: reader.take(reader.length()) } : { error: reader.u8() }
    return { apdu: 'get-response-with-datablock', invoke, last, block, result }
  }
  throw unknownKind('GET response', kind, at)
}

function unknownKind(what: string, kind: number, at: number): DlmsFault {
  return new DlmsFault('DLMS_TAG', `${kind} is not a kind of ${what}`, at)
}

export function writeGetRequestNormal(writer: ByteWriter, request: GetRequestNormal): void {
  writeAttribute(writer.u8(1).u8(request.invoke), request)
  if (request.access === undefined) writer.u8(0)
  else writeData(writer.u8(1).u8(request.access.selector), request.access.parameters)
}

export function writeGetRequestNext(writer: ByteWriter, request: GetRequestNext): void {
  writer.u8(2).u8(request.invoke).u32(request.block)
}

export function writeGetResponseNormal(writer: ByteWriter, response: GetResponseNormal): void {
  writer.u8(1).u8(response.invoke)
  if ('data' in response.result) writeData(writer.u8(0), response.result.data)
  else writer.u8(1).u8(response.result.error)
}

export function writeGetResponseBlock(writer: ByteWriter, response: GetResponseBlock): void {
  writer
    .u8(2)
    .u8(response.invoke)
    .u8(response.last ? 1 : 0)
    .u32(response.block)
  if ('raw' in response.result) writer.u8(0).counted(response.result.raw)
  else writer.u8(1).u8(response.result.error)
}
