import { isObis } from '@endeks/domain/metering'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { profileHead } from '../../profile-head.js'
import { recordFunctions } from './record.js'

const strict = { additionalProperties: false } as const

/** Which record of a meter is which register. A record with qualifiers matches only a register that names the same ones. */
const RegisterSchema = Type.Object(
  {
    obis: Type.Refine(Type.String({ maxLength: 32 }), isObis, () => 'is not an OBIS code such as 8-0:1.0.0*255'),
    quantity: Type.Union([Type.Literal('volume'), Type.Literal('energy')]),
    function: Type.Enum([...recordFunctions]),
    tariff: Type.Integer({ minimum: 0, maximum: 2 ** 20 - 1 }),
    subunit: Type.Integer({ minimum: 0, maximum: 1023 }),
    /** `current`: storage number 0, at the gateway's clock. `stored`: every other one that comes with its date */
    storage: Type.Union([Type.Literal('current'), Type.Literal('stored')]),
    qualifiers: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z0-9-]{1,64}$' }), { maxItems: 4 }))
  },
  strict
)

/** Bytes of data records, DIF first. */
const Records = Type.String({ pattern: '^([0-9A-Fa-f]{2}){1,64}$' })

/** How such a meter is told something, each as data records in one frame of CI 51. */
const CommandsSchema = Type.Object(
  {
    valve: Type.Optional(Type.Object({ open: Records, closed: Records }, strict)),
    credit: Type.Optional(
      Type.Object(
        {
          /** DIF, VIF and what else stands before the amount */
          head: Records,
          coding: Type.Enum(['integer', 'bcd']),
          bytes: Type.Enum([1, 2, 3, 4, 6]),
          scaler: Type.Integer({ minimum: -12, maximum: 12 }),
          unit: Type.String({ pattern: '^[A-Za-z0-9]{1,8}$' })
        },
        strict
      )
    )
  },
  strict
)

export const MbusProfileSchema = Type.Object(
  {
    ...profileHead,
    protocol: Type.Literal('mbus'),
    /** before each readout the meter's application is started anew: some meters begin with their first telegram only then */
    applicationReset: Type.Optional(Type.Object({ subcode: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })) }, strict)),
    registers: Type.Array(RegisterSchema, { minItems: 1, maxItems: 64 }),
    commands: Type.Optional(CommandsSchema)
  },
  strict
)

export type MbusProfile = Static<typeof MbusProfileSchema>
export type MbusRegister = MbusProfile['registers'][number]

const validator = Compile(MbusProfileSchema)
/** Profiles are few and live as long as the process; each is checked once. */
const checked = new WeakSet<object>()

export function isMbusProfile(profile: unknown): profile is MbusProfile {
  if (typeof profile !== 'object' || profile === null) return false
  if (checked.has(profile)) return true
  if (!validator.Check(profile)) return false
  checked.add(profile)
  return true
}
