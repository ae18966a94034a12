import type { DeviceIdentity, Obis } from '@endeks/domain/metering'
import { manufacturerName, mediumName } from '../../mbus/codec/header.js'
import type { Answers } from './answers.js'
import { type DlmsData, integerOf } from './data-types.js'
import { DlmsFault } from './fault.js'
import type { AttributeReference } from './get.js'
import { attributes } from './object-classes.js'
import { toHex } from './reader.js'

const { data, mbusClient } = attributes

/** The attributes that an identity is made of. */
export function identityReferences(identity: { readonly obis: Obis; readonly class: 1 | 72 }): AttributeReference[] {
  const { obis } = identity
  if (identity.class === data.class) return [{ class: data.class, obis, attribute: data.value }]
  const { identification, manufacturer, version, deviceType } = mbusClient
  return [identification, manufacturer, version, deviceType].map((attribute) => ({ class: mbusClient.class, obis, attribute }))
}

/** Who a conversation was with. @throws {DlmsFault} DLMS_IDENTITY for what is no number of a meter, and as `Answers.get` */
export function identityIn(answers: Answers, identity: { readonly obis: Obis; readonly class: 1 | 72 }): DeviceIdentity {
  const values = identityReferences(identity).map((reference) => answers.get(reference))
  const [first, manufacturer, version, deviceType] = values
  if (first === undefined) throw new DlmsFault('DLMS_IDENTITY', 'there is no object that names the meter')
  if (identity.class === data.class) return { id: numberOf(first) }
  const code = whole(deviceType)
  const letters = whole(manufacturer)
  return {
    id: mbusNumber(whole(first)),
    ...(letters === 0 ? {} : { manufacturer: manufacturerName(letters) }),
    version: whole(version),
    medium: mediumName(code)
  }
}

function whole(value: DlmsData | undefined): number {
  const number = value === undefined ? undefined : integerOf(value)
  if (number === undefined) throw new DlmsFault('DLMS_IDENTITY', `an M-Bus client names its meter by numbers, not by a ${value?.type}`)
  return Number(number)
}

/** The identification number of an M-Bus header: eight digits of four bits each (EN 13757-3, 5.5). A meter that is not bound has zero. */
function mbusNumber(value: number): string {
  if (value === 0) throw new DlmsFault('DLMS_IDENTITY', 'no M-Bus meter is bound to this channel')
  const digits = value.toString(16).padStart(8, '0')
  // Some write the number itself rather than its digits, which shows as soon as one is no digit.
  return /^\d{8}$/.test(digits) ? digits : String(value).padStart(8, '0')
}

/** The number on the dial. Meters pad it with blanks or zero bytes; one that is not text stands in hex. */
export function numberOf(value: DlmsData): string {
  const number = integerOf(value)
  if (number !== undefined) return number.toString()
  let text: string | undefined
  if (value.type === 'visible-string' || value.type === 'utf8-string') text = value.value
  if (value.type === 'octet-string') text = Buffer.from(value.value).toString('latin1')
  if (text === undefined) throw new DlmsFault('DLMS_IDENTITY', `a ${value.type} is not a meter's number`)
  const trimmed = text.replace(/[\0 ]+$/, '').trimStart()
  if (trimmed === '') throw new DlmsFault('DLMS_IDENTITY', "the meter's number is empty")
  if (/^[\x20-\x7e]+$/.test(trimmed)) return trimmed
  return value.type === 'octet-string' ? toHex(value.value) : trimmed
}
