import { type Obis, obis } from '@endeks/domain/metering'
import { toLocal } from '@endeks/domain/time'
import { dlms } from '@endeks/gateway/codec'
import type { SimulatedMeter } from '../meter.js'
import { capturedMidnights, capturePeriodS, profileEntries, profileRows } from './load-profile.js'
import { counterData } from './register.js'

/** What a GET of one attribute gives: its value, or a Data-Access-Result. */
export type AttributeResult = dlms.GetResponseNormal['result']

/** One COSEM object in a meter: its class, its name, and its attributes by number. Attribute 1 is always the name. */
export interface CosemObject {
  readonly class: number
  readonly obis: Obis
  readonly attributes: ReadonlyMap<number, (access?: dlms.SelectiveAccess) => dlms.DlmsData | undefined>
}

export const serialNumberName = obis('0-0:96.1.0*255')
export const deviceNameName = obis('0-0:42.0.0*255')
export const loadProfileName = obis('1-0:99.2.0*255')

/** The total of each medium (IEC 62056-61 groups A and C). Water is what a medium is that stands nowhere else. */
const totals = [
  { medium: 'water', obis: obis('8-0:1.0.0*255') },
  { medium: 'cold-water', obis: obis('8-0:1.0.0*255') },
  { medium: 'hot-water', obis: obis('9-0:1.0.0*255') },
  { medium: 'heat', obis: obis('6-0:1.0.0*255') },
  { medium: 'gas', obis: obis('7-0:3.0.0*255') }
] as const

export function totalName(meter: SimulatedMeter): Obis {
  return (totals.find((row) => row.medium === meter.medium) ?? totals[0]).obis
}

function octets(text: string): dlms.DlmsData {
  return { type: 'octet-string', value: Buffer.from(text, 'latin1') }
}

function number(type: 'long-unsigned' | 'double-long-unsigned' | 'long' | 'enum' | 'integer', value: number): dlms.DlmsData {
  return { type, value }
}

/** The objects of a meter. They read its clock and its dial each time they are asked. */
export function objectsOf(meter: SimulatedMeter): readonly CosemObject[] {
  const now = () => meter.clock.now()
  const manufacturer = (meter.identity.manufacturer ?? 'END').slice(0, 3).padEnd(3, ' ')
  const object = (
    objectClass: number,
    name: Obis,
    attributes: Record<number, (access?: dlms.SelectiveAccess) => dlms.DlmsData | undefined>
  ) => {
    const own = Object.entries(attributes).map(([attribute, read]) => [Number(attribute), read] as const)
    const logicalName = () => ({ type: 'octet-string', value: dlms.logicalNameBytes(name) }) as const
    return { class: objectClass, obis: name, attributes: new Map([[1, logicalName], ...own]) }
  }
  return [
    object(1, serialNumberName, { 2: () => octets(meter.identity.id) }),
    object(1, deviceNameName, { 2: () => octets(`${manufacturer}${meter.identity.id.padStart(13, '0').slice(-13)}`) }),
    object(3, totalName(meter), { 2: () => counterData(meter, now()), 3: () => dlms.scalerUnitData(meter.scaler, meter.unit) }),
    object(8, dlms.clockReference.obis, {
      2: () => dlms.dateTimeOctets(dlms.fromInstant(now(), meter.zone)),
      3: () => number('long', -toLocal(now(), meter.zone).offsetMinutes)
    }),
    object(7, loadProfileName, {
      2: (access) => profileRows(meter, access),
      3: () => captureObjects(meter),
      4: () => number('double-long-unsigned', capturePeriodS),
      5: () => number('enum', sortedFirstInFirstOut),
      7: () => number('double-long-unsigned', capturedMidnights(meter).length),
      8: () => number('double-long-unsigned', profileEntries)
    })
  ]
}

const sortedFirstInFirstOut = 1

/** The columns of the load profile: clock and total. */
function captureObjects(meter: SimulatedMeter): dlms.DlmsData {
  const column = (objectClass: number, name: Obis): dlms.DlmsData => ({
    type: 'structure',
    value: [
      number('long-unsigned', objectClass),
      { type: 'octet-string', value: dlms.logicalNameBytes(name) },
      number('integer', 2),
      number('long-unsigned', 0)
    ]
  })
  return { type: 'array', value: [column(8, dlms.clockReference.obis), column(3, totalName(meter))] }
}

/** Answers a GET out of a meter's objects, with the result codes of the Green Book 9.5 for what it does not have. */
export function readAttribute(objects: readonly CosemObject[], request: dlms.GetRequestNormal): AttributeResult {
  const named = objects.filter((object) => object.obis === request.obis)
  if (named.length === 0) return { error: dlms.accessResult.objectUndefined }
  const object = named.find((each) => each.class === request.class)
  if (object === undefined) return { error: dlms.accessResult.objectClassInconsistent }
  const read = object.attributes.get(request.attribute)
  if (read === undefined) return { error: dlms.accessResult.readWriteDenied }
  const data = read(request.access)
  return data === undefined ? { error: dlms.accessResult.typeUnmatched } : { data }
}
