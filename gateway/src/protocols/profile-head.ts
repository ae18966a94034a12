import Type from 'typebox'

/** What every profile has, whatever its protocol adds: the fields of an object schema. */
export const profileHead = {
  name: Type.String({ pattern: '^[a-z0-9][a-z0-9.-]{0,63}$' }),
  title: Type.Optional(Type.String({ maxLength: 200 })),
  source: Type.Optional(
    Type.String({ maxLength: 500, description: 'the document or recorded frame that these names and addresses come from' })
  ),
  device: Type.Optional(
    Type.Object(
      {
        manufacturer: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
        versions: Type.Optional(Type.Array(Type.Integer({ minimum: 0, maximum: 255 }), { minItems: 1, maxItems: 64 })),
        media: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 32 }), { minItems: 1, maxItems: 8 }))
      },
      {
        additionalProperties: false,
        description: 'what such a device says of itself, in the words of `DeviceIdentity`; a probe ranks by it, a read does not look at it'
      }
    )
  )
} as const
