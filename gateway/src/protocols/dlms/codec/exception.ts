import { DlmsFault } from './fault.js'
import type { ByteReader } from './reader.js'
import type { ByteWriter } from './writer.js'

/** What a server answers when it cannot even name the service's own error (Green Book 9.5, ExceptionResponse). */
export interface ExceptionResponse {
  readonly apdu: 'exception-response'
  readonly stateError: number
  readonly serviceError: number
  /** only with service error 6: the counter that the server expects at least */
  readonly invocationCounter?: number
}

export const stateErrors: ReadonlyMap<number, string> = new Map([
  [1, 'service-not-allowed'],
  [2, 'service-unknown']
])

export const serviceErrors: ReadonlyMap<number, string> = new Map([
  [1, 'operation-not-possible'],
  [2, 'service-not-supported'],
  [3, 'other-reason'],
  [4, 'pdu-too-long'],
  [5, 'deciphering-error'],
  [6, 'invocation-counter-error']
])

const invocationCounterError = 6

export function readExceptionResponse(reader: ByteReader): ExceptionResponse {
  const at = reader.offset
  const stateError = reader.u8()
  const serviceError = reader.u8()
  if (!stateErrors.has(stateError) || !serviceErrors.has(serviceError)) {
    throw new DlmsFault('DLMS_TAG', `${stateError}, ${serviceError} are not errors of an exception-response`, at)
  }
  const counter = serviceError === invocationCounterError ? { invocationCounter: reader.u32() } : {}
  return { apdu: 'exception-response', stateError, serviceError, ...counter }
}

export function writeExceptionResponse(writer: ByteWriter, response: ExceptionResponse): void {
  writer.u8(response.stateError).u8(response.serviceError)
  if (response.serviceError === invocationCounterError) writer.u32(response.invocationCounter ?? 0)
}
