import type { Obis } from '@endeks/domain/metering'
import type { EpochMs } from '@endeks/domain/time'
import { captureObjectsOf, columnsOf } from './codec/capture-objects.js'
import { allows } from './codec/conformance.js'
import { integerOf } from './codec/data-types.js'
import { DlmsFault } from './codec/fault.js'
import type { AttributeReference } from './codec/get.js'
import { identityReferences } from './codec/identity.js'
import { attributes, sortMethods } from './codec/object-classes.js'
import { valueIn } from './codec/open-get.js'
import type { DlmsProfile, ProfileBuffer } from './codec/profile.js'
import { type EntryRange, rangeByClock, rangeByEntry } from './codec/selective-access.js'
import type { GetResult } from './codec/service-layouts.js'
import { type Dialogue, get, getAll, type Session, tryGet } from './session.js'

const { register: registerAttribute, extendedRegister, profileGeneric } = attributes

/** What one conversation is to bring. */
export interface Reading {
  readonly profile: DlmsProfile
  readonly zone: string
  readonly want: { readonly kind: 'current' } | { readonly kind: 'history'; readonly since: EpochMs }
  /** the gateway's clock: end of the range that is asked for */
  readonly now: EpochMs
}

/**
 * Identity, then scaler, unit and value of each register, then, for history, the load profile. Everything that turns the bytes
 * into readings is asked for here, so the evidence needs nothing beside it.
 *
 * @throws {DlmsFault} as soon as an answer cannot be used
 */
export function* read(session: Session, reading: Reading): Dialogue {
  const { profile, want } = reading
  const references = [...identityReferences(profile.identity), ...profile.registers.flatMap(registerReferences)]
  const results = yield* getAll(session, references)
  for (const [index, reference] of references.entries()) {
    const result = results[index]
    if (result !== undefined) valueIn(reference, result)
  }
  if (want.kind === 'history' && profile.profileBuffer !== undefined)
    yield* readBuffer(session, profile.profileBuffer, { ...reading, since: want.since })
}

function registerReferences(register: { readonly obis: Obis; readonly class: 3 | 4 }): AttributeReference[] {
  const captured = register.class === extendedRegister.class ? [extendedRegister.captureTime] : []
  return [registerAttribute.scalerUnit, registerAttribute.value, ...captured].map((attribute) => ({ ...register, attribute }))
}

/** Refusals of a selection, not of the buffer: type-unmatched, scope-of-access-violated, other-reason. */
const refusesSelection: ReadonlySet<number> = new Set([12, 13, 250])

function* readBuffer(session: Session, buffer: ProfileBuffer, options: Reading & { readonly since: EpochMs }): Dialogue {
  const { profile, since, now, zone } = options
  const of = (attribute: number): AttributeReference => ({ class: profileGeneric.class, obis: buffer.obis, attribute })
  // Known before the rows are: a profile that is wrong costs the line one short answer.
  const captured = yield* tryGet(session, of(profileGeneric.captureObjects))
  if ('data' in captured) columnsOf(captureObjectsOf(captured.data), { registers: profile.registers, captures: buffer.captures })
  else if (buffer.captures === undefined) valueIn(of(profileGeneric.captureObjects), captured)
  if (buffer.nulls === 'unchanged') yield* getAll(session, [of(profileGeneric.capturePeriod), of(profileGeneric.sortMethod)])
  const whole = of(profileGeneric.buffer)
  // A meter without selective access gives its whole buffer: more than asked, and nothing is booked twice.
  if (buffer.access === 'whole' || !allows(session.association.conformance, 'selective-access')) {
    yield* get(session, whole)
    return
  }
  if (buffer.access === 'range') {
    const ranged = yield* tryGet(session, whole, rangeByClock({ from: since, to: now, zone }))
    if ('data' in ranged) return
    if (!refusesSelection.has(ranged.error)) valueIn(whole, ranged)
  }
  const entries = entriesSince(yield* entryFacts(session, of), since, now)
  if (entries !== undefined) yield* get(session, whole, rangeByEntry(entries))
}

interface EntryFacts {
  readonly inUse: number
  /** 0: rows are not captured by the clock */
  readonly periodMs: number
  readonly sortMethod: number
}

function* entryFacts(session: Session, of: (attribute: number) => AttributeReference): Dialogue<EntryFacts> {
  const { entriesInUse, capturePeriod, sortMethod } = profileGeneric
  const [inUse, period, sorted] = yield* getAll(session, [of(entriesInUse), of(capturePeriod), of(sortMethod)])
  return { inUse: whole(inUse), periodMs: 1000 * whole(period), sortMethod: whole(sorted) }
}

/** @throws {DlmsFault} DLMS_VALUE for a buffer that does not say where its rows stand */
function whole(result: GetResult | undefined): number {
  const number = result !== undefined && 'data' in result ? integerOf(result.data) : undefined
  if (number === undefined)
    throw new DlmsFault('DLMS_VALUE', 'a load profile does not say how many rows it has, how often and in which order')
  return Number(number)
}

/**
 * The rows that can be younger than an instant. One more than the period says, for the row that is under way; all where the
 * period or the order says nothing.
 *
 * @returns undefined for an empty buffer
 */
export function entriesSince({ inUse, periodMs, sortMethod }: EntryFacts, since: EpochMs, now: EpochMs): EntryRange | undefined {
  if (inUse <= 0) return undefined
  const count = periodMs === 0 ? inUse : Math.min(inUse, Math.ceil(Math.max(now - since, 0) / periodMs) + 1)
  if (sortMethod === sortMethods.firstInFirstOut) return { from: inUse - count + 1, to: inUse }
  if (sortMethod === sortMethods.lastInFirstOut) return { from: 1, to: count }
  return { from: 1, to: inUse }
}
