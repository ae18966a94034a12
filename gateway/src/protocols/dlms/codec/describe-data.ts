import type { DlmsData } from './data-types.js'
import { formatDate, formatDateTime, formatTime } from './date-time.js'
import { toHex } from './reader.js'

export type Json = null | boolean | string | number | readonly Json[] | { readonly [key: string]: Json }
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

/** A code of the standard with its name. */
export function named(names: ReadonlyMap<number, string>, code: number): JsonObject {
  return { code, name: names.get(code) ?? 'not in the standard' }
}
