import { isObis, type Obis } from '@endeks/domain/metering'
import { isMeterUnit, type MeterUnit } from '@endeks/domain/units'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { profileHead } from '../../profile-head.js'
import type { ProfileProblem } from '../../protocol.js'
import { DlmsFault } from './fault.js'

const obisText = Type.String({ pattern: '^\\d{1,3}-\\d{1,3}:\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\*\\d{1,3}$' })
const strict = { additionalProperties: false } as const

const associationSchema = Type.Object(
  {
    client: Type.Integer({ minimum: 1, maximum: 0xffff, description: "this client's wPort or HDLC address" }),
    authentication: Type.Optional(Type.Enum(['none', 'lls', 'hls-gmac'])),
    protection: Type.Optional(Type.Enum(['none', 'authenticated', 'encrypted', 'both'])),
    general: Type.Optional(Type.Boolean({ description: 'general-glo-ciphering in the place of glo- APDUs' })),
    dedicatedKey: Type.Optional(Type.Boolean({ description: 'a key made for each association ciphers what follows it' })),
    counter: Type.Optional(Type.String({ ...obisText, description: 'the object in which the public client reads the last counter taken' }))
  },
  { ...strict, description: 'as whom, and how protected, such a meter is read; without it by the public client' }
)

const bufferSchema = Type.Object(
  {
    obis: obisText,
    captures: Type.Optional(
      Type.Array(Type.Union([Type.Literal('clock'), Type.Literal('ignore'), obisText]), {
        minItems: 2,
        maxItems: 64,
        description: 'the columns in order: the clock, a register named above, or one that is not read; without it as the meter says'
      })
    ),
    access: Type.Optional(
      Type.Enum(['range', 'entries', 'whole'], { description: 'how rows are chosen: by the clock (usual), by place, not' })
    ),
    nulls: Type.Optional(
      Type.Enum(['missing', 'unchanged'], { description: 'what null-data in a row means; missing unless said otherwise' })
    )
  },
  { ...strict, description: 'the load profile (class 7) that holds past values' }
)

const pushSchema = Type.Object(
  {
    captures: Type.Array(
      Type.Union([
        Type.Literal('identity'),
        Type.Literal('clock'),
        Type.Literal('ignore'),
        Type.Object(
          { obis: obisText, scaler: Type.Integer({ minimum: -128, maximum: 127 }), unit: Type.Enum(['m3', 'L', 'J', 'Wh']) },
          strict
        )
      ]),
      { minItems: 1, maxItems: 64, description: 'the elements of the pushed structure in order; a pushed value has no scaler beside it' }
    )
  },
  { ...strict, description: 'what a DataNotification of such a meter holds (push_object_list of class 40)' }
)

/** What is read from one kind of meter. */
export const profileSchema = Type.Object(
  {
    ...profileHead,
    protocol: Type.Literal('dlms'),
    association: Type.Optional(associationSchema),
    identity: Type.Union([
      Type.Object(
        { obis: obisText, class: Type.Literal(1), attribute: Type.Literal(2) },
        { ...strict, description: 'the object whose value is the number on the dial' }
      ),
      Type.Object({ obis: obisText, class: Type.Literal(72) }, { ...strict, description: 'the M-Bus meter behind this one' })
    ]),
    registers: Type.Array(
      Type.Object(
        { obis: obisText, class: Type.Union([Type.Literal(3), Type.Literal(4)], { description: '3 register, 4 extended register' }) },
        strict
      ),
      { minItems: 1, maxItems: 32 }
    ),
    profileBuffer: Type.Optional(bufferSchema),
    push: Type.Optional(pushSchema)
  },
  { additionalProperties: false }
)

export interface DlmsRegister {
  readonly obis: Obis
  readonly class: 3 | 4
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

export type PushColumn = 'identity' | 'clock' | 'ignore' | { readonly obis: Obis; readonly scaler: number; readonly unit: MeterUnit }

export interface DlmsProfile {
  readonly name: string
  readonly device: { readonly manufacturer?: string; readonly media?: readonly string[] }
  /** undefined: the public client reads it */
  readonly association?: AssociationPlan
  readonly identity: { readonly obis: Obis; readonly class: 1 | 72 }
  readonly registers: readonly DlmsRegister[]
  readonly profileBuffer?: ProfileBuffer
  readonly push?: readonly PushColumn[]
}

type Written = Static<typeof profileSchema>
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
    registers: registers.map((register) => ({ obis: nameOf(register.obis), class: register.class })),
    ...(association === undefined ? {} : { association: planOf(association) }),
    ...(profileBuffer === undefined ? {} : { profileBuffer: bufferOf(profileBuffer) }),
    ...(push === undefined ? {} : { push: push.captures.map(pushColumnOf) })
  }
}

function planOf(written: NonNullable<Written['association']>): AssociationPlan {
  const { client, authentication = 'none', protection = 'none', general = false, dedicatedKey = false, counter } = written
  return { client, authentication, protection, general, dedicatedKey, ...(counter === undefined ? {} : { counter: nameOf(counter) }) }
}

function bufferOf({ obis, captures, access = 'range', nulls = 'missing' }: NonNullable<Written['profileBuffer']>): ProfileBuffer {
  const columns = captures?.map((column) => (column === 'clock' || column === 'ignore' ? column : nameOf(column)))
  return { obis: nameOf(obis), access, nulls, ...(columns === undefined ? {} : { captures: columns }) }
}

function pushColumnOf(column: NonNullable<Written['push']>['captures'][number]): PushColumn {
  if (typeof column === 'string') return column
  const { obis, scaler, unit } = column
  if (!isMeterUnit(unit)) throw new DlmsFault('DLMS_PROFILE', `"${unit}" is not a unit that a register is billed in`)
  return { obis: nameOf(obis), scaler, unit }
}

function nameOf(text: string): Obis {
  if (!isObis(text)) throw new DlmsFault('DLMS_PROFILE', `"${text}" is not an OBIS code: each group is at most 255`)
  return text
}

/** What the schema cannot say of a profile. Empty for one that does not fit the schema: that is said by the schema. */
export function checkProfile(profile: unknown): readonly ProfileProblem[] {
  return validator.Check(profile) ? problemsIn(profile) : []
}

function problemsIn(profile: Written): readonly ProfileProblem[] {
  return [
    ...nameProblems(profile),
    ...registerProblems(profile),
    ...bufferProblems(profile),
    ...pushProblems(profile),
    ...associationProblems(profile)
  ]
}

function* nameProblems({ identity, registers, profileBuffer, association, push }: Written): Iterable<ProfileProblem> {
  const named: [string, string | undefined][] = [
    ['/identity/obis', identity.obis],
    ...registers.map((register, index): [string, string] => [`/registers/${index}/obis`, register.obis]),
    ['/profileBuffer/obis', profileBuffer?.obis],
    ...(profileBuffer?.captures ?? []).map((column, index): [string, string | undefined] => {
      return [`/profileBuffer/captures/${index}`, column === 'clock' || column === 'ignore' ? undefined : column]
    }),
    ['/association/counter', association?.counter],
    ...(push?.captures ?? []).map((column, index): [string, string | undefined] => {
      return [`/push/captures/${index}/obis`, typeof column === 'string' ? undefined : column.obis]
    })
  ]
  for (const [path, obis] of named) {
    if (obis !== undefined && !isObis(obis)) yield { path, message: `"${obis}" is not an OBIS code: each group is at most 255` }
  }
}

function* doubles(names: readonly (string | undefined)[], pathOf: (index: number) => string): Iterable<ProfileProblem> {
  for (const [index, name] of names.entries()) {
    const first = names.indexOf(name)
    if (name !== undefined && first < index) yield { path: pathOf(index), message: `"${name}" stands already at ${pathOf(first)}` }
  }
}

function registerProblems({ registers }: Written): Iterable<ProfileProblem> {
  return doubles(
    registers.map((register) => register.obis),
    (index) => `/registers/${index}/obis`
  )
}

function* bufferProblems({ profileBuffer, registers }: Written): Iterable<ProfileProblem> {
  const captures = profileBuffer?.captures
  if (captures === undefined) return
  const path = '/profileBuffer/captures'
  const clocks = captures.filter((column) => column === 'clock').length
  if (clocks !== 1) yield { path, message: `needs one clock column, not ${clocks}` }
  const named = captures.map((column) => (column === 'clock' || column === 'ignore' ? undefined : column))
  yield* doubles(named, (index) => `${path}/${index}`)
  for (const [index, column] of named.entries()) {
    if (column !== undefined && !registers.some((register) => register.obis === column))
      yield { path: `${path}/${index}`, message: `${column} is not among the registers` }
  }
}

function* pushProblems({ push, registers }: Written): Iterable<ProfileProblem> {
  if (push === undefined) return
  const named = push.captures.map((column) => (typeof column === 'string' ? (column === 'ignore' ? undefined : column) : column.obis))
  yield* doubles(named, (index) => `/push/captures/${index}`)
  if (!named.includes('identity')) yield { path: '/push/captures', message: 'has no identity: nobody could tell whose values they are' }
  for (const [index, column] of push.captures.entries()) {
    if (typeof column !== 'string' && !registers.some((register) => register.obis === column.obis))
      yield { path: `/push/captures/${index}/obis`, message: `${column.obis} is not among the registers` }
  }
}

function* associationProblems({ association }: Written): Iterable<ProfileProblem> {
  if (association === undefined) return
  const { authentication = 'none', protection = 'none', counter, general = false, dedicatedKey = false } = association
  const ciphered = protection !== 'none'
  if (counter !== undefined && !ciphered && authentication !== 'hls-gmac')
    yield { path: '/association/counter', message: 'has no use: nothing is ciphered and no challenge is answered' }
  if (dedicatedKey && !ciphered) yield { path: '/association/dedicatedKey', message: 'has no use: nothing is ciphered' }
  // The key itself travels in the AARQ: it must not be readable there.
  if (dedicatedKey && protection === 'authenticated')
    yield { path: '/association/dedicatedKey', message: 'would be sent in the clear: protection must be encrypted or both' }
  if (general && !ciphered) yield { path: '/association/general', message: 'has no use: nothing is ciphered' }
}
