import type { DeviceIdentity } from '@endeks/domain/metering'
import { obis } from '@endeks/domain/metering'
import type { Finding, NamedProfile, ProbeJob } from '../protocol.js'
import { describeAttribute } from './codec/attribute-text.js'
import type { DlmsData } from './codec/data-types.js'
import { DlmsFault } from './codec/fault.js'
import type { AttributeReference } from './codec/get.js'
import { numberOf } from './codec/identity.js'
import { attributes, objectClass } from './codec/object-classes.js'
import { type ListedObject, objectListOf, objectText } from './codec/object-list.js'
import { type AssociationPlan, type DlmsProfile, parseProfile } from './codec/profile.js'
import { type Dialogue, type Session, tryGet } from './session.js'
import type { Talk } from './talk.js'

const { data, association } = attributes
/** COSEM logical device name (IEC 62056-6-1, table of abstract objects): three letters of the maker, then what it likes. */
const logicalDeviceName = { class: data.class, obis: obis('0-0:42.0.0*255'), attribute: data.value }
/** Device ID 1: the number that the maker gave it. */
const serialNumber = { class: data.class, obis: obis('0-0:96.1.0*255'), attribute: data.value }
const currentAssociation = { class: association.class, obis: obis('0-0:40.0.0*255'), attribute: association.objectList }

/** Associations tried beside the public one, and attributes read in each: a probe is a question of seconds. */
const associationsAtMost = 4
const detailsAtMost = 40
const offersAtMost = 400
const triedAtMost = 60

interface Probing {
  readonly talk: Talk
  readonly answerWithinMs: number
  readonly signal: AbortSignal
}

/** What one association shows. */
interface View {
  readonly identity: DeviceIdentity | undefined
  readonly objects: readonly ObjectName[]
  readonly offers: readonly string[]
}

interface Candidate {
  readonly name: string
  readonly profile: DlmsProfile
}

/**
 * Asks as the public client, then as each client that a profile names and the meter's secrets allow.
 *
 * @throws {DlmsFault} when nobody answers, or no association can be opened
 */
export async function probe(job: ProbeJob, probing: Probing): Promise<Omit<Finding, 'request' | 'response'>> {
  const candidates = job.profiles.flatMap(candidateOf)
  const { ready: plans, lacking } = distinctPlans(candidates, job)
  const views = new Map<string, View>()
  const told: string[] = []
  const troubles: string[] = []
  let failure: DlmsFault | undefined
  for (const plan of [undefined, ...plans]) {
    const key = keyOf(plan)
    const wanted = candidates.filter(({ profile }) => keyOf(profile.association) === key).flatMap(({ profile }) => objectsOf(profile))
    try {
      const view = await lookAs(plan, { job, probing, wanted })
      views.set(key, view)
      // Who writes a profile has to know which client is shown what; two ways of ciphering are shown the same.
      const heading = `${planText(plan)}:`
      if (!told.includes(heading)) told.push(...(plan === undefined ? [] : [heading]), ...view.offers)
    } catch (thrown) {
      if (!(thrown instanceof DlmsFault)) throw thrown
      // Silence as the public client is a dead line, or a meter that does not talk to strangers: the plans will show.
      if (thrown.code === 'BUS_UNREACHABLE' || thrown.code === 'READ_ABORTED' || (plan === undefined && plans.length === 0)) throw thrown
      failure ??= thrown
      troubles.push(`${planText(plan)}: ${thrown.code}, ${thrown.message}`)
    }
  }
  if (views.size === 0) throw failure ?? new DlmsFault('DLMS_INCOMPLETE', 'nothing could be asked')
  const identity = [...views.values()].find((view) => view.identity !== undefined)?.identity
  const profiles = fitting(candidates, views, identity)
  const unasked = profiles.length > 0 ? [] : lacking.map((plan) => `not asked ${planText(plan)}: no key was named that has what it takes`)
  const offers = [...told, ...troubles, ...unasked].slice(0, offersAtMost)
  return { address: job.address, ...(identity === undefined ? {} : { identity }), offers, profiles }
}

/** A profile that is broken fits nothing: whoever loads it says what is wrong. */
function candidateOf({ name, value }: NamedProfile): Candidate[] {
  try {
    return [{ name, profile: parseProfile(value) }]
  } catch (thrown) {
    if (!(thrown instanceof DlmsFault)) throw thrown
    return []
  }
}

function keyOf(plan: AssociationPlan | undefined): string {
  return plan === undefined ? '' : JSON.stringify(plan)
}

function planText(plan: AssociationPlan | undefined): string {
  if (plan === undefined) return 'without security'
  return `as client ${plan.client} (authentication ${plan.authentication}, protection ${plan.protection})`
}

/** Without the secrets of a meter only what needs none can be tried. */
function distinctPlans(
  candidates: readonly Candidate[],
  { keys }: ProbeJob
): { readonly ready: readonly AssociationPlan[]; readonly lacking: readonly AssociationPlan[] } {
  const plans = new Map<string, AssociationPlan>()
  const lacking = new Map<string, AssociationPlan>()
  for (const { profile } of candidates) {
    const plan = profile.association
    if (plan === undefined) continue
    const { encryption, authentication, password } = keys?.secrets ?? {}
    const paired = encryption !== undefined && authentication !== undefined
    const ready =
      (plan.authentication !== 'lls' || password !== undefined) &&
      (paired || (plan.protection === 'none' && plan.authentication !== 'hls-gmac'))
    if (!ready) lacking.set(planText(plan), plan)
    else if (plans.size < associationsAtMost) plans.set(keyOf(plan), plan)
  }
  return { ready: [...plans.values()], lacking: [...lacking.values()].slice(0, associationsAtMost) }
}

type ObjectName = Pick<ListedObject, 'class' | 'obis'>

interface Look {
  readonly job: ProbeJob
  readonly probing: Probing
  /** what profiles of this association need */
  readonly wanted: readonly ObjectName[]
}

async function lookAs(plan: AssociationPlan | undefined, { job, probing, wanted }: Look): Promise<View> {
  const { talk, answerWithinMs, signal } = probing
  const secured = { ...(plan === undefined ? {} : { plan }), ...(job.keys === undefined ? {} : { keys: job.keys }) }
  return (await talk.hold({ address: job.address, answerWithinMs, signal, ...secured }, (session) => look(session, wanted))).value
}

function* look(session: Session, wanted: readonly ObjectName[]): Dialogue<View> {
  const identity = yield* identify(session)
  const listed = orNothing(yield* ask(session, currentAssociation), objectListOf)
  const objects = listed ?? (yield* tried(session, wanted))
  const details = yield* detailsOf(session, objects)
  const told = objects.map((object) => [objectText(object), ...(details.get(object) ?? [])].join(', '))
  return { identity, objects, offers: listed === undefined ? ['no object list', ...told] : told }
}

/** A meter that does not show its list still says of each object whether it is there: every one has its name. */
function* tried(session: Session, wanted: readonly ObjectName[]): Dialogue<readonly ObjectName[]> {
  const distinct = [...new Map(wanted.map((each) => [objectText(each), each])).values()].slice(0, triedAtMost)
  const found: ObjectName[] = []
  for (const { class: objectClass, obis: name } of distinct) {
    const ownName = yield* ask(session, { class: objectClass, obis: name, attribute: 1 })
    if (ownName !== undefined) found.push({ class: objectClass, obis: name })
  }
  return found
}

/** What a meter's maker got wrong in one answer says nothing about the next one. */
const malformed: ReadonlySet<string> = new Set([
  'DLMS_TRAILING',
  'DLMS_TRUNCATED',
  'DLMS_TAG',
  'DLMS_LENGTH',
  'DLMS_VALUE',
  'DLMS_DECIPHERED'
])

/** As `tryGet`: an answer that is none is no answer, for a probe takes meters as they are. */
export function* ask(session: Session, reference: AttributeReference): Dialogue<DlmsData | undefined> {
  try {
    const result = yield* tryGet(session, reference)
    return 'data' in result ? result.data : undefined
  } catch (thrown) {
    if (!(thrown instanceof DlmsFault) || !malformed.has(thrown.code)) throw thrown
    return undefined
  }
}

/** By the number on the dial, else by the name of the logical device. */
export function* identify(session: Session): Dialogue<DeviceIdentity | undefined> {
  const name = orNothing(yield* ask(session, logicalDeviceName), numberOf)
  const number = orNothing(yield* ask(session, serialNumber), numberOf)
  const id = number ?? name
  if (id === undefined) return undefined
  const manufacturer = name === undefined ? undefined : /^[A-Z]{3}/.exec(name)?.[0]
  return { id, ...(manufacturer === undefined ? {} : { manufacturer }) }
}

/** A value that is not what its object should hold is passed over. */
export function orNothing<Value>(data: DlmsData | undefined, read: (data: DlmsData) => Value): Value | undefined {
  try {
    return data === undefined ? undefined : read(data)
  } catch (thrown) {
    if (!(thrown instanceof DlmsFault)) throw thrown
    return undefined
  }
}

/** What the table of classes holds worth asking, until the bound. */
function* detailsOf(session: Session, objects: readonly ObjectName[]): Dialogue<ReadonlyMap<ObjectName, readonly string[]>> {
  const details = new Map<ObjectName, string[]>()
  let asked = 0
  for (const object of objects) {
    const wanted = objectClass(object.class)?.attributes.filter((row) => row.probed === true) ?? []
    for (const row of wanted) {
      if (asked >= detailsAtMost) return details
      asked += 1
      const value = yield* ask(session, { class: object.class, obis: object.obis, attribute: row.attribute })
      if (value === undefined) continue
      const text = `${row.name} ${describeAttribute(object.class, row.attribute, value)}`
      details.set(object, [...(details.get(object) ?? []), text])
    }
  }
  return details
}

/** Profiles all of whose objects an association shows: those that name the maker before those that name none, then the larger ones. */
function fitting(candidates: readonly Candidate[], views: ReadonlyMap<string, View>, identity: DeviceIdentity | undefined): string[] {
  const ranked = candidates.flatMap(({ name, profile }) => {
    const objects = views.get(keyOf(profile.association))?.objects
    const { manufacturer } = profile.device
    const stranger = manufacturer !== undefined && identity?.manufacturer !== undefined && manufacturer !== identity.manufacturer
    if (objects === undefined || stranger) return []
    const wanted = objectsOf(profile)
    const has = (each: ObjectName): boolean => objects.some((object) => object.class === each.class && object.obis === each.obis)
    return wanted.every(has)
      ? [{ name, rank: (manufacturer === undefined || manufacturer !== identity?.manufacturer ? 0 : 1000) + wanted.length }]
      : []
  })
  return ranked.sort((left, right) => right.rank - left.rank).map(({ name }) => name)
}

function objectsOf({ identity, registers, profileBuffer }: DlmsProfile): ObjectName[] {
  const buffer = profileBuffer === undefined ? [] : [{ class: attributes.profileGeneric.class, obis: profileBuffer.obis }]
  return [identity, ...registers, ...buffer]
}
