import Type, { type Static } from 'typebox'
import { TypedIndex } from '../readings/schema.js'
import { Cursor, GivenDecimal, Id, Instant, Limit, Measured, Page, strict } from '../shared.js'

const ObisCode = Type.String({ pattern: '^\\d{1,3}-\\d{1,3}:\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\*\\d{1,3}$', examples: ['8-0:1.0.0*255'] })

export const NewRegister = Type.Object(
  {
    obis: ObisCode,
    digits: Type.Integer({ minimum: 3, maximum: 18, description: 'the counter rolls over at 10^digits of its least unit' }),
    /** physical maximum per hour in m3, kWh or MJ */
    maxPerHour: Type.Object(
      { value: GivenDecimal, unit: Type.Union([Type.Literal('m3'), Type.Literal('kWh'), Type.Literal('MJ')]) },
      strict
    ),
    /** whether its consumption is billed; a meter with several registers says so of each, or a total and its parts are billed twice */
    billed: Type.Optional(Type.Boolean())
  },
  strict
)

export const NewMeter = Type.Object(
  {
    serial: Type.String({ minLength: 1, maxLength: 64 }),
    manufacturer: Type.String({ minLength: 1, maxLength: 64 }),
    model: Type.Optional(Type.String({ maxLength: 64 })),
    medium: Type.String({ minLength: 1, maxLength: 32 }),
    registers: Type.Array(NewRegister, { minItems: 1, maxItems: 16 })
  },
  strict
)
export type NewMeter = Static<typeof NewMeter>

export const NewInstallation = Type.Object(
  {
    servicePoint: Type.String({ minLength: 1, maxLength: 64 }),
    from: Instant,
    /** the meter that stood there is dismounted at the same instant */
    to: Type.Optional(Instant),
    /** what this meter's counter shows at `from`: booked as a typed reading of it */
    openingIndex: Type.Optional(TypedIndex),
    /** what the counter of the meter that stood there showed at `from`: booked as a typed reading of that one */
    closingIndex: Type.Optional(TypedIndex)
  },
  strict
)
export type NewInstallation = Static<typeof NewInstallation>

export const NewConnection = Type.Object(
  {
    gateway: Type.String({ maxLength: 32 }),
    bus: Type.String({ minLength: 1, maxLength: 64 }),
    address: Type.String({ minLength: 1, maxLength: 64 }),
    servicePoint: Type.String({ minLength: 1, maxLength: 64 }),
    from: Instant,
    to: Type.Optional(Instant)
  },
  strict
)
export type NewConnection = Static<typeof NewConnection>

export const MeterParams = Type.Object({ id: Id })
export const MeterQuery = Type.Object({ search: Type.Optional(Type.String({ maxLength: 64 })), cursor: Cursor, limit: Limit }, strict)

export const MeterDetail = Type.Object({
  id: Id,
  serial: Type.String(),
  manufacturer: Type.String(),
  model: Type.Union([Type.String(), Type.Null()]),
  medium: Type.String(),
  registers: Type.Array(
    Type.Object({
      id: Id,
      obis: Type.String(),
      digits: Type.Integer(),
      billed: Type.Boolean(),
      lastReading: Type.Union([Type.Object({ at: Instant, index: Measured }), Type.Null()])
    })
  ),
  installations: Type.Array(
    Type.Object({ servicePoint: Type.String(), property: Type.String(), from: Instant, to: Type.Union([Instant, Type.Null()]) })
  )
})
export type MeterDetail = Static<typeof MeterDetail>
export const MeterPage = Page(MeterDetail)
