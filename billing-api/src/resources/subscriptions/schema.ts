import Type, { type Static } from 'typebox'
import { Commodity, Cursor, Instant, Limit, Page, RegistryNo, strict } from '../shared.js'

const Ratio = Type.String({ pattern: '^[1-9]\\d{0,8}/[1-9]\\d{0,8}$', examples: ['1/1'] })

export const NewSupply = Type.Object(
  {
    servicePoint: Type.String({ minLength: 1, maxLength: 64 }),
    sign: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(-1)])),
    share: Type.Optional(Ratio)
  },
  strict
)

export const NewSubscription = Type.Object(
  {
    number: Type.String({ minLength: 1, maxLength: 32 }),
    contract: Type.String({ minLength: 1, maxLength: 32 }),
    participant: RegistryNo,
    commodity: Commodity,
    route: Type.String({ minLength: 1, maxLength: 32 }),
    openedAt: Instant,
    tariff: Type.String({ minLength: 1, maxLength: 32 }),
    supplies: Type.Array(NewSupply, { minItems: 1, maxItems: 50 })
  },
  strict
)
export type NewSubscription = Static<typeof NewSubscription>

export const SubscriptionQuery = Type.Object({ participant: Type.Optional(RegistryNo), cursor: Cursor, limit: Limit }, strict)
export const SubscriptionParams = Type.Object({ number: Type.String({ maxLength: 32 }) })
export const SubscriptionDetail = Type.Object({
  number: Type.String(),
  contract: Type.String(),
  participant: Type.Object({ registryNo: RegistryNo, name: Type.String() }),
  commodity: Commodity,
  route: Type.String(),
  openedAt: Instant,
  closedAt: Type.Union([Instant, Type.Null()]),
  tariffs: Type.Array(Type.Object({ code: Type.String(), from: Instant, to: Type.Union([Instant, Type.Null()]) })),
  supplies: Type.Array(
    Type.Object({ servicePoint: Type.String(), sign: Type.Integer(), share: Ratio, from: Instant, to: Type.Union([Instant, Type.Null()]) })
  )
})
export type SubscriptionDetail = Static<typeof SubscriptionDetail>
export const SubscriptionPage = Page(SubscriptionDetail)
