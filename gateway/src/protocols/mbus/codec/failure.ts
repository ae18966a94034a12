import { failure } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'

/** Every reason for which bytes are not a readable M-Bus frame. A code never changes its meaning. */
export type MbusCode =
  | 'MBUS_EMPTY'
  | 'MBUS_START_BYTE'
  | 'MBUS_TRUNCATED'
  | 'MBUS_LENGTH'
  | 'MBUS_STOP_BYTE'
  | 'MBUS_CHECKSUM'
  | 'MBUS_TRAILING_BYTES'
  | 'MBUS_TOO_MANY_FRAMES'
  | 'MBUS_CONTROL_FIELD'
  | 'MBUS_CI_UNSUPPORTED'
  | 'MBUS_APPLICATION_ERROR'
  | 'MBUS_HEADER_TRUNCATED'
  | 'MBUS_ENCRYPTED'
  | 'MBUS_KEY_SIZE'
  | 'MBUS_KEY_OR_DATA'
  | 'MBUS_MAC'
  | 'MBUS_FRAGMENTED'
  | 'MBUS_RECORD_TRUNCATED'
  | 'MBUS_RECORD_RESERVED'
  | 'MBUS_TOO_MANY_DIFE'
  | 'MBUS_TOO_MANY_VIFE'
  | 'MBUS_NO_RESPONSE'
  | 'MBUS_NO_DATA'
  | 'MBUS_FOREIGN_ADDRESS'
  | 'MBUS_FOREIGN_IDENTITY'
  | 'MBUS_REPEATED'
  | 'MBUS_IDENTITY_CHANGED'
  | 'MBUS_NO_IDENTITY'
  | 'MBUS_PROFILE'

export function refuse(code: MbusCode, message: string, offset?: number): { readonly ok: false; readonly error: DecodeFailure } {
  return failure(offset === undefined ? { code, message } : { code, message, offset })
}

const hexPairs: readonly string[] = Array.from({ length: 0x100 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, '0'))

export function hexByte(value: number): string {
  return hexPairs[value & 0xff] ?? ''
}

export function hexText(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += hexPairs[byte]
  return text
}
