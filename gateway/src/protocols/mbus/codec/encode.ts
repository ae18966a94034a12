import type { DeviceIdentity } from '@endeks/domain/metering'
import { authenticationOf, encodeAuthentication, encodedAuthenticationSize } from './authentication.js'
import { aesBlock } from './cmac.js'
import { dataFields } from './data-field.js'
import { encodeDate, type MeterDate } from './date.js'
import { control, encodeLong } from './frame.js'
import { manufacturerCode, mediumCode } from './header.js'
import { recordFunctions } from './record.js'
import { ciField } from './response.js'
import { macOf, sealModeFive, sealModeSeven } from './security.js'
import { longHeaderSize, securityModes } from './transport-header.js'
import { vifOf } from './value-information.js'

/** The value of a record to send, and how it's coded. Sizes are bytes; a text has at most 191 characters of ISO 8859-1. */
export type EncodableValue =
  | { readonly coding: 'integer'; readonly size: 1 | 2 | 3 | 4 | 6 | 8; readonly raw: bigint }
  | { readonly coding: 'bcd'; readonly size: 1 | 2 | 3 | 4 | 6; readonly raw: bigint }
  /** nothing but Fs: a counter that its meter calls invalid */
  | { readonly coding: 'invalid-bcd'; readonly size: 1 | 2 | 3 | 4 | 6 }
  | { readonly coding: 'real'; readonly value: number }
  | { readonly coding: 'text'; readonly text: string }
  | { readonly coding: 'date'; readonly date: Extract<MeterDate, { readonly kind: 'date' | 'date-time' }> }

export interface EncodableRecord {
  readonly quantity: string
  readonly unit: string
  /** power of ten of the unit, as a VIF can say it */
  readonly scaler: number
  readonly function?: (typeof recordFunctions)[number]
  readonly storage?: number
  readonly tariff?: number
  readonly subunit?: number
  readonly value: EncodableValue
}

export interface EncodableResponse {
  readonly address: number
  readonly identity: DeviceIdentity
  readonly access: number
  readonly status: number
  readonly records: readonly EncodableRecord[]
  readonly moreFollow?: boolean
  readonly security?: ResponseSecurity
}

/** How a meter hides its records; `counter` must be another one for every message under a key. */
export type ResponseSecurity =
  | { readonly mode: 5; readonly key: Uint8Array }
  | { readonly mode: 7; readonly key: Uint8Array; readonly counter: number }

/** Bytes that the records of one frame may take: 255 less C, A, CI, the header and the DIF that says more follow. */
export const mostRecordBytes = 255 - 3 - longHeaderSize - 1

/** The same for records that are hidden: whole blocks, the first of which begins with two idle fillers. */
export function mostRecordBytesOf(security: ResponseSecurity | undefined): number {
  if (security === undefined) return mostRecordBytes
  const outside = security.mode === 5 ? 0 : 1 + encodedAuthenticationSize + 1
  return aesBlock * Math.floor((255 - 3 - longHeaderSize - outside) / aesBlock) - 2 - 1
}

const dateTimeVif = 0x6d
const moreRecordsDif = 0x1f
const idleFiller = 0x2f
/** The meter's own key, from which those of the message are derived. */
const derivedByCmac = 0x10

/**
 * A meter's answer with the variable data structure.
 *
 * @throws {RangeError} for what a frame can't hold: a value too large for its size, a unit without a VIF, too many records
 */
export function encodeResponse(response: EncodableResponse): Uint8Array {
  const { identity, security } = response
  if (!/^[0-9A-E]{8}$/.test(identity.id)) throw new RangeError(`"${identity.id}" is not an identification number of eight digits`)
  const manufacturer = manufacturerCode(identity.manufacturer ?? '')
  const id = Buffer.from(identity.id, 'hex').reverse()
  const maker = [manufacturer & 0xff, manufacturer >> 8]
  const device = [identity.version ?? 0, mediumCode(identity.medium ?? 'unknown')]
  const head = [...id, ...maker, ...device, response.access & 0xff, response.status & 0xff]
  const records = response.records.flatMap((record) => Array.from(encodeRecord(record)))
  const end = response.moreFollow === true ? [moreRecordsDif] : []
  if (security === undefined)
    return encodeLong(control.respondUserData, response.address, ciField.variable, Uint8Array.of(...head, 0, 0, ...records, ...end))
  const body = wholeBlocks(records, end)
  const configuration = [(body.length / aesBlock) << 4, security.mode]
  const sealing = { address: Uint8Array.of(...maker, ...id, ...device), access: response.access & 0xff, key: security.key }
  if (security.mode === securityModes.aesCbc) {
    const data = Uint8Array.of(...head, ...configuration, ...sealModeFive(body, sealing))
    return encodeLong(control.respondUserData, response.address, ciField.variable, data)
  }
  const layer = authenticationOf(security.counter)
  const hidden = sealModeSeven(body, sealing, layer.counter)
  const message = Uint8Array.of(ciField.variable, ...head, ...configuration, derivedByCmac, ...hidden)
  const data = Uint8Array.of(...encodeAuthentication(layer, macOf(layer, message, sealing)), ...message)
  return encodeLong(control.respondUserData, response.address, ciField.authentication, data)
}

/** Two idle fillers, the records and as many more fillers as make whole blocks; behind DIF 1F there would be the maker's data. */
function wholeBlocks(records: readonly number[], end: readonly number[]): Uint8Array {
  const used = 2 + records.length + end.length
  const fillers = new Array<number>((aesBlock - (used % aesBlock)) % aesBlock).fill(idleFiller)
  const body = Uint8Array.of(idleFiller, idleFiller, ...records, ...fillers, ...end)
  if (body.length > 15 * aesBlock) throw new RangeError(`${records.length} bytes of records do not fit into 15 blocks`)
  return body
}

/** @throws {RangeError} when the value doesn't fit its size or no VIF says its quantity, unit and scaler */
export function encodeRecord(record: EncodableRecord): Uint8Array {
  const { field, bytes } = encodeValue(record.value)
  const vif =
    record.value.coding === 'date' && record.value.date.kind === 'date-time'
      ? Uint8Array.of(dateTimeVif)
      : vifOf(record.quantity, record.unit, record.scaler)
  if (vif === undefined) throw new RangeError(`No VIF says ${record.quantity} in 10^${record.scaler} ${record.unit}`)
  return Uint8Array.of(...encodeHead(record, field), ...vif, ...bytes)
}

function encodeHead(record: EncodableRecord, field: number): number[] {
  const { storage = 0, tariff = 0, subunit = 0 } = record
  const first = field | (recordFunctions.indexOf(record.function ?? 'instantaneous') << 4) | ((storage % 2) << 6)
  const bytes = [first]
  let rest = { storage: Math.floor(storage / 2), tariff, subunit }
  while (rest.storage > 0 || rest.tariff > 0 || rest.subunit > 0) {
    if (bytes.length > 10) throw new RangeError(`Storage ${storage}, tariff ${tariff} or subunit ${subunit} is too large`)
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) | 0x80
    bytes.push((rest.storage % 16) | ((rest.tariff % 4) << 4) | ((rest.subunit % 2) << 6))
    rest = { storage: Math.floor(rest.storage / 16), tariff: Math.floor(rest.tariff / 4), subunit: Math.floor(rest.subunit / 2) }
  }
  return bytes
}

function encodeValue(value: EncodableValue): { readonly field: number; readonly bytes: Uint8Array } {
  if (value.coding === 'integer') return { field: fieldOf('integer', value.size), bytes: integerBytes(value.raw, value.size) }
  if (value.coding === 'bcd') return { field: fieldOf('bcd', value.size), bytes: bcdBytes(value.raw, value.size) }
  if (value.coding === 'invalid-bcd') return { field: fieldOf('bcd', value.size), bytes: new Uint8Array(value.size).fill(0xff) }
  if (value.coding === 'text') return { field: fieldOf('variable', 0), bytes: textBytes(value.text) }
  if (value.coding === 'date') {
    const bytes = encodeDate(value.date)
    return { field: fieldOf('integer', bytes.length), bytes }
  }
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setFloat32(0, value.value, true)
  return { field: fieldOf('real', 4), bytes }
}

function fieldOf(type: (typeof dataFields)[number]['type'], size: number): number {
  return dataFields.findIndex((field) => field.type === type && field.size === size)
}

/** The most negative number is left out: it means "not valid". */
function integerBytes(raw: bigint, size: number): Uint8Array {
  const limit = 1n << BigInt(8 * size - 1)
  if (raw >= limit || raw <= -limit) throw new RangeError(`${raw} does not fit into ${size} bytes`)
  const bytes = new Uint8Array(size)
  for (let index = 0; index < size; index++) bytes[index] = Number((raw >> BigInt(8 * index)) & 0xffn)
  return bytes
}

function bcdBytes(raw: bigint, size: number): Uint8Array {
  const digits = raw < 0n ? `f${(-raw).toString().padStart(2 * size - 1, '0')}` : raw.toString().padStart(2 * size, '0')
  if (digits.length > 2 * size) throw new RangeError(`${raw} does not fit into ${2 * size} digits`)
  return Uint8Array.from(Buffer.from(digits, 'hex').reverse())
}

function textBytes(text: string): Uint8Array {
  if (text.length > 0xbf) throw new RangeError(`A text has at most ${0xbf} characters, not ${text.length}`)
  return Uint8Array.of(text.length, ...Buffer.from(text, 'latin1').reverse())
}
