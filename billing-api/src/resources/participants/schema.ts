import Type, { type Static } from 'typebox'
import {
  CalendarDate,
  Commodity,
  Cursor,
  Decimal,
  Email,
  GivenName,
  Id,
  Instant,
  Limit,
  Measured,
  Month,
  Page,
  RegistryNo,
  strict
} from '../shared.js'

const PersonKind = Type.Union([Type.Literal('organisation'), Type.Literal('natural')])
const OwnershipStatus = Type.Union([Type.Literal('owner'), Type.Literal('tenant'), Type.Literal('other')])

export const NewParticipant = Type.Object(
  {
    kind: PersonKind,
    name: GivenName,
    ownershipStatus: OwnershipStatus,
    /** VKN or TCKN; its check digits are verified */
    taxNumber: Type.Optional(Type.String({ pattern: '^\\d{10,11}$' })),
    taxOffice: Type.Optional(Type.String({ maxLength: 100 })),
    address: Type.Optional(Type.String({ maxLength: 300 })),
    phone: Type.Optional(Type.String({ maxLength: 30 })),
    email: Type.Optional(Email)
  },
  strict
)
export type NewParticipant = Static<typeof NewParticipant>

export const ParticipantQuery = Type.Object(
  {
    /** a registry number, a name in any spelling of its letters, a tax number, a meter's serial or a parcel */
    search: Type.Optional(Type.String({ maxLength: 100 })),
    cursor: Cursor,
    limit: Limit
  },
  strict
)
export type ParticipantQuery = Static<typeof ParticipantQuery>

export const ParticipantRow = Type.Object({
  registryNo: RegistryNo,
  name: Type.String(),
  ownershipStatus: OwnershipStatus,
  properties: Type.Array(Type.String()),
  subscriptions: Type.Integer(),
  debt: Decimal,
  overdue: Decimal
})
export type ParticipantRow = Static<typeof ParticipantRow>
export const ParticipantPage = Page(ParticipantRow)

export const ParticipantParams = Type.Object({ registryNo: RegistryNo })

export const ParticipantDetail = Type.Object({
  registryNo: RegistryNo,
  kind: PersonKind,
  name: Type.String(),
  ownershipStatus: OwnershipStatus,
  /** masked but for the last four digits */
  taxNumber: Type.Union([Type.String(), Type.Null()]),
  taxOffice: Type.Union([Type.String(), Type.Null()]),
  address: Type.Union([Type.String(), Type.Null()]),
  phone: Type.Union([Type.String(), Type.Null()]),
  email: Type.Union([Type.String(), Type.Null()]),
  createdAt: Instant,
  debt: Decimal,
  overdue: Decimal,
  overdueDays: Type.Integer(),
  invoices: Type.Integer(),
  collections: Type.Integer(),
  subscriptions: Type.Array(
    Type.Object({
      number: Type.String(),
      commodity: Commodity,
      property: Type.String(),
      servicePoint: Type.String(),
      tariff: Type.Union([Type.Object({ code: Type.String(), name: Type.Object({ tr: Type.String(), en: Type.String() }) }), Type.Null()]),
      openedAt: Instant,
      closedAt: Type.Union([Instant, Type.Null()]),
      meters: Type.Array(
        Type.Object({
          id: Id,
          serial: Type.String(),
          lastReading: Type.Union([Type.Object({ at: Instant, index: Measured }), Type.Null()])
        })
      ),
      /** consumption of the running month so far */
      thisMonth: Type.Union([Measured, Type.Null()])
    })
  ),
  timeline: Type.Array(
    Type.Object({
      at: Instant,
      kind: Type.Union([Type.Literal('invoice'), Type.Literal('collection'), Type.Literal('due'), Type.Literal('installation')]),
      label: Type.String(),
      amount: Type.Union([Decimal, Type.Null()]),
      ref: Type.String()
    })
  )
})
export type ParticipantDetail = Static<typeof ParticipantDetail>

export const Consumption = Type.Object({
  unit: Type.String(),
  /** complete calendar months of the utility's zone and the running one, oldest first; a month without data is null, a gap stays a gap */
  months: Type.Array(
    Type.Object({
      month: Month,
      amount: Type.Union([Decimal, Type.Null()]),
      lastYear: Type.Union([Decimal, Type.Null()]),
      estimated: Type.Boolean(),
      running: Type.Boolean(),
      until: CalendarDate
    })
  )
})
export type Consumption = Static<typeof Consumption>
