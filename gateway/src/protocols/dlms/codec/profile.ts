import { isObis, type Obis } from '@endeks/domain/metering'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { profileHead } from '../../profile-head.js'
import { DlmsFault } from './fault.js'

const obisText = Type.String({ pattern: '^\\d{1,3}-\\d{1,3}:\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\*\\d{1,3}$' })

/** What is read from one kind of meter. */
export const profileSchema = Type.Object(
  {
    ...profileHead,
    protocol: Type.Literal('dlms'),
    identity: Type.Object(
      { obis: obisText, class: Type.Literal(1), attribute: Type.Literal(2) },
      { additionalProperties: false, description: 'the object whose value is the number on the dial' }
    ),
    registers: Type.Array(
      Type.Object(
        { obis: obisText, class: Type.Union([Type.Literal(3), Type.Literal(4)], { description: '3 register, 4 extended register' }) },
        { additionalProperties: false }
      ),
      { minItems: 1, maxItems: 32 }
    ),
    profileBuffer: Type.Optional(
      Type.Object(
        {
          obis: obisText,
          captures: Type.Array(Type.Union([Type.Literal('clock'), Type.Literal('ignore'), obisText]), {
            minItems: 2,
            maxItems: 64,
            description: 'the columns in order: the clock, a register named above, or a column that is not read'
          })
        },
        { additionalProperties: false, description: 'the load profile (class 7) that holds past values' }
      )
    )
  },
  { additionalProperties: false }
)

export interface DlmsRegister {
  readonly obis: Obis
  readonly class: number
}

export interface DlmsProfile {
  readonly name: string
  readonly identity: { readonly obis: Obis; readonly class: number; readonly attribute: number }
  readonly registers: readonly DlmsRegister[]
  readonly profileBuffer?: { readonly obis: Obis; readonly captures: readonly ('clock' | 'ignore' | Obis)[] }
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
  const registers = profile.registers.map((register) => ({ ...register, obis: nameOf(register.obis) }))
  const names = new Set<string>(registers.map((register) => register.obis))
  if (names.size !== registers.length) throw new DlmsFault('DLMS_PROFILE', 'the profile names a register twice')
  const identity = { ...profile.identity, obis: nameOf(profile.identity.obis) }
  const buffer = profile.profileBuffer
  if (buffer === undefined) return { name: profile.name, identity, registers }
  return { name: profile.name, identity, registers, profileBuffer: parseBuffer(buffer, names) }
}

type BufferEntry = NonNullable<Static<typeof profileSchema>['profileBuffer']>

function parseBuffer(buffer: BufferEntry, registers: ReadonlySet<string>): NonNullable<DlmsProfile['profileBuffer']> {
  const captures = buffer.captures.map((column) => (column === 'clock' || column === 'ignore' ? column : nameOf(column)))
  if (captures.filter((column) => column === 'clock').length !== 1)
    throw new DlmsFault('DLMS_PROFILE', 'the load profile needs one clock column')
  const named = captures.filter((column) => column !== 'clock' && column !== 'ignore')
  const unknown = named.find((column) => !registers.has(column))
  if (unknown !== undefined) throw new DlmsFault('DLMS_PROFILE', `the load profile has a column ${unknown} that is not among the registers`)
  if (new Set(named).size !== named.length) throw new DlmsFault('DLMS_PROFILE', 'the load profile names a column twice')
  return { obis: nameOf(buffer.obis), captures }
}

function nameOf(text: string): Obis {
  if (!isObis(text)) throw new DlmsFault('DLMS_PROFILE', `"${text}" is not an OBIS code: each group is at most 255`)
  return text
}
