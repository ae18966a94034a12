import Type, { type Static } from 'typebox'
import { Decimal, Instant, Month } from '../shared.js'

export const Overview = Type.Object({
  asOf: Instant,
  utility: Type.Object({ name: Type.String(), zone: Type.String(), currency: Type.String() }),
  exceptions: Type.Object({ open: Type.Integer(), holding: Type.Integer() }),
  unassigned: Type.Integer(),
  meters: Type.Object({ installed: Type.Integer(), heardWithinDay: Type.Integer(), silent: Type.Integer() }),
  collections: Type.Object({ today: Decimal, receiptsToday: Type.Integer() }),
  debt: Type.Object({ open: Decimal, invoices: Type.Integer(), overdue: Decimal, overdueInvoices: Type.Integer() }),
  lastRun: Type.Union([
    Type.Object({
      id: Type.String(),
      period: Month,
      state: Type.String(),
      bills: Type.Integer(),
      excluded: Type.Integer(),
      gross: Decimal
    }),
    Type.Null()
  ]),
  /** thirteen months, oldest first */
  months: Type.Array(Type.Object({ month: Month, accrued: Decimal, collected: Decimal, invoices: Type.Integer() }))
})
export type Overview = Static<typeof Overview>
