import type { DeviceIdentity } from '@endeks/domain/metering'
import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { refuse } from './failure.js'
import { identificationText, manufacturerName, mediumName } from './header.js'

interface Part {
  readonly offset: number
  readonly size: number
}

/** The long header (EN 13757-7:2018; EN 13757-3:2013, 4.9): where each part stands and how many bytes it has. */
export const longHeader = {
  id: { offset: 0, size: 4 },
  manufacturer: { offset: 4, size: 2 },
  version: { offset: 6, size: 1 },
  medium: { offset: 7, size: 1 },
  access: { offset: 8, size: 1 },
  status: { offset: 9, size: 1 },
  configuration: { offset: 10, size: 2 }
} as const satisfies Readonly<Record<string, Part>>
export const longHeaderSize = 12

/** The short header is the end of the long one: who speaks must be known from elsewhere. */
const shortHeaderSize = 4

export type HeaderKind = 'long' | 'short' | 'none'
const headerSizes: Readonly<Record<HeaderKind, number>> = { long: longHeaderSize, short: shortHeaderSize, none: 0 }

/** What stands before the records, the same for a wire and for radio. */
export interface TransportHeader {
  readonly size: number
  /** only the long header names its device */
  readonly identity?: DeviceIdentity
  /** manufacturer, number, version and device type as they open an initialisation vector, low bytes first */
  readonly address?: Uint8Array
  readonly access: number
  readonly status: number
  /** 16 bits: security mode, number of encrypted blocks and more */
  readonly configuration: number
  /** the byte behind it in mode 7: how keys are derived, and which key of the meter they are made of */
  readonly extension?: number | undefined
}

/** Modes of EN 13757-7:2018 that hide data: 5 and 7 AES-128-CBC, 13 TLS. */
export const securityModes = { aesCbc: 5, aesCbcDerived: 7, tls: 13 } as const
const hidingModes: readonly number[] = Object.values(securityModes)

/**
 * The security mode that hides the data, or 0. Wired meters were given a "signature" here before the configuration field was
 * defined, and some still fill it with other things: only the modes with blocks to decrypt count.
 */
export function modeOf(configuration: number): number {
  const mode = (configuration >> 8) & 0x1f
  return hidingModes.includes(mode) && ((configuration >> 4) & 0x0f) > 0 ? mode : 0
}

/**
 * @param offset of `data` in the frame
 * @param highByteFirst mode 2 (CI 76), where the high byte of each part comes first
 */
export function readTransportHeader(
  kind: HeaderKind,
  data: Uint8Array,
  order: { readonly offset: number; readonly highByteFirst: boolean }
): Result<TransportHeader, DecodeFailure> {
  const size = headerSizes[kind]
  if (data.length < size)
    return refuse('MBUS_HEADER_TRUNCATED', `The header has ${size} bytes, here are ${data.length}`, order.offset + data.length)
  if (kind === 'none') return success({ size, access: 0, status: 0, configuration: 0 })
  const skipped = longHeaderSize - size
  const part = ({ offset, size: length }: Part): Uint8Array => {
    const bytes = data.subarray(offset - skipped, offset - skipped + length)
    return order.highByteFirst ? bytes.toReversed() : bytes
  }
  const [access = 0, status = 0] = data.subarray(longHeader.access.offset - skipped)
  const configuration = number16(part(longHeader.configuration))
  const extended = modeOf(configuration) === securityModes.aesCbcDerived
  const extension = extended ? data[size] : undefined
  if (extended && extension === undefined)
    return refuse('MBUS_HEADER_TRUNCATED', `The header of mode 7 has ${size + 1} bytes, here are ${size}`, order.offset + size)
  const wholeSize = extended ? size + 1 : size
  if (kind === 'short') return success({ size: wholeSize, access, status, configuration, extension })
  const [id, manufacturer] = [part(longHeader.id), part(longHeader.manufacturer)]
  const [version = 0, medium = 0] = data.subarray(longHeader.version.offset)
  return success({
    size: wholeSize,
    identity: {
      id: identificationText(id),
      manufacturer: manufacturerName(number16(manufacturer)),
      version,
      medium: mediumName(medium)
    },
    address: Uint8Array.of(...manufacturer, ...id, version, medium),
    access,
    status,
    configuration,
    extension
  })
}

function number16(bytes: Uint8Array): number {
  return (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8)
}
