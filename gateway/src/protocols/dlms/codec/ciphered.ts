import { DlmsFault } from './fault.js'
import type { ByteReader } from './reader.js'
import type { ByteWriter } from './writer.js'

/** Which key opens an APDU: that of the meter, or that of one association. */
export type CipherScope = 'global' | 'dedicated'

/**
 * The APDUs that carry another one ciphered (Green Book 9.5, XDLMS-APDU): the tag of what is inside, where the outer tag
 * tells it. The general ones carry any APDU, and the sender's system title in front.
 */
export const cipheredTags = [
  { tag: 0x21, name: 'glo-initiate-request', scope: 'global', inner: 0x01 },
  { tag: 0x28, name: 'glo-initiate-response', scope: 'global', inner: 0x08 },
  { tag: 0x2e, name: 'glo-confirmed-service-error', scope: 'global', inner: 0x0e },
  { tag: 0x4e, name: 'ded-confirmed-service-error', scope: 'dedicated', inner: 0x0e },
  { tag: 0xc8, name: 'glo-get-request', scope: 'global', inner: 0xc0 },
  { tag: 0xc9, name: 'glo-set-request', scope: 'global', inner: 0xc1 },
  { tag: 0xca, name: 'glo-event-notification-request', scope: 'global', inner: 0xc2 },
  { tag: 0xcb, name: 'glo-action-request', scope: 'global', inner: 0xc3 },
  { tag: 0xcc, name: 'glo-get-response', scope: 'global', inner: 0xc4 },
  { tag: 0xcd, name: 'glo-set-response', scope: 'global', inner: 0xc5 },
  { tag: 0xcf, name: 'glo-action-response', scope: 'global', inner: 0xc7 },
  { tag: 0xd0, name: 'ded-get-request', scope: 'dedicated', inner: 0xc0 },
  { tag: 0xd1, name: 'ded-set-request', scope: 'dedicated', inner: 0xc1 },
  { tag: 0xd2, name: 'ded-event-notification-request', scope: 'dedicated', inner: 0xc2 },
  { tag: 0xd3, name: 'ded-action-request', scope: 'dedicated', inner: 0xc3 },
  { tag: 0xd4, name: 'ded-get-response', scope: 'dedicated', inner: 0xc4 },
  { tag: 0xd5, name: 'ded-set-response', scope: 'dedicated', inner: 0xc5 },
  { tag: 0xd7, name: 'ded-action-response', scope: 'dedicated', inner: 0xc7 },
  { tag: 0xdb, name: 'general-glo-ciphering', scope: 'global', inner: undefined },
  { tag: 0xdc, name: 'general-ded-ciphering', scope: 'dedicated', inner: undefined }
] as const satisfies readonly CipheredRow[]

interface CipheredRow {
  readonly tag: number
  readonly name: string
  readonly scope: CipherScope
  readonly inner: number | undefined
}

export type CipheredName = (typeof cipheredTags)[number]['name']

/** A ciphered APDU as it is sent, still closed. */
export interface CipheredApdu {
  readonly apdu: CipheredName
  /** only the general ones: eight bytes, or none where both sides know it */
  readonly systemTitle?: Uint8Array
  /** see `securityControl` */
  readonly control: number
  readonly invocationCounter: number
  /** what the control byte says: text or cipher text, then the authentication tag */
  readonly contents: Uint8Array
}

/** The security control byte (Green Book 9.2.7.2.4.1). */
export const securityControl = { suite: 0x0f, authenticated: 0x10, encrypted: 0x20, broadcast: 0x40, compressed: 0x80 } as const
/** Bytes of the authentication tag of suites 0, 1 and 2. */
export const tagSize = 12
export const systemTitleSize = 8

const rowsByName = new Map<CipheredName, CipheredRow>(cipheredTags.map((row) => [row.name, row]))

export function cipheredRow(name: CipheredName): CipheredRow & { readonly name: string } {
  const row = rowsByName.get(name)
  if (row === undefined) throw new DlmsFault('DLMS_TAG', `${name} is not a ciphered APDU`)
  return row
}

/** Reads a ciphered APDU whose tag has been read. */
export function readCiphered(reader: ByteReader, name: CipheredName): CipheredApdu {
  const title = cipheredRow(name).inner === undefined ? { systemTitle: readTitle(reader) } : {}
  const body = reader.window(reader.length())
  const control = body.u8()
  const invocationCounter = body.u32()
  const least = (control & securityControl.authenticated) === 0 ? 0 : tagSize
  if (body.left < least) {
    throw new DlmsFault('DLMS_TRUNCATED', `an authenticated APDU ends with a tag of ${tagSize} bytes, ${body.left} are there`, body.offset)
  }
  return { apdu: name, ...title, control, invocationCounter, contents: body.take(body.left) }
}

function readTitle(reader: ByteReader): Uint8Array {
  const at = reader.offset
  const title = reader.take(reader.length())
  if (title.length !== 0 && title.length !== systemTitleSize)
    throw new DlmsFault('DLMS_LENGTH', `a system title has ${systemTitleSize} bytes, not ${title.length}`, at)
  return title
}

export function writeCiphered(writer: ByteWriter, apdu: CipheredApdu): void {
  const { tag, inner } = cipheredRow(apdu.apdu)
  writer.u8(tag)
  if (inner === undefined) writer.counted(apdu.systemTitle ?? new Uint8Array(0))
  writer
    .length(5 + apdu.contents.length)
    .u8(apdu.control)
    .u32(apdu.invocationCounter)
    .raw(apdu.contents)
}
