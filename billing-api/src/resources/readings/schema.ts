import Type, { type Static } from 'typebox'
import { Cursor, Decimal, GivenDecimal, Hash, Id, Instant, Limit, Measured, Page, strict } from '../shared.js'

export const ReadingQuery = Type.Object(
  { register: Id, from: Type.Optional(Instant), to: Type.Optional(Instant), cursor: Cursor, limit: Limit },
  strict
)
export type ReadingQuery = Static<typeof ReadingQuery>

export const Reading = Type.Object({
  register: Id,
  at: Instant,
  index: Measured,
  /** index minus the one before it in this list's order of time; null at the first */
  difference: Type.Union([Measured, Type.Null()]),
  raw: Decimal,
  scaler: Type.Integer(),
  status: Type.Integer(),
  source: Type.Union([Type.Literal('remote'), Type.Literal('hand-held'), Type.Literal('declared'), Type.Literal('manual')]),
  evidence: Type.Union([Hash, Type.Null()])
})
export type Reading = Static<typeof Reading>
export const ReadingPage = Page(Reading)

/** The black digits and, where the counter has them, the red ones. */
export const TypedIndex = Type.Object(
  { value: GivenDecimal, unit: Type.Union([Type.Literal('m3'), Type.Literal('kWh'), Type.Literal('MJ')]) },
  strict
)

export const NewReading = Type.Object(
  {
    register: Id,
    at: Instant,
    index: TypedIndex
  },
  strict
)
export type NewReading = Static<typeof NewReading>
/** 202 when the owner has not answered within two seconds: the command goes on. */
export const ReadingAccepted = Type.Object({ command: Id, state: Type.String(), outcome: Type.Union([Type.String(), Type.Null()]) })
export type ReadingAccepted = Static<typeof ReadingAccepted>
