import Type, { type Static } from 'typebox'

const strict = { additionalProperties: false } as const

/** Which registers a meter has: the maps of `maps.ts`. */
export const mapNames = ['logger', 'float', 'wide'] as const
export type MapName = (typeof mapNames)[number]

const Refusal = Type.Object(
  {
    address: Type.String({ pattern: '^\\d{1,3}$' }),
    exception: Type.Enum([1, 2, 3, 4, 5, 6, 10, 11]),
    /** only the first so many requests since the start; all unless told */
    first: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 }))
  },
  strict
)

/** What is Modbus about a simulated bus. */
export const ModbusBusOptions = Type.Object(
  {
    /** `tcp`, unless told, or `rtu`: the frames of a serial line with their CRC, as a transparent converter passes them on */
    framing: Type.Optional(Type.Enum(['tcp', 'rtu'])),
    /** of every meter of the bus, `logger` unless told */
    map: Type.Optional(Type.Enum([...mapNames])),
    /** units that answer with an exception */
    refusals: Type.Optional(Type.Array(Refusal, { maxItems: 256 }))
  },
  strict
)
export type ModbusBusOptions = Static<typeof ModbusBusOptions>
