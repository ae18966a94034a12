import type { Obis } from '@endeks/domain/metering'
import { dlms } from '@endeks/gateway/codec'

type IntegerType = Extract<dlms.DlmsData, { readonly value: number }>['type']

export function integer(type: Exclude<IntegerType, 'float32' | 'float64'>, value: number): dlms.DlmsData {
  return { type, value }
}

export function text(value: string): dlms.DlmsData {
  return { type: 'octet-string', value: Buffer.from(value, 'latin1') }
}

export function octets(value: Uint8Array): dlms.DlmsData {
  return { type: 'octet-string', value }
}

export function name(value: Obis): dlms.DlmsData {
  return octets(dlms.logicalNameBytes(value))
}

export function boolean(value: boolean): dlms.DlmsData {
  return { type: 'boolean', value }
}

export function structure(...value: readonly dlms.DlmsData[]): dlms.DlmsData {
  return { type: 'structure', value }
}

export function array(value: readonly dlms.DlmsData[]): dlms.DlmsData {
  return { type: 'array', value }
}

export const success: dlms.ActionResult = { result: 0 }
export const typeUnmatched: dlms.ActionResult = { result: dlms.accessResult.typeUnmatched }
export const otherReason: dlms.ActionResult = { result: dlms.accessResult.otherReason }
