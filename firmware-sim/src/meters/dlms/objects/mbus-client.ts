import { obis } from '@endeks/domain/metering'
import { type CosemObject, cosemObject } from '../cosem-object.js'
import type { DlmsMeterOptions } from '../options.js'
import { array, integer, name } from '../values.js'

const mbusClientClass = 72
const mbusClientName = obis('0-1:24.1.0*255')
const mbusPortName = obis('0-0:24.6.0*255')
const primaryAddress = 1
const noKey = 0

/** Three letters in fifteen bits, as EN 13757-3 sends a manufacturer. */
function manufacturerCode(letters: string): number {
  return [...letters].reduce((code, letter) => code * 32 + (letter.charCodeAt(0) - 64), 0)
}

/** Class 72: the submeter at the M-Bus port of this meter, by the fields of its data header. */
export function mbusClientObject(submeter: NonNullable<DlmsMeterOptions['submeter']>): CosemObject {
  const { serial, manufacturer, version, deviceType } = submeter
  const unsigned = (value: number) => ({ read: () => integer('unsigned', value) })
  return cosemObject({
    class: mbusClientClass,
    version: 1,
    obis: mbusClientName,
    seenBy: 'read',
    attributes: {
      2: { read: () => name(mbusPortName) },
      3: { read: () => array([]) },
      4: { read: () => integer('double-long-unsigned', 0) },
      5: unsigned(primaryAddress),
      // The header's BCD, digit by digit.
      6: { read: () => integer('double-long-unsigned', Number.parseInt(serial, 16)) },
      7: { read: () => integer('long-unsigned', manufacturerCode(manufacturer)) },
      8: unsigned(version),
      9: unsigned(deviceType),
      10: unsigned(0),
      11: unsigned(0),
      12: unsigned(0),
      13: { read: () => integer('long-unsigned', 0) },
      14: { read: () => integer('enum', noKey) }
    }
  })
}
