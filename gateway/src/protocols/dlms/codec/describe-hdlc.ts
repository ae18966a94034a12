import { readApdu } from './apdu.js'
import { describeOpened } from './describe-ciphered.js'
import type { JsonObject } from './describe-data.js'
import { DlmsFault, guarded } from './fault.js'
import type { HdlcFrame } from './hdlc-frame.js'
import { decodeHdlcParameters } from './hdlc-parameters.js'
import { readLlc } from './hdlc-segments.js'
import { ByteReader, toHex } from './reader.js'

/** A frame as plain JSON: with its APDU where it holds a whole one, with its parameters where it sets the connection up. */
export function describeHdlc(frame: HdlcFrame, key?: Uint8Array): JsonObject {
  const { control, information, segmented } = frame
  const hdlc: JsonObject = { destination: frame.destination, source: frame.source, ...control, segmented }
  if (information.length === 0) return { hdlc }
  if (control.kind === 'SNRM' || control.kind === 'UA') {
    const parameters = decodeHdlcParameters(information)
    if (!parameters.ok) throw new DlmsFault('DLMS_HDLC', parameters.error.message)
    return { hdlc: { ...hdlc, parameters: { ...parameters.value } } }
  }
  // The last segment of an APDU has no LLC header, and a first one no end: their bytes are shown as they are.
  const llc = guarded(() => readLlc(information))
  if (!llc.ok || segmented || (control.kind !== 'I' && control.kind !== 'UI')) return { hdlc: { ...hdlc, information: toHex(information) } }
  const { direction, apdu } = llc.value
  return { ...describeOpened(readApdu(new ByteReader(apdu)), key), hdlc: { ...hdlc, direction } }
}
