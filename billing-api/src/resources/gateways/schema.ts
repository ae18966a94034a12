import Type, { type Static } from 'typebox'
import { Instant, strict } from '../shared.js'

const GatewayName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$' })
export const NewGateway = Type.Object({ id: GatewayName, name: Type.String({ minLength: 1, maxLength: 100 }) }, strict)
/** The password is shown once and kept as a hash. */
export const EnrolledGateway = Type.Object({ id: GatewayName, password: Type.String() })
export const GatewayRow = Type.Object({
  id: GatewayName,
  name: Type.String(),
  lastHeardAt: Type.Union([Instant, Type.Null()]),
  meters: Type.Integer(),
  unassigned: Type.Integer(),
  deadLetters: Type.Integer(),
  openGaps: Type.Integer()
})
export type GatewayRow = Static<typeof GatewayRow>
export const GatewayList = Type.Object({ items: Type.Array(GatewayRow) })
