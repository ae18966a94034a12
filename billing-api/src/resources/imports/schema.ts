import Type, { type Static } from 'typebox'
import { NewConnection, NewMeter } from '../meters/schema.js'
import { NewParticipant } from '../participants/schema.js'
import { NewServicePoint } from '../service-points/schema.js'
import { CalendarDate, Commodity, GivenName, Instant, RegistryNo, strict } from '../shared.js'
import { NewSupply } from '../subscriptions/schema.js'

const Series = Type.String({ pattern: '^[A-Z0-9]{3}$' })

/**
 * A whole site at once, by natural keys: what is missing is made, what stands as described is left, and anything that
 * contradicts what stands refuses the whole import. The same document again changes nothing.
 */
export const SiteImport = Type.Object(
  {
    utility: Type.Object(
      {
        name: GivenName,
        taxNumber: Type.String({ pattern: '^\\d{10}$' }),
        taxOffice: Type.String({ maxLength: 100 }),
        address: Type.String({ maxLength: 300 }),
        iban: Type.Optional(Type.String({ pattern: '^TR\\d{24}$' })),
        zone: Type.String({ minLength: 1, maxLength: 64 }),
        currency: Type.String({ pattern: '^[A-Z]{3}$' }),
        invoiceSeries: Series,
        receiptSeries: Series,
        paymentDays: Type.Integer({ minimum: 0, maximum: 365 })
      },
      strict
    ),
    parameters: Type.Array(
      Type.Object({ name: Type.String({ minLength: 1, maxLength: 64 }), validFrom: CalendarDate, value: Type.Unknown() }, strict),
      { maxItems: 1_000 }
    ),
    tariffs: Type.Array(Type.Unknown(), { maxItems: 1_000 }),
    gateways: Type.Array(
      Type.Object(
        {
          id: Type.String({ maxLength: 32 }),
          name: Type.String({ maxLength: 100 }),
          password: Type.String({ minLength: 16, maxLength: 128 })
        },
        strict
      ),
      { maxItems: 10_000 }
    ),
    participants: Type.Array(Type.Object({ ...NewParticipant.properties, registryNo: RegistryNo }, strict), { maxItems: 100_000 }),
    servicePoints: Type.Array(NewServicePoint, { maxItems: 100_000 }),
    meters: Type.Array(NewMeter, { maxItems: 100_000 }),
    installations: Type.Array(
      Type.Object(
        {
          meter: Type.Object({ serial: Type.String({ maxLength: 64 }), manufacturer: Type.String({ maxLength: 64 }) }, strict),
          servicePoint: Type.String({ maxLength: 64 }),
          from: Instant,
          to: Type.Optional(Instant)
        },
        strict
      ),
      { maxItems: 200_000 }
    ),
    connections: Type.Array(NewConnection, { maxItems: 200_000 }),
    subscriptions: Type.Array(
      Type.Object(
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
      ),
      { maxItems: 100_000 }
    )
  },
  strict
)
export type SiteImport = Static<typeof SiteImport>

export const ImportResult = Type.Object({
  created: Type.Record(Type.String(), Type.Integer()),
  unchanged: Type.Record(Type.String(), Type.Integer())
})
export type ImportResult = Static<typeof ImportResult>
