import { type Obis, obis } from '@endeks/domain/metering'
import { dlms } from '@endeks/gateway/codec'
import type { AssociationDefinition } from '../associations-of.js'
import { type CosemObject, cosemObject, mayDo, visibleTo } from '../cosem-object.js'
import type { MeterDevice } from '../device.js'
import { grantedTo } from '../granted.js'
import { array, integer, name, octets, structure } from '../values.js'
import { securitySetupName } from './security-setup.js'

export const associationClass = 15
export const currentAssociationName = obis('0-0:40.0.0*255')
export const replyToHlsMethod = 1
const longestSecret = 64
/** client_SAP is an integer; clients behind the wrapper may have larger numbers. */
const mostClientSap = 0x7f

/** joint-iso-ccitt(2) country(16) country-name(756) identified-organisation(5) DLMS-UA(8), as BER encodes it. */
const dlmsArc = [0x60, 0x85, 0x74, 0x05, 0x08] as const
const contextNumbers = { plain: 1, ciphered: 3 } as const
const mechanismNumbers = { none: 0, low: 1, gmac: 5 } as const

/** The association in which the object is read. */
export interface CurrentAssociation {
  readonly definition: AssociationDefinition
  readonly client: number
  readonly server: number
  /** 1 while the client has not answered its challenge, then 2 */
  readonly status: () => 1 | 2
  readonly agreed: () => { readonly conformance: number; readonly clientSize: number } | undefined
  readonly clientTitle: () => Uint8Array | undefined
  readonly replyToHls: (parameters: dlms.DlmsData | undefined) => dlms.ActionResult
}

/** Class 15 version 1: the association that is open as 0-0:40.0.0, and for those who manage each one of the meter as 0-0:40.0.n. */
export function associationObjects(
  device: MeterDevice,
  current: CurrentAssociation,
  objects: () => readonly CosemObject[]
): readonly CosemObject[] {
  const all = device.associations.map((definition, index) =>
    associationObject(device, { definition, current, objects, obis: obis(`0-0:40.0.${index + 1}*255`) })
  )
  return [associationObject(device, { definition: current.definition, current, objects, obis: currentAssociationName }), ...all]
}

interface AssociationParts {
  readonly definition: AssociationDefinition
  readonly current: CurrentAssociation
  readonly objects: () => readonly CosemObject[]
  readonly obis: Obis
}

function associationObject(device: MeterDevice, parts: AssociationParts): CosemObject {
  const { definition, current, objects, obis: logicalName } = parts
  const isCurrent = definition === current.definition
  const { mechanism, ciphered } = definition
  const context = ciphered ? contextNumbers.ciphered : contextNumbers.plain
  const client = Math.min(definition.client ?? current.client, mostClientSap)
  const contextInfo = () => {
    const { conformance, clientSize } = (isCurrent ? current.agreed() : undefined) ?? {
      conformance: grantedTo(definition, device.options),
      clientSize: 0
    }
    const bits = Uint8Array.of(conformance >> 16, conformance >> 8, conformance)
    return structure(
      { type: 'bit-string', bits: 24, value: bits },
      integer('long-unsigned', device.maxPduSize),
      integer('long-unsigned', clientSize),
      integer('unsigned', dlms.dlmsVersion),
      integer('integer', 0),
      octets(new Uint8Array(0))
    )
  }
  const secret = {
    writeBy: 'manage',
    write(value: dlms.DlmsData) {
      if (value.type !== 'octet-string' || value.value.length === 0 || value.value.length > longestSecret) return false
      device.password = value.value
      return true
    }
  } as const
  const reply = { by: 'identify', invoke: current.replyToHls } as const
  return cosemObject({
    class: associationClass,
    version: 1,
    obis: logicalName,
    seenBy: logicalName === currentAssociationName ? 'identify' : 'manage',
    attributes: {
      2: { read: () => array(visibleTo(objects(), definition.rights).map((each) => listed(each, definition))) },
      3: { read: () => structure(integer('integer', client), integer('long-unsigned', current.server)) },
      4: { read: () => octets(Uint8Array.of(...dlmsArc, 1, context)) },
      5: { read: contextInfo },
      6: { read: () => octets(Uint8Array.of(...dlmsArc, 2, mechanismNumbers[mechanism])) },
      7: mechanism === 'low' ? secret : {},
      8: { read: () => integer('enum', isCurrent ? current.status() : 0) },
      9: { read: () => (ciphered || mechanism === 'gmac' ? name(securitySetupName) : octets(new Uint8Array(0))) }
    },
    methods: mechanism === 'gmac' && logicalName === currentAssociationName ? { [replyToHlsMethod]: reply } : {}
  })
}

const accessModes = { none: 0, read: 1, write: 2, both: 3 } as const

/** object_list_element: class, version, name, and the access rights of this association. */
function listed(object: CosemObject, { rights }: AssociationDefinition): dlms.DlmsData {
  const attributes = [...object.attributes].map(([number, { readBy, writeBy, selectors }]) => {
    const reads = mayDo(rights, readBy)
    const writes = mayDo(rights, writeBy)
    const mode = reads ? accessModes[writes ? 'both' : 'read'] : accessModes[writes ? 'write' : 'none']
    const selective: dlms.DlmsData =
      selectors === undefined ? { type: 'null-data' } : array(selectors.map((each) => integer('integer', each)))
    return structure(integer('integer', number), integer('enum', mode), selective)
  })
  const methods = [...object.methods].map(([number, { by }]) =>
    structure(integer('integer', number), integer('enum', mayDo(rights, by) ? 1 : 0))
  )
  return structure(
    integer('long-unsigned', object.class),
    integer('unsigned', object.version),
    name(object.obis),
    structure(array(attributes), array(methods))
  )
}
