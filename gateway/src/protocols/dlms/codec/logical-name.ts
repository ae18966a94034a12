import { type Obis, obis } from '@endeks/domain/metering'
import { DlmsFault } from './fault.js'
import type { ByteReader } from './reader.js'

/** A logical name (six bytes, IEC 62056-61) as text: A-B:C.D.E*F. */
export function readLogicalName(reader: ByteReader): Obis {
  return logicalName(reader.take(6))
}

export function logicalName(bytes: Uint8Array): Obis {
  if (bytes.length !== 6) throw new DlmsFault('DLMS_VALUE', `a logical name has 6 bytes, not ${bytes.length}`)
  const [a, b, c, d, e, f] = bytes
  return obis(`${a}-${b}:${c}.${d}.${e}*${f}`)
}

export function logicalNameBytes(name: Obis): Uint8Array {
  return Uint8Array.from(name.split(/[-:.*]/), Number)
}
