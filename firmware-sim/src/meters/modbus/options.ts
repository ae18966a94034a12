import Type, { type Static } from 'typebox'

/** The register maps of `maps.ts`, by name. */
export const mapNames = ['logger', 'float', 'wide'] as const
export type MapName = (typeof mapNames)[number]

/** What a simulated Modbus bus may have besides host, port and meters: the fields of a site's bus entry. */
export const modbusBusFields = {
  /** `tcp`: Modbus TCP. `rtu`: the frames of a serial line, with their CRC, as a transparent converter passes them on */
  framing: Type.Optional(Type.Enum(['tcp', 'rtu'], { default: 'tcp' })),
  /** which registers the bus's meters have */
  map: Type.Optional(Type.Enum([...mapNames], { default: 'logger' })),
  /** units that refuse: all requests, or the first so many since the start */
  refusals: Type.Optional(
    Type.Array(
      Type.Object(
        {
          address: Type.String({ minLength: 1, maxLength: 3 }),
          exception: Type.Enum([1, 2, 3, 4, 5, 6, 10, 11]),
          first: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 }))
        },
        { additionalProperties: false }
      ),
      { maxItems: 256 }
    )
  )
} as const

export const ModbusBusOptionsSchema = Type.Object(modbusBusFields, { additionalProperties: false })
export type ModbusBusOptions = Static<typeof ModbusBusOptionsSchema>
