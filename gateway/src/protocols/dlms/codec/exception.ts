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

/** ServiceError of the Green Book 9.5: categories by their tag, with the values that a client meets. */
const serviceErrorCategories: ReadonlyMap<number, { readonly name: string; readonly values: readonly string[] }> = new Map([
  [
    0,
    {
      name: 'application-reference',
      values: [
        'other',
        'time-elapsed',
        'application-unreachable',
        'reference-invalid',
        'context-unsupported',
        'provider-communication-error',
        'deciphering-error'
      ]
    }
  ],
  [
    1,
    {
      name: 'hardware-resource',
      values: ['other', 'memory-unavailable', 'processor-unavailable', 'mass-storage-unavailable', 'other-resource-unavailable']
    }
  ],
  [2, { name: 'vde-state-error', values: ['other', 'no-dlms-context', 'loading-data-set', 'status-nochange', 'status-inoperable'] }],
  [3, { name: 'service', values: ['other', 'pdu-size', 'service-unsupported'] }],
  [4, { name: 'definition', values: ['other', 'object-undefined', 'object-class-inconsistent', 'object-attribute-inconsistent'] }],
  [5, { name: 'access', values: ['other', 'scope-of-access-violated', 'object-access-invalid', 'hardware-fault', 'object-unavailable'] }],
  [
    6,
    {
      name: 'initiate',
      values: ['other', 'dlms-version-too-low', 'incompatible-conformance', 'pdu-size-too-short', 'refused-by-the-vde-handler']
    }
  ],
  [
    7,
    {
      name: 'load-data-set',
      values: [
        'other',
        'primitive-out-of-sequence',
        'not-loadable',
        'data-set-size-too-large',
        'not-awaited-segment',
        'interpretation-failure',
        'storage-failure',
        'data-set-not-ready'
      ]
    }
  ],
  [9, { name: 'task', values: ['other', 'no-remote-control', 'ti-stopped', 'ti-running', 'ti-unusable'] }]
])

/** A confirmedServiceError in words. */
export function serviceFailure(error: { readonly category: number; readonly value: number }): string {
  const category = serviceErrorCategories.get(error.category)
  if (category === undefined) return `service error ${error.category}/${error.value}`
  return `${category.name}: ${category.values[error.value] ?? error.value}`
}
