import Type, { type Static } from 'typebox'
import { CalendarDate, Decimal, Hash, Id, Instant, Month, RegistryNo, strict } from '../shared.js'

export const RunState = Type.Union([
  Type.Literal('freezing'),
  Type.Literal('calculating'),
  Type.Literal('checking'),
  Type.Literal('checked'),
  Type.Literal('issuing'),
  Type.Literal('issued'),
  Type.Literal('failed'),
  Type.Literal('abandoned')
])

export const NewRun = Type.Object({ period: Month }, strict)
export const RunParams = Type.Object({ id: Id })
export const IssueRun = Type.Object(
  {
    /** the number of invoices as the person saw it: issuing is irreversible, so it must be the same */
    bills: Type.Integer({ minimum: 0 })
  },
  strict
)

export const RunRow = Type.Object({
  id: Id,
  period: Month,
  state: RunState,
  subjects: Type.Integer(),
  bills: Type.Integer(),
  excluded: Type.Integer(),
  net: Decimal,
  tax: Decimal,
  gross: Decimal,
  createdAt: Instant,
  issuedAt: Type.Union([Instant, Type.Null()]),
  requestedBy: Type.String()
})
export type RunRow = Static<typeof RunRow>
export const RunList = Type.Object({ items: Type.Array(RunRow) })

export const RunDetail = Type.Object({
  ...RunRow.properties,
  cutoffAt: Instant,
  issueDate: CalendarDate,
  dueDate: CalendarDate,
  digest: Type.Union([Hash, Type.Null()]),
  failure: Type.Union([Type.Object({ code: Type.String(), message: Type.String() }), Type.Null()]),
  progress: Type.Object({
    done: Type.Integer(),
    total: Type.Integer(),
    perSecond: Type.Number(),
    secondsLeft: Type.Union([Type.Number(), Type.Null()])
  }),
  checks: Type.Array(
    Type.Object({
      name: Type.String(),
      passed: Type.Boolean(),
      expected: Type.String(),
      found: Type.String(),
      offenders: Type.Array(Type.Unknown())
    })
  ),
  exclusions: Type.Array(
    Type.Object({
      subscription: Type.String(),
      participant: Type.Object({ registryNo: RegistryNo, name: Type.String() }),
      reason: Type.String()
    })
  ),
  numbers: Type.Union([Type.Object({ first: Type.String(), last: Type.String() }), Type.Null()]),
  previousGross: Type.Union([Decimal, Type.Null()]),
  actions: Type.Array(Type.Object({ name: Type.String(), allowed: Type.Boolean(), reason: Type.Union([Type.String(), Type.Null()]) }))
})
export type RunDetail = Static<typeof RunDetail>
