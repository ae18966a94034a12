import Type, { type Static } from 'typebox'
import { profileHead } from '../../profile-head.js'

const obisText = Type.String({ pattern: '^\\d{1,3}-\\d{1,3}:\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\*\\d{1,3}$' })
const strict = { additionalProperties: false } as const
/** the bits of a value, as the data sheet writes them */
const bits = Type.String({ pattern: '^0x[0-9A-Fa-f]{1,16}$' })

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
          {
            obis: Type.Optional(obisText),
            scaler: Type.Optional(Type.Integer({ minimum: -12, maximum: 12 })),
            unit: Type.Optional(Type.Enum(['m3', 'L', 'J', 'Wh'])),
            scalerUnit: Type.Optional(obisText)
          },
          { ...strict, description: '{ obis } a value, { obis, scaler, unit } one whose scaler is not pushed, { scalerUnit } of which one' }
        )
      ]),
      {
        minItems: 1,
        maxItems: 64,
        description: "the elements of the pushed structure in order; a register's scaler and unit are said here, or pushed beside it"
      }
    )
  },
  { ...strict, description: 'what a DataNotification of such a meter holds (push_object_list of class 40)' }
)

/** Types of a value that is written: whole numbers, and the boolean, which is 0 or 1 here. */
export const writtenTypes = [
  'boolean',
  'integer',
  'unsigned',
  'long',
  'long-unsigned',
  'double-long',
  'double-long-unsigned',
  'long64',
  'long64-unsigned',
  'enum'
] as const
const writtenType = Type.Enum([...writtenTypes])
const anyClass = Type.Integer({ minimum: 1, maximum: 0xffff })
/** Below zero are the maker's own (Blue Book 4.1.2). */
const anyAttribute = Type.Integer({ minimum: -128, maximum: 127 })
const anyValue = Type.Integer({ minimum: -0x8000_0000, maximum: 0xffff_ffff })

const commandsSchema = Type.Object(
  {
    association: Type.Optional({
      ...associationSchema,
      description: 'as whom such a meter is told something, where that is another than who reads it'
    }),
    'set-clock': Type.Optional(
      Type.Object({ obis: obisText }, { ...strict, description: 'the clock (class 8), where it is not 0-0:1.0.0*255' })
    ),
    valve: Type.Optional(
      Type.Union([
        Type.Object({ obis: obisText }, { ...strict, description: 'a disconnect control (class 70), where it is not 0-0:96.3.10*255' }),
        Type.Object(
          { class: anyClass, obis: obisText, attribute: anyAttribute, type: writtenType, open: anyValue, closed: anyValue },
          { ...strict, description: 'an attribute that opens and closes by being set' }
        )
      ])
    ),
    credit: Type.Optional(
      Type.Object(
        {
          class: anyClass,
          obis: obisText,
          attribute: Type.Optional(anyAttribute),
          method: Type.Optional(anyAttribute),
          type: writtenType,
          scaler: Type.Integer({ minimum: -12, maximum: 12 }),
          unit: Type.String({ pattern: '^[A-Za-z0-9]{1,8}$' })
        },
        { ...strict, description: 'an attribute that is set to, or a method that takes, the amount in 10^scaler of unit' }
      )
    )
  },
  { ...strict, description: 'how such a meter is told something' }
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
        {
          obis: obisText,
          class: Type.Union([Type.Literal(3), Type.Literal(4)], { description: '3 register, 4 extended register' }),
          invalid: Type.Optional(
            Type.Union([bits, Type.Array(bits, { minItems: 1, maxItems: 8 })], {
              description: 'what the register holds when the meter has no value: such a value gives no reading'
            })
          )
        },
        strict
      ),
      { minItems: 1, maxItems: 32 }
    ),
    profileBuffer: Type.Optional(bufferSchema),
    push: Type.Optional(pushSchema),
    commands: Type.Optional(commandsSchema)
  },
  { additionalProperties: false }
)

/** A profile as it is written. */
export type WrittenProfile = Static<typeof profileSchema>
