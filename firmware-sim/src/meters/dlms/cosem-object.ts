import type { Obis } from '@endeks/domain/metering'
import { dlms } from '@endeks/gateway/codec'

/** What a client may do, least first. Each may do what the ones before it may. */
export const rights = ['identify', 'read', 'manage'] as const
export type Rights = (typeof rights)[number]

/** An attribute of a COSEM object. Without `readBy` nobody reads it, without `writeBy` nobody writes it. */
export interface CosemAttribute {
  readonly readBy?: Rights
  readonly writeBy?: Rights
  /** selectors that `read` knows, for the object list */
  readonly selectors?: readonly number[]
  /** @returns undefined for a selection that the attribute does not know */
  readonly read?: (access?: dlms.SelectiveAccess) => dlms.DlmsData | undefined
  /** @returns false for a value that is not of the attribute's type */
  readonly write?: (data: dlms.DlmsData) => boolean
}

export interface CosemMethod {
  readonly by: Rights
  /** @returns an Action-Result, with what the method gives back */
  readonly invoke: (parameters: dlms.DlmsData | undefined) => dlms.ActionResult
}

/** One COSEM object in a meter: its class and version, its name, its attributes and methods by number. Attribute 1 is always the name. */
export interface CosemObject {
  readonly class: number
  readonly version: number
  readonly obis: Obis
  readonly attributes: ReadonlyMap<number, CosemAttribute>
  readonly methods: ReadonlyMap<number, CosemMethod>
}

interface ObjectParts {
  readonly class: number
  readonly version?: number
  readonly obis: Obis
  /** least right that sees the object's name, and reads each attribute that says nothing else */
  readonly seenBy: Rights
  readonly attributes: Readonly<Record<number, CosemAttribute>>
  readonly methods?: Readonly<Record<number, CosemMethod>>
}

/** An object with its logical name; what is readable is readable by those who see the object unless an attribute says who. */
export function cosemObject(parts: ObjectParts): CosemObject {
  const { class: objectClass, version = 0, obis, seenBy, attributes, methods = {} } = parts
  const nameBytes = dlms.logicalNameBytes(obis)
  const name: CosemAttribute = { readBy: seenBy, read: () => ({ type: 'octet-string', value: nameBytes }) }
  const own = Object.entries(attributes).map(([number, attribute]): [number, CosemAttribute] => {
    const readable = attribute.read === undefined ? {} : { readBy: seenBy }
    return [Number(number), { ...readable, ...attribute }]
  })
  const ownMethods = Object.entries(methods).map(([number, method]): [number, CosemMethod] => [Number(number), method])
  return { class: objectClass, version, obis, attributes: new Map([[1, name], ...own]), methods: new Map(ownMethods) }
}

export function mayDo(has: Rights, needed: Rights | undefined): boolean {
  return needed !== undefined && rights.indexOf(has) >= rights.indexOf(needed)
}

/** What a client of these rights finds in the meter: an object that it may not even name does not exist for it. */
export function visibleTo(objects: readonly CosemObject[], has: Rights): readonly CosemObject[] {
  return objects.filter((object) => mayDo(has, object.attributes.get(1)?.readBy))
}

/** What a client sees, and what it may do with it. */
export interface View {
  readonly objects: readonly CosemObject[]
  readonly rights: Rights
  readonly conformance: number
  /** bytes of an answer in the clear, or of its blocks, so that they fit both sides' PDU size behind their protection */
  readonly room: number
  /** bytes that the client takes, where it takes no blocks */
  readonly most: number
  /** what a meter with a fault answers instead of each value */
  readonly applicationError: number | undefined
}

interface Named {
  readonly class: number
  readonly obis: Obis
}

const { accessResult } = dlms
const success = 0

function find(view: View, named: Named): CosemObject | number {
  const known = view.objects.filter((object) => object.obis === named.obis)
  if (known.length === 0) return accessResult.objectUndefined
  return known.find((each) => each.class === named.class) ?? accessResult.objectClassInconsistent
}

/** Answers a GET of one attribute, with the result codes of the Green Book 9.5 for what is not there or not allowed. */
export function readAttribute(view: View, target: dlms.AttributeTarget): dlms.GetResult {
  const object = find(view, target)
  if (typeof object === 'number') return { error: object }
  const attribute = object.attributes.get(target.attribute)
  if (attribute?.read === undefined || !mayDo(view.rights, attribute.readBy)) return { error: accessResult.readWriteDenied }
  if (target.access !== undefined && !dlms.allows(view.conformance, 'selective-access')) {
    return { error: accessResult.scopeOfAccessViolated }
  }
  if (target.access !== undefined && attribute.selectors === undefined) return { error: accessResult.typeUnmatched }
  if (view.applicationError !== undefined) return { error: view.applicationError }
  const data = attribute.read(target.access)
  return data === undefined ? { error: accessResult.typeUnmatched } : { data }
}

/** @returns a Data-Access-Result: 0 when it was written */
export function writeAttribute(view: View, target: dlms.AttributeTarget, data: dlms.DlmsData): number {
  const object = find(view, target)
  if (typeof object === 'number') return object
  const attribute = object.attributes.get(target.attribute)
  if (attribute?.write === undefined || !mayDo(view.rights, attribute.writeBy)) return accessResult.readWriteDenied
  if (target.access !== undefined) return accessResult.scopeOfAccessViolated
  return attribute.write(data) ? success : accessResult.typeUnmatched
}

/** The numbers of Action-Result are those of Data-Access-Result. */
export function invokeMethod(view: View, target: dlms.MethodTarget, parameters: dlms.DlmsData | undefined): dlms.ActionResult {
  const object = find(view, target)
  if (typeof object === 'number') return { result: object }
  const method = object.methods.get(target.method)
  if (method === undefined || !mayDo(view.rights, method.by)) return { result: accessResult.readWriteDenied }
  return method.invoke(parameters)
}
