import { type EpochMs, toIso } from '@endeks/domain/time'

/** Just as much of DER (ITU-T X.690) as a certificate needs, to write; reading them is OpenSSL's. */
const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31
} as const

function tlv(tagByte: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tagByte, ...lengthOf(body.length)]), body])
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 | bytes.length, ...bytes]
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tlv(tag.sequence, ...parts)
}

export function set(...parts: readonly Uint8Array[]): Buffer {
  return tlv(tag.set, ...parts)
}

/** Of bytes that are a number without sign, the highest first. */
export function integer(bytes: Uint8Array): Buffer {
  const negative = ((bytes[0] ?? 0) & 0x80) !== 0
  return tlv(tag.integer, ...(negative ? [Buffer.from([0])] : []), bytes)
}

export function boolean(value: boolean): Buffer {
  return tlv(tag.boolean, Buffer.from([value ? 0xff : 0]))
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return tlv(tag.bitString, Buffer.from([unusedBits]), bytes)
}

export function octetString(bytes: Uint8Array): Buffer {
  return tlv(tag.octetString, bytes)
}

export function utf8(text: string): Buffer {
  return tlv(tag.utf8, Buffer.from(text))
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tlv(tag.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const bytes = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 0x80)
  return bytes
}

/** With two digits of the year until 2049, with four from then on (RFC 5280, 4.1.2.5). */
export function time(instant: EpochMs): Buffer {
  const digits = `${toIso(instant).slice(0, 19).replace(/[-:T]/g, '')}Z`
  return digits < '2050' ? tlv(tag.utcTime, Buffer.from(digits.slice(2))) : tlv(tag.generalizedTime, Buffer.from(digits))
}

/** A part that is told by its number, around what it is. */
export function explicit(number: number, part: Uint8Array): Buffer {
  return tlv(0xa0 | number, part)
}

/** A part that is told by its number, in place of what it is. */
export function implicit(number: number, bytes: Uint8Array): Buffer {
  return tlv(0x80 | number, bytes)
}
