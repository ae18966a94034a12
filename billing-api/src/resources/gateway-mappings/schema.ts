import { gatewayFormats, mostMappingRows } from '@endeks/ingest/formats'
import Type, { type Static } from 'typebox'
import { Hash, Instant, strict } from '../shared.js'

/** Longer than any that is stored, so that one which is too long is told with its place, like everything else that is wrong. */
const GivenText = Type.String({ maxLength: 1_000 })
const orNull = <Schema extends Type.TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])
const Format = Type.Enum([...gatewayFormats])

export const MappingParams = Type.Object({ id: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$' }) }, strict)

const MappedKey = Type.Object({
  device: orNull(Type.String({ description: 'as the gateway names it; null for every device' })),
  key: Type.String({ description: 'as the gateway sends it; * for all that have no row of their own' }),
  obis: orNull(Type.String({ description: 'the register; null for a key that is none and is passed over', examples: ['8-0:1.0.0*255'] })),
  unit: orNull(Type.String({ examples: ['m3'] })),
  scaler: orNull(Type.Integer({ description: "of the register's least unit; null to keep each value as it was written" }))
})
export type MappedKey = Static<typeof MappedKey>
const MappedDevice = Type.Object({ device: Type.String(), serial: Type.String({ description: 'the number on the dial' }) })
export type MappedDevice = Static<typeof MappedDevice>

export const GatewayMapping = Type.Object({
  gateway: Type.String(),
  format: Format,
  keys: Type.Array(MappedKey),
  devices: Type.Array(MappedDevice),
  /** of all of the above: sent back as `replaces`, what somebody else has entered meanwhile is not overwritten */
  version: Hash
})
export type GatewayMapping = Static<typeof GatewayMapping>

export const NewGatewayMapping = Type.Object(
  {
    format: Format,
    keys: Type.Array(
      Type.Object(
        {
          device: Type.Optional(orNull(GivenText)),
          key: GivenText,
          obis: Type.Optional(orNull(GivenText)),
          unit: Type.Optional(orNull(GivenText)),
          scaler: Type.Optional(orNull(Type.Number()))
        },
        strict
      ),
      { maxItems: mostMappingRows }
    ),
    devices: Type.Array(Type.Object({ device: GivenText, serial: GivenText }, strict), { maxItems: mostMappingRows }),
    replaces: Type.Optional(Hash)
  },
  strict
)
export type NewGatewayMapping = Static<typeof NewGatewayMapping>

/** A number that was refused because nobody has said what its key is, as it came last. */
const UnmappedKey = Type.Object({
  device: Type.String(),
  key: Type.String(),
  value: Type.String({ description: 'as it was written' }),
  unit: orNull(Type.String({ description: 'as the message names it' })),
  heardAt: Instant
})
export const UnmappedKeyList = Type.Object({
  items: Type.Array(UnmappedKey),
  messages: Type.Integer({ description: 'how many of the latest refused messages were looked at' })
})
export type UnmappedKeyList = Static<typeof UnmappedKeyList>
