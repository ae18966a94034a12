import type { Obis } from '@endeks/domain/metering'
import type { DlmsData } from './data-types.js'
import { DlmsFault } from './fault.js'
import { logicalName, logicalNameBytes } from './logical-name.js'
import { attributeName, attributes, className } from './object-classes.js'
import type { Column, DlmsRegister } from './profile.js'
import { clockReference } from './selective-access.js'

/** One column of a load profile: capture_object_definition (Blue Book, class 7, attribute 3). */
export interface CaptureObject {
  readonly class: number
  readonly obis: Obis
  /** 0: all attributes, as one structure */
  readonly attribute: number
  /** element of the attribute, where it is a structure or array; 0: the whole of it */
  readonly index: number
}

/** Reads capture_objects. @throws {DlmsFault} DLMS_VALUE */
export function captureObjectsOf(data: DlmsData): readonly CaptureObject[] {
  const columns = data.type === 'array' || data.type === 'compact-array' ? data.value : undefined
  if (columns === undefined) throw new DlmsFault('DLMS_VALUE', `capture_objects are an array, not a ${data.type}`)
  return columns.map((column) => {
    const [objectClass, name, attribute, index] = column.type === 'structure' ? column.value : []
    if (objectClass?.type !== 'long-unsigned' || name?.type !== 'octet-string' || attribute?.type !== 'integer')
      throw new DlmsFault('DLMS_VALUE', 'a capture object is not class, name, attribute and index')
    if (index?.type !== 'long-unsigned') throw new DlmsFault('DLMS_VALUE', 'a capture object has no index')
    return { class: objectClass.value, obis: logicalName(name.value), attribute: attribute.value, index: index.value }
  })
}

/** Writes capture_objects, as a server does. */
export function captureObjectsData(columns: readonly CaptureObject[]): DlmsData {
  return {
    type: 'array',
    value: columns.map((column) => ({
      type: 'structure',
      value: [
        { type: 'long-unsigned', value: column.class },
        { type: 'octet-string', value: logicalNameBytes(column.obis) },
        { type: 'integer', value: column.attribute },
        { type: 'long-unsigned', value: column.index }
      ]
    }))
  }
}

/** What a column is to a profile: the clock, the value of one of its registers, or nothing that it reads. */
function columnOf({ class: objectClass, obis, attribute, index }: CaptureObject, registers: readonly DlmsRegister[]): Column {
  const plain = index === 0
  const { class: clockClass, obis: clock, attribute: time } = clockReference
  if (plain && objectClass === clockClass && obis === clock && attribute === time) return 'clock'
  const register = registers.find((each) => each.obis === obis && each.class === objectClass)
  return plain && register !== undefined && attribute === attributes.register.value ? obis : 'ignore'
}

function nameOf({ class: objectClass, obis, attribute }: CaptureObject): string {
  return `${className(objectClass)} ${obis} ${attributeName(objectClass, attribute)}`
}

/**
 * The columns of a buffer as the meter itself has them, held against what the profile says.
 *
 * @throws {DlmsFault} DLMS_CAPTURES naming both where they contradict each other
 */
export function columnsOf(
  captured: readonly CaptureObject[],
  profile: { readonly registers: readonly DlmsRegister[]; readonly captures: readonly Column[] | undefined }
): readonly Column[] {
  const { registers, captures } = profile
  const columns = captured.map((column) => columnOf(column, registers))
  if (captures !== undefined && captures.length !== columns.length) {
    throw new DlmsFault('DLMS_CAPTURES', `the meter captures ${columns.length} columns, the profile names ${captures.length}`)
  }
  for (const [index, expected] of captures?.entries() ?? []) {
    const object = captured[index]
    if (object === undefined || expected === 'ignore' || expected === columns[index]) continue
    throw new DlmsFault('DLMS_CAPTURES', `column ${index + 1} is ${nameOf(object)} in the meter and ${expected} in the profile`)
  }
  if (captures !== undefined) return captures
  const clocks = columns.filter((column) => column === 'clock').length
  if (clocks !== 1) throw new DlmsFault('DLMS_CAPTURES', `the meter captures ${clocks} clocks in this profile, one is needed`)
  return columns
}
