import Type, { type Static } from 'typebox'
import { CalendarDate, Cursor, Decimal, GivenDecimal, Id, Instant, Limit, Page, RegistryNo, strict } from '../shared.js'

export const NewCollection = Type.Object(
  {
    participant: RegistryNo,
    method: Type.Literal('cash'),
    /** oldest first where a part is paid; they add up to the money taken */
    invoices: Type.Array(Type.Object({ id: Id, amount: GivenDecimal }, strict), { minItems: 1, maxItems: 500 })
  },
  strict
)
export type NewCollection = Static<typeof NewCollection>

/** Minted when the form opens: the same key again gives the same receipt, never a second one. */
export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.String({ minLength: 8, maxLength: 100, pattern: '^[A-Za-z0-9_-]+$' })
})

export const Collection = Type.Object({
  id: Id,
  label: Type.String({ description: 'receipt number' }),
  participant: Type.Object({ registryNo: RegistryNo, name: Type.String() }),
  method: Type.String(),
  amount: Decimal,
  date: CalendarDate,
  takenAt: Instant,
  takenBy: Type.String(),
  invoices: Type.Array(Type.Object({ id: Id, label: Type.String(), amount: Decimal, open: Decimal })),
  /** what the participant owes after it */
  debt: Decimal
})
export type Collection = Static<typeof Collection>
export const CollectionQuery = Type.Object(
  { participant: Type.Optional(RegistryNo), date: Type.Optional(CalendarDate), cursor: Cursor, limit: Limit },
  strict
)
export const CollectionPage = Page(Collection)
export const CollectionParams = Type.Object({ id: Type.String({ pattern: '^(\\d{1,19}|[A-Z0-9]{3}\\d{13})$' }) })
