import { DlmsFault } from './fault.js'
import type { ByteReader } from './reader.js'
import type { ByteWriter } from './writer.js'

/** What the client proposes inside an AARQ (Green Book 9.5, InitiateRequest). */
export interface InitiateRequest {
  readonly apdu: 'initiate-request'
  readonly dedicatedKey?: Uint8Array
  readonly responseAllowed: boolean
  readonly qualityOfService?: number
  readonly dlmsVersion: number
  /** 24 bits, see `conformanceBits` */
  readonly conformance: number
  /** longest APDU that the client takes; 0 means no limit */
  readonly maxPduSize: number
}

/** What the server grants inside an AARE. */
export interface InitiateResponse {
  readonly apdu: 'initiate-response'
  readonly qualityOfService?: number
  readonly dlmsVersion: number
  readonly conformance: number
  readonly maxPduSize: number
  /** 7 for logical names, 0xFA00 for short names */
  readonly vaaName: number
}

/** Why the server refused at the level of xDLMS: service, category and value of `ServiceError`. */
export interface ConfirmedServiceError {
  readonly apdu: 'confirmed-service-error'
  readonly service: number
  readonly category: number
  readonly value: number
}

export const dlmsVersion = 6
export const vaaNameForLogicalNames = 7

function readFlag(reader: ByteReader, what: string): boolean {
  const at = reader.offset
  const flag = reader.u8()
  if (flag > 1) throw new DlmsFault('DLMS_VALUE', `the presence flag of ${what} is ${flag}, not 0 or 1`, at)
  return flag === 1
}

function readConformance(reader: ByteReader): number {
  reader.expect(0x5f, 'a conformance block')
  // [APPLICATION 31] takes two identifier bytes in BER; old meters leave out the second.
  const at = reader.offset
  const next = reader.u8()
  const size = next === 0x1f ? reader.u8() : next
  if (size !== 4) throw new DlmsFault('DLMS_LENGTH', `a conformance block has 4 bytes, not ${size}`, at)
  reader.expect(0, 'the bit string of a conformance block')
  return reader.u24()
}

function writeConformance(writer: ByteWriter, block: number): ByteWriter {
  return writer.u8(0x5f).u8(0x1f).u8(4).u8(0).u24(block)
}

export function readInitiateRequest(reader: ByteReader): InitiateRequest {
  const dedicatedKey = readFlag(reader, 'dedicated-key') ? { dedicatedKey: reader.take(reader.length()) } : {}
  const responseAllowed = readFlag(reader, 'response-allowed') ? reader.u8() !== 0 : true
  const quality = readFlag(reader, 'proposed-quality-of-service') ? { qualityOfService: reader.i8() } : {}
  return {
    apdu: 'initiate-request',
    ...dedicatedKey,
    responseAllowed,
    ...quality,
    dlmsVersion: reader.u8(),
    conformance: readConformance(reader),
    maxPduSize: reader.u16()
  }
}

export function writeInitiateRequest(writer: ByteWriter, request: InitiateRequest): void {
  if (request.dedicatedKey === undefined) writer.u8(0)
  else writer.u8(1).counted(request.dedicatedKey)
  // DEFAULT TRUE is left out (IEC 61334-6, 6.9).
  if (request.responseAllowed) writer.u8(0)
  else writer.u8(1).u8(0)
  if (request.qualityOfService === undefined) writer.u8(0)
  else writer.u8(1).u8(request.qualityOfService)
  writeConformance(writer.u8(request.dlmsVersion), request.conformance).u16(request.maxPduSize)
}

export function readInitiateResponse(reader: ByteReader): InitiateResponse {
  const quality = readFlag(reader, 'negotiated-quality-of-service') ? { qualityOfService: reader.i8() } : {}
  return {
    apdu: 'initiate-response',
    ...quality,
    dlmsVersion: reader.u8(),
    conformance: readConformance(reader),
    maxPduSize: reader.u16(),
    vaaName: reader.u16()
  }
}

export function writeInitiateResponse(writer: ByteWriter, response: InitiateResponse): void {
  if (response.qualityOfService === undefined) writer.u8(0)
  else writer.u8(1).u8(response.qualityOfService)
  writeConformance(writer.u8(response.dlmsVersion), response.conformance).u16(response.maxPduSize).u16(response.vaaName)
}

export function readConfirmedServiceError(reader: ByteReader): ConfirmedServiceError {
  return { apdu: 'confirmed-service-error', service: reader.u8(), category: reader.u8(), value: reader.u8() }
}

export function writeConfirmedServiceError(writer: ByteWriter, error: ConfirmedServiceError): void {
  writer.u8(error.service).u8(error.category).u8(error.value)
}
