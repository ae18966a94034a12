import { isObis, type Obis } from '@endeks/domain/metering'
import { isMeterUnit, type MeterUnit } from '@endeks/domain/units'
import { Compile } from 'typebox/compile'
import type { ProfileProblem } from '../../protocol.js'
import { DlmsFault } from './fault.js'
import { problemsIn } from './profile-problems.js'
import { profileSchema, type WrittenProfile, type writtenTypes } from './profile-schema.js'

export interface DlmsRegister {
  readonly obis: Obis
  readonly class: 3 | 4
  /** bits that stand for "no value" */
  readonly invalid: readonly bigint[]
}

export interface AssociationPlan {
  readonly client: number
  readonly authentication: 'none' | 'lls' | 'hls-gmac'
  readonly protection: 'none' | 'authenticated' | 'encrypted' | 'both'
  readonly general: boolean
  readonly dedicatedKey: boolean
  readonly counter?: Obis
}

export type Column = 'clock' | 'ignore' | Obis

export interface ProfileBuffer {
  readonly obis: Obis
  readonly captures?: readonly Column[]
  readonly access: 'range' | 'entries' | 'whole'
  readonly nulls: 'missing' | 'unchanged'
}

/** A register's value, with the scaler and unit that the profile gives it or another element does; or that element. */
export type PushColumn =
  | 'identity'
  | 'clock'
  | 'ignore'
  | { readonly kind: 'value'; readonly obis: Obis; readonly scale?: { readonly scaler: number; readonly unit: MeterUnit } }
  | { readonly kind: 'scale'; readonly obis: Obis }

/** A number that is written: an attribute that is set, or a method that takes it. */
export interface WrittenObject {
  readonly class: number
  readonly obis: Obis
  readonly member: { readonly attribute: number } | { readonly method: number }
  readonly type: (typeof writtenTypes)[number]
}

/** How a meter is told something. */
export interface CommandPlan {
  readonly association?: AssociationPlan
  readonly clock: Obis
  readonly valve: { readonly disconnector: Obis } | (WrittenObject & { readonly open: number; readonly closed: number })
  readonly credit?: WrittenObject & { readonly scaler: number; readonly unit: string }
}

export interface DlmsProfile {
  readonly name: string
  readonly device: { readonly manufacturer?: string; readonly media?: readonly string[] }
  /** undefined: the public client reads it */
  readonly association?: AssociationPlan
  readonly identity: { readonly obis: Obis; readonly class: 1 | 72 }
  readonly registers: readonly DlmsRegister[]
  readonly profileBuffer?: ProfileBuffer
  readonly push?: readonly PushColumn[]
  readonly commands: CommandPlan
}

const validator = Compile(profileSchema)

/** Holds a profile against the schema and against itself. @throws {DlmsFault} DLMS_PROFILE naming the first thing that is wrong */
export function parseProfile(profile: unknown): DlmsProfile {
  if (!validator.Check(profile)) {
    const [first] = validator.Errors(profile)
    throw new DlmsFault(
      'DLMS_PROFILE',
      `the profile is not one of DLMS: ${first?.instancePath ?? ''} ${first?.message ?? 'is not as the schema says'}`
    )
  }
  const [problem] = problemsIn(profile)
  if (problem !== undefined) throw new DlmsFault('DLMS_PROFILE', `the profile contradicts itself: ${problem.path} ${problem.message}`)
  const { association, identity, registers, profileBuffer, push, device } = profile
  return {
    name: profile.name,
    device: device ?? {},
    identity: { obis: nameOf(identity.obis), class: identity.class },
    registers: registers.map(({ obis, class: objectClass, invalid }) => ({
      obis: nameOf(obis),
      class: objectClass,
      invalid: bitsOf(invalid)
    })),
    commands: commandsOf(profile),
    ...(association === undefined ? {} : { association: planOf(association) }),
    ...(profileBuffer === undefined ? {} : { profileBuffer: bufferOf(profileBuffer) }),
    ...(push === undefined ? {} : { push: push.captures.map(pushColumnOf) })
  }
}

/** Blue Book, classes 8 and 70: what the standard calls them; whoever reads may also tell, unless the profile says otherwise. */
const standardClock = '0-0:1.0.0*255'
const standardDisconnector = '0-0:96.3.10*255'

function commandsOf({ association: reader, commands = {} }: WrittenProfile): CommandPlan {
  const { valve = { obis: standardDisconnector }, credit } = commands
  const association = commands.association ?? reader
  return {
    ...(association === undefined ? {} : { association: planOf(association) }),
    clock: nameOf(commands['set-clock']?.obis ?? standardClock),
    valve: isWritten(valve)
      ? { ...writtenOf({ ...valve, member: { attribute: valve.attribute } }), open: valve.open, closed: valve.closed }
      : { disconnector: nameOf(valve.obis) },
    ...(credit === undefined
      ? {}
      : { credit: { ...writtenOf({ ...credit, member: memberOf(credit) }), scaler: credit.scaler, unit: credit.unit } })
  }
}

type WrittenCommands = NonNullable<WrittenProfile['commands']>
type WrittenValve = NonNullable<WrittenCommands['valve']>

function isWritten(valve: WrittenValve): valve is Extract<WrittenValve, { readonly attribute: number }> {
  return 'attribute' in valve
}

type WrittenCredit = NonNullable<WrittenCommands['credit']>

function memberOf({ attribute, method }: WrittenCredit): WrittenObject['member'] {
  if (method !== undefined) return { method }
  if (attribute !== undefined) return { attribute }
  throw new DlmsFault('DLMS_PROFILE', '/commands/credit has neither an attribute nor a method')
}

function writtenOf(object: Omit<WrittenObject, 'obis'> & { readonly obis: string }): WrittenObject {
  const { class: objectClass, obis, member, type } = object
  return { class: objectClass, obis: nameOf(obis), member, type }
}

function bitsOf(invalid: WrittenProfile['registers'][number]['invalid']): readonly bigint[] {
  return (typeof invalid === 'string' ? [invalid] : (invalid ?? [])).map(BigInt)
}

function planOf(written: NonNullable<WrittenProfile['association']>): AssociationPlan {
  const { client, authentication = 'none', protection = 'none', general = false, dedicatedKey = false, counter } = written
  return { client, authentication, protection, general, dedicatedKey, ...(counter === undefined ? {} : { counter: nameOf(counter) }) }
}

function bufferOf({ obis, captures, access = 'range', nulls = 'missing' }: NonNullable<WrittenProfile['profileBuffer']>): ProfileBuffer {
  const columns = captures?.map((column) => (column === 'clock' || column === 'ignore' ? column : nameOf(column)))
  return { obis: nameOf(obis), access, nulls, ...(columns === undefined ? {} : { captures: columns }) }
}

type WrittenPush = NonNullable<WrittenProfile['push']>['captures'][number]

function pushColumnOf(column: WrittenPush): PushColumn {
  if (typeof column === 'string') return column
  if (column.scalerUnit !== undefined) return { kind: 'scale', obis: nameOf(column.scalerUnit) }
  const { obis: name = '', scaler, unit } = column
  const value = { kind: 'value', obis: nameOf(name) } as const
  if (scaler === undefined || unit === undefined) return value
  if (!isMeterUnit(unit)) throw new DlmsFault('DLMS_PROFILE', `"${unit}" is not a unit that a register is billed in`)
  return { ...value, scale: { scaler, unit } }
}

function nameOf(text: string): Obis {
  if (!isObis(text)) throw new DlmsFault('DLMS_PROFILE', `"${text}" is not an OBIS code: each group is at most 255`)
  return text
}

/** What the schema cannot say of a profile. Empty for one that does not fit the schema: that is said by the schema. */
export function checkProfile(profile: unknown): readonly ProfileProblem[] {
  return validator.Check(profile) ? problemsIn(profile) : []
}
