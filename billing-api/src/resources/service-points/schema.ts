import Type, { type Static } from 'typebox'
import { Commodity, Cursor, Limit, Page, strict } from '../shared.js'

export const PropertyKind = Type.Union([Type.Literal('parcel'), Type.Literal('independent-section')])

export const NewServicePoint = Type.Object(
  {
    code: Type.String({ minLength: 1, maxLength: 64 }),
    commodity: Commodity,
    property: Type.Object({ kind: PropertyKind, label: Type.String({ minLength: 1, maxLength: 64 }) }, strict)
  },
  strict
)
export type NewServicePoint = Static<typeof NewServicePoint>

export const ServicePointQuery = Type.Object({ cursor: Cursor, limit: Limit }, strict)
export const ServicePoint = Type.Object({
  code: Type.String(),
  commodity: Commodity,
  property: Type.Object({ kind: PropertyKind, label: Type.String() }),
  meter: Type.Union([Type.Object({ id: Type.String(), serial: Type.String() }), Type.Null()])
})
export type ServicePoint = Static<typeof ServicePoint>
export const ServicePointPage = Page(ServicePoint)
