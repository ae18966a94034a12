import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { hexByte, refuse } from './failure.js'

/**
 * The authentication and fragmentation layer (EN 13757-7:2018, clause 6): it stands between link and transport layer, and its own
 * length makes room for editions to come.
 */
export interface AuthenticationLayer {
  /** all bytes of the layer, its CI field left out */
  readonly size: number
  /** AFL.MCL: what is authenticated and how */
  readonly control?: number
  /** AFL.MCR, low byte first: it makes the keys of a message */
  readonly counter?: Uint8Array
  readonly mac?: Uint8Array
  /** AFL.ML, low byte first; it is part of what the MAC covers */
  readonly messageLength?: Uint8Array
}

/** Bits of the fragmentation control field, AFL.FCL: which of the other fields are there. */
const has = { moreFragments: 0x4000, control: 0x2000, messageLength: 0x1000, counter: 0x0800, mac: 0x0400, keyInformation: 0x0200 } as const

/** Bytes of the MAC by authentication type, the lower half of AFL.MCL: AES-CMAC-128 cut to 2, 4, 8, 12 and 16 bytes. */
const macSizes: Readonly<Record<number, number>> = { 3: 2, 4: 4, 5: 8, 6: 12, 7: 16 }
const controlWithCounterAndMac = 0x25
const lengthSize = 1
const fieldsStart = lengthSize + 2

/** Bytes of the layer that `encodeAuthentication` writes: length, control field, AFL.MCL, counter and a MAC of eight bytes. */
export const encodedAuthenticationSize = 16

/**
 * @param data behind the CI field 90
 * @param offset of `data` in the frame
 */
export function readAuthentication(data: Uint8Array, offset: number): Result<AuthenticationLayer, DecodeFailure> {
  const size = lengthSize + (data[0] ?? 0)
  const cut = (): Result<never, DecodeFailure> =>
    refuse('MBUS_HEADER_TRUNCATED', `The authentication layer ends in the middle of a field`, offset + Math.min(size, data.length))
  if (data.length < size || size < fieldsStart) return cut()
  const fields = (data[1] ?? 0) | ((data[2] ?? 0) << 8)
  if ((fields & has.moreFragments) !== 0 || (fields & 0xff) > 1)
    return refuse('MBUS_FRAGMENTED', 'The message comes in several fragments, which are not put together', offset + lengthSize)
  let at = fieldsStart
  const take = (flag: number, length: number): Uint8Array | undefined => {
    if ((fields & flag) === 0) return undefined
    at += length
    return data.subarray(at - length, at)
  }
  const control = take(has.control, 1)?.[0]
  take(has.keyInformation, 2)
  const counter = take(has.counter, 4)
  const macSize = macSizes[(control ?? 0) & 0x0f]
  if ((fields & has.mac) !== 0 && macSize === undefined)
    return refuse('MBUS_MAC', `Authentication type ${hexByte((control ?? 0) & 0x0f)} is none of AES-CMAC-128`, offset + fieldsStart)
  const mac = take(has.mac, macSize ?? 0)
  const messageLength = take(has.messageLength, 2)
  if (at > size) return cut()
  return success({
    size,
    ...(control === undefined ? {} : { control }),
    ...(counter === undefined ? {} : { counter }),
    ...(mac === undefined ? {} : { mac }),
    ...(messageLength === undefined ? {} : { messageLength })
  })
}

/** What the MAC is made of: AFL.MCL, AFL.MCR, AFL.ML, and the message from the next CI field on (EN 13757-7:2018, 6.3). */
export function authenticatedBytes(layer: AuthenticationLayer, message: Uint8Array): Uint8Array {
  return Uint8Array.of(layer.control ?? 0, ...(layer.counter ?? []), ...(layer.messageLength ?? []), ...message)
}

/** A layer with a counter of four bytes and a MAC of eight: security profile B of the Open Metering System. */
export function authenticationOf(counter: number): AuthenticationLayer & { readonly counter: Uint8Array } {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, counter, true)
  return { size: encodedAuthenticationSize, control: controlWithCounterAndMac, counter: bytes }
}

/** The bytes of a layer made by `authenticationOf`, behind the CI field. */
export function encodeAuthentication(layer: AuthenticationLayer, mac: Uint8Array): Uint8Array {
  const fields = has.control | has.counter | has.mac
  const rest = [fields & 0xff, fields >> 8, layer.control ?? 0, ...(layer.counter ?? []), ...mac.subarray(0, 8)]
  return Uint8Array.of(rest.length, ...rest)
}
