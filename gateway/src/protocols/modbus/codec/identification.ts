import { failure, type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import type { Frame } from './pdu.js'

/** Encapsulated Interface Transport with the MEI type of Read Device Identification (Modbus Application Protocol V1.1b3, 6.21). */
export const identificationFunction = 0x2b
const meiType = 0x0e

export const identificationNames: Readonly<Record<number, string>> = {
  0: 'vendor',
  1: 'product',
  2: 'revision',
  3: 'vendorUrl',
  4: 'productName',
  5: 'model',
  6: 'application'
}

export interface Identification {
  /** object identifier and its text */
  readonly objects: readonly { readonly id: number; readonly text: string }[]
  /** where to go on asking; undefined when this was all */
  readonly next: number | undefined
}

/** Asks for the basic objects, which every device has that knows the function, from `object` on. */
export function encodeIdentificationRequest(object: number): Uint8Array {
  return Uint8Array.of(identificationFunction, meiType, 1, object)
}

/** The basic objects in one answer. @param conformity 0x01: streams of the basic objects only; 0x81: single ones too */
export function encodeIdentificationResponse(objects: Identification['objects'], conformity: number): Uint8Array {
  const parts = objects.flatMap(({ id, text }) => [id, text.length, ...Buffer.from(text, 'latin1')])
  return Uint8Array.of(identificationFunction, meiType, 1, conformity, 0, 0, objects.length, ...parts)
}

export function parseIdentification(frame: Frame): Result<Identification, DecodeFailure> {
  const { pdu, pduOffset } = frame
  if (pdu.length < 7 || pdu[0] !== identificationFunction || pdu[1] !== meiType) {
    return failure({ code: 'MODBUS_FUNCTION', message: 'this is no answer to Read Device Identification', offset: pduOffset })
  }
  const objects: { id: number; text: string }[] = []
  let at = 7
  // 6.21: the count is that of this answer; its example shows the count of all answers, so the bytes decide.
  while (objects.length < (pdu[6] ?? 0) && at < pdu.length) {
    const length = pdu[at + 1] ?? 0
    const end = at + 2 + length
    if (end > pdu.length) {
      return failure({
        code: 'MODBUS_TRUNCATED',
        message: `an object of ${length} bytes reaches past the answer`,
        offset: pduOffset + at + 1
      })
    }
    objects.push({ id: pdu[at] ?? 0, text: printable(pdu.subarray(at + 2, end)) })
    at = end
  }
  return success({ objects, next: pdu[4] === 0xff && objects.length > 0 ? (pdu[5] ?? 0) : undefined })
}

function printable(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
    .replace(/[^\x20-\x7e]/g, ' ')
    .trim()
}
