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
  openGaps: Type.Integer(),
  /** in messages that the gateway declared lost */
  lostReadings: Type.Integer()
})
export type GatewayRow = Static<typeof GatewayRow>
export const GatewayList = Type.Object({ items: Type.Array(GatewayRow) })

export const GatewayParams = Type.Object({ id: GatewayName }, strict)
/** Messages of a gateway that are missing: open until they arrive, or declared as lost by the gateway, which had to give them up. */
export const Gap = Type.Object({
  epoch: Type.String({ description: 'a new one begins with a new spool' }),
  lane: Type.Union([Type.Literal('live'), Type.Literal('backlog')]),
  first: Type.Integer(),
  last: Type.Integer({ description: 'both numbers are missing, and all between' }),
  state: Type.Union([Type.Literal('open'), Type.Literal('declared')]),
  since: Instant,
  readings: Type.Union([Type.Integer(), Type.Null()], { description: 'how many readings were in them; only the gateway knows' }),
  reason: Type.Union([Type.String(), Type.Null()])
})
export type Gap = Static<typeof Gap>
export const GapList = Type.Object({ items: Type.Array(Gap) })
