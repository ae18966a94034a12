import { obis } from '@endeks/domain/metering'
import { type CosemObject, cosemObject } from '../cosem-object.js'
import { array, integer, structure, text } from '../values.js'

/** A logical device behind a line, by its address and its name. */
export interface LogicalDeviceEntry {
  readonly sap: number
  readonly name: string
}

const sapAssignmentClass = 17
const sapAssignmentName = obis('0-0:41.0.0*255')

/** Class 17, in the management logical device: who else answers behind this line. */
export function sapAssignmentObject(devices: () => readonly LogicalDeviceEntry[]): CosemObject {
  const read = () => array(devices().map(({ sap, name }) => structure(integer('long-unsigned', sap), text(name))))
  return cosemObject({ class: sapAssignmentClass, obis: sapAssignmentName, seenBy: 'identify', attributes: { 2: { read } } })
}
