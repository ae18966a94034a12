import type { DeviceIdentity } from '@endeks/domain/metering'
import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { refuse } from './failure.js'
import { identificationText, manufacturerCode, manufacturerName, mediumCode } from './header.js'

/**
 * Whom a selection means (EN 13757-7:2018, secondary addressing): a meter by what it says of itself. F in place of a digit stands
 * for any digit, and a part left out for any maker, version or medium.
 */
export interface SecondaryAddress {
  /** eight digits as printed on the dial */
  readonly id: string
  readonly manufacturer?: string
  readonly version?: number
  /** device type code, such as 6 for warm water */
  readonly medium?: number
}

const byte = '(?:\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-4])'
/** Digits above 9 are no BCD, yet some meters have them; F is left to searches. */
const text = new RegExp(`^([0-9A-E]{8})(?:\\.([A-Z]{3}|\\*)(?:\\.(${byte}|\\*)(?:\\.(${byte}|\\*))?)?)?$`)
/** What a site file may give as a secondary address: `12345678`, or more of it such as `12345678.KAM.27.6`; `*` is any. */
export const secondaryPattern: RegExp = text

const makerText = /^[A-Z]{3}$/

export const selectionSize = 8
const anyByte = 0xff

/** @returns undefined for a text that is none */
export function parseSecondary(address: string): SecondaryAddress | undefined {
  const parts = text.exec(address)
  if (parts === null) return undefined
  const [, id = '', manufacturer = '*', version = '*', medium = '*'] = parts
  return {
    id,
    ...(manufacturer === '*' ? {} : { manufacturer }),
    ...(version === '*' ? {} : { version: Number(version) }),
    ...(medium === '*' ? {} : { medium: Number(medium) })
  }
}

/** The shortest text that `parseSecondary` reads back. */
export function formatSecondary({ id, manufacturer, version, medium }: SecondaryAddress): string {
  const parts = [id, manufacturer ?? '*', version ?? '*', medium ?? '*']
  while (parts.at(-1) === '*') parts.pop()
  return parts.join('.')
}

/**
 * The address that selects this meter alone, as far as it said who it is. What no selection can name is left to be any: a maker
 * that is not three letters, and FF for a version or medium.
 */
export function secondaryOf(identity: DeviceIdentity): SecondaryAddress {
  const { id, manufacturer, version, medium } = identity
  // A meter that names no maker answered with the fixed structure, whose medium is coded otherwise than a selection.
  if (manufacturer === undefined) return { id }
  const code = medium === undefined ? anyByte : mediumCode(medium)
  return {
    id,
    ...(makerText.test(manufacturer) ? { manufacturer } : {}),
    ...(version === undefined || version === anyByte ? {} : { version }),
    ...(code === anyByte ? {} : { medium: code })
  }
}

/** The eight bytes of a selection behind CI 52: number, maker, version, medium, each with its low byte first. */
export function encodeSelection(address: SecondaryAddress): Uint8Array {
  const maker = address.manufacturer === undefined ? 0xffff : manufacturerCode(address.manufacturer)
  return Uint8Array.of(
    ...Buffer.from(address.id, 'hex').reverse(),
    maker & 0xff,
    maker >> 8,
    address.version ?? anyByte,
    address.medium ?? anyByte
  )
}

/** @param offset of `data` in the frame */
export function readSelection(data: Uint8Array, offset: number): Result<SecondaryAddress, DecodeFailure> {
  if (data.length < selectionSize)
    return refuse('MBUS_HEADER_TRUNCATED', `A selection has ${selectionSize} bytes, here are ${data.length}`, offset + data.length)
  const [low = 0, high = 0, version = 0, medium = 0] = data.subarray(4)
  const maker = low | (high << 8)
  return success({
    id: identificationText(data.subarray(0, 4)),
    ...(maker === 0xffff ? {} : { manufacturer: manufacturerName(maker) }),
    ...(version === anyByte ? {} : { version }),
    ...(medium === anyByte ? {} : { medium })
  })
}

/** Whether a selection means this device; what a device does not say of itself is no contradiction. */
export function isSelected(address: SecondaryAddress, identity: DeviceIdentity): boolean {
  const { manufacturer, version, medium } = identity
  const digits = Array.from(address.id).every((digit, index) => digit === 'F' || digit === identity.id[index])
  const fixed = manufacturer === undefined
  return (
    digits &&
    (fixed || address.manufacturer === undefined || address.manufacturer === manufacturer) &&
    (version === undefined || address.version === undefined || address.version === version) &&
    (fixed || medium === undefined || address.medium === undefined || address.medium === mediumCode(medium))
  )
}
