import type { Obis } from '@endeks/domain/metering'
import type { DlmsData } from './data-types.js'
import { DlmsFault } from './fault.js'
import { logicalName } from './logical-name.js'
import { className } from './object-classes.js'

/** An object that an association shows: object_list_element (Blue Book, class 15, attribute 2), without its access rights. */
export interface ListedObject {
  readonly class: number
  readonly version: number
  readonly obis: Obis
}

/** @throws {DlmsFault} DLMS_VALUE */
export function objectListOf(data: DlmsData): readonly ListedObject[] {
  return rowsOf(data, 'object_list').map(([objectClass, version, name]) => {
    if (objectClass?.type !== 'long-unsigned' || version?.type !== 'unsigned' || name?.type !== 'octet-string')
      throw new DlmsFault('DLMS_VALUE', 'an element of the object_list is not class, version and name')
    return { class: objectClass.value, version: version.value, obis: logicalName(name.value) }
  })
}

/** "Register 8-0:1.0.0*255" */
export function objectText({ class: objectClass, obis }: Pick<ListedObject, 'class' | 'obis'>): string {
  return `${className(objectClass)} ${obis}`
}

/** A logical device behind a meter's or concentrator's connection (Blue Book, class 17, attribute 2). */
export interface LogicalDevice {
  readonly sap: number
  readonly name: string
}

/** @throws {DlmsFault} DLMS_VALUE */
export function sapListOf(data: DlmsData): readonly LogicalDevice[] {
  return rowsOf(data, 'SAP_assignment_list').map(([sap, name]) => {
    if (sap?.type !== 'long-unsigned' || name?.type !== 'octet-string')
      throw new DlmsFault('DLMS_VALUE', 'an element of the SAP_assignment_list is not a SAP and a name')
    return { sap: sap.value, name: Buffer.from(name.value).toString('latin1') }
  })
}

/** The elements of a list, each with its members; none for an element that is no structure. */
function rowsOf(data: DlmsData, list: string): readonly (readonly DlmsData[])[] {
  if (data.type !== 'array' && data.type !== 'compact-array') throw new DlmsFault('DLMS_VALUE', `${list} is an array, not a ${data.type}`)
  return data.value.map((element) => (element.type === 'structure' ? element.value : []))
}
