import type { Apdu } from './apdu.js'
import type { UserInformation } from './association-fields.js'
import { associationResults, providerDiagnostics, userDiagnostics } from './association-fields.js'
import { conformanceNames } from './conformance.js'
import type { DlmsData } from './data-types.js'
import { formatDate, formatDateTime, formatTime } from './date-time.js'
import { serviceErrors, stateErrors } from './exception.js'
import { dataAccessResults } from './get.js'
import { toHex } from './reader.js'

type Json = null | boolean | string | number | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

const readable = /^[\x20-\x7e]+$/

/** A value as plain JSON. Integers and floats are decimal strings, bytes are hex (with their text where it is readable). */
export function describeData(data: DlmsData): JsonObject {
  switch (data.type) {
    case 'null-data':
    case 'dont-care':
      return { type: data.type, value: null }
    case 'array':
    case 'structure':
    case 'compact-array':
      return { type: data.type, value: data.value.map(describeData) }
    case 'boolean':
    case 'visible-string':
    case 'utf8-string':
      return { type: data.type, value: data.value }
    case 'bit-string':
      return { type: data.type, value: bitText(data.value, data.bits) }
    case 'octet-string': {
      const text = Buffer.from(data.value).toString('latin1')
      return { type: data.type, value: toHex(data.value), ...(readable.test(text) ? { text } : {}) }
    }
    case 'date-time':
      return { type: data.type, value: formatDateTime(data.value), status: data.value.status }
    case 'date':
      return { type: data.type, value: formatDate(data.value) }
    case 'time':
      return { type: data.type, value: formatTime(data.value) }
    default:
      return { type: data.type, value: String(data.value) }
  }
}

function bitText(bytes: Uint8Array, bits: number): string {
  const text = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
  return text.slice(0, bits)
}

function named(names: ReadonlyMap<number, string>, code: number): JsonObject {
  return { code, name: names.get(code) ?? 'not in the standard' }
}

/** An APDU as plain JSON: `{"apdu":"get-response-normal","invoke":193,"data":{"type":"long-unsigned","value":"11"}}`. */
export function describeApdu(apdu: Apdu): JsonObject {
  switch (apdu.apdu) {
    case 'get-request-normal': {
      const { access, ...rest } = apdu
      if (access === undefined) return rest
      return { ...rest, access: { selector: access.selector, parameters: describeData(access.parameters) } }
    }
    case 'get-response-normal': {
      const { result, ...rest } = apdu
      return { ...rest, ...('data' in result ? { data: describeData(result.data) } : { error: named(dataAccessResults, result.error) }) }
    }
    case 'get-response-with-datablock': {
      const { result, ...rest } = apdu
      return { ...rest, ...('raw' in result ? { raw: toHex(result.raw) } : { error: named(dataAccessResults, result.error) }) }
    }
    case 'exception-response': {
      const { stateError, serviceError, ...rest } = apdu
      return { ...rest, stateError: named(stateErrors, stateError), serviceError: named(serviceErrors, serviceError) }
    }
    case 'aare':
      return {
        ...describeFields(apdu),
        result: named(associationResults, apdu.result),
        diagnostic: {
          source: apdu.diagnostic.source,
          ...named(apdu.diagnostic.source === 'service-user' ? userDiagnostics : providerDiagnostics, apdu.diagnostic.value)
        }
      }
    default:
      return describeFields(apdu)
  }
}

/** Flat objects: bytes become hex, the conformance block its names, what is nested is described by itself. */
function describeFields(fields: Apdu | UserInformation): JsonObject {
  const described: Record<string, Json> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Uint8Array) described[name] = toHex(value)
    else if (name === 'conformance' && typeof value === 'number') described[name] = conformanceNames(value)
    else if (name === 'userInformation' && isInformation(value)) described[name] = describeFields(value)
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') described[name] = value
  }
  return described
}

function isInformation(value: unknown): value is UserInformation {
  return typeof value === 'object' && value !== null && 'apdu' in value
}
