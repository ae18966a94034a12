import { FaultSchema, LoadShapeSchema } from '@endeks/firmware-sim/site'
import Type, { type Static } from 'typebox'

const strict = { additionalProperties: false } as const
const CalendarDate = Type.String({ pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$' })
/** Six groups of 0 to 255. */
const group = '(\\d|[1-9]\\d|1\\d\\d|2[0-4]\\d|25[0-5])'
const obisPattern = `^${group}-${group}:${group}\\.${group}\\.${group}\\*${group}$`
const Decimal = Type.String({ pattern: '^\\d{1,15}(\\.\\d{1,6})?$' })
const Name = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$' })
/** A gateway's name is also its MQTT client id and a level of its topics. */
const GatewayName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$' })
/** One line that shows something: no control or invisible characters. */
const Line = (maxLength: number) => Type.String({ pattern: '^(?=.*\\S)[^\\p{Cc}\\p{Cf}]+$', maxLength })
const Series = Type.String({ pattern: '^[A-Z0-9]{3}$' })

const Utility = Type.Object(
  {
    name: Line(200),
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
)

/** What the simulated device behind an entry counts; only in a simulated site. */
const Simulated = Type.Object(
  {
    scaler: Type.Integer({ minimum: -6, maximum: 6 }),
    version: Type.Integer({ minimum: 0, maximum: 255 }),
    initialIndex: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    shape: LoadShapeSchema,
    /** what is wrong with the device or its line, as the simulator's own site file has it */
    faults: Type.Optional(Type.Array(FaultSchema, { maxItems: 32 }))
  },
  strict
)

/**
 * A meter at a point. Where a meter was exchanged, the point lists both: the old one with `to` and its closing index, the new
 * one with `from` and its opening index.
 */
const Meter = Type.Object(
  {
    serial: Type.String({ pattern: '^[\\x21-\\x7e]{1,32}$' }),
    manufacturer: Type.String({ pattern: '^[A-Z]{3}$' }),
    model: Type.Optional(Type.String({ maxLength: 64 })),
    medium: Type.Enum(['water', 'cold-water', 'hot-water', 'waste-water', 'gas', 'heat']),
    obis: Type.String({ pattern: obisPattern }),
    /** digits of the counter in its least unit: it rolls over at 10^digits of it */
    digits: Type.Integer({ minimum: 3, maximum: 15 }),
    maxPerHour: Type.Object({ value: Decimal, unit: Type.Enum(['m3', 'kWh', 'MJ']) }, strict),
    gateway: GatewayName,
    bus: Name,
    address: Type.String({ minLength: 1, maxLength: 64 }),
    profile: Name,
    from: Type.Optional(CalendarDate),
    to: Type.Optional(CalendarDate),
    openingIndex: Type.Optional(Decimal),
    closingIndex: Type.Optional(Decimal),
    simulated: Type.Optional(Simulated)
  },
  strict
)

const Point = Type.Object(
  {
    code: Line(64),
    property: Type.Object(
      { kind: Type.Enum(['parcel', 'independent-section']), label: Type.String({ minLength: 1, maxLength: 64 }) },
      strict
    ),
    commodity: Type.Enum(['water', 'wastewater', 'gas', 'heat']),
    participant: Type.String({ pattern: '^\\d{1,12}$' }),
    contract: Type.String({ minLength: 1, maxLength: 32 }),
    subscription: Type.String({ minLength: 1, maxLength: 32 }),
    route: Type.String({ minLength: 1, maxLength: 32 }),
    tariff: Type.String({ minLength: 1, maxLength: 32 }),
    meters: Type.Array(Meter, { minItems: 1, maxItems: 20 })
  },
  strict
)

const Participant = Type.Object(
  {
    registryNo: Type.String({ pattern: '^\\d{1,12}$' }),
    kind: Type.Enum(['organisation', 'natural']),
    name: Line(200),
    ownershipStatus: Type.Enum(['owner', 'tenant', 'other']),
    taxNumber: Type.Optional(Type.String({ pattern: '^\\d{10,11}$' })),
    taxOffice: Type.Optional(Type.String({ maxLength: 100 })),
    address: Type.Optional(Type.String({ maxLength: 300 })),
    phone: Type.Optional(Type.String({ maxLength: 30 })),
    email: Type.Optional(Type.String({ maxLength: 200 }))
  },
  strict
)

const Bus = Type.Object(
  {
    name: Name,
    protocol: Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' }),
    host: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
    /** a simulated bus takes any free one where none is given */
    port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
    answerWithinMs: Type.Optional(Type.Integer({ minimum: 10, maximum: 60_000 }))
  },
  strict
)

/**
 * A site in one file: the house, its tariffs, its participants, and at each point who is supplied, by which meter, and where
 * that meter is reached. With `simulation` the meters are simulated and the closed months billed; without it nothing is.
 */
export const SiteSchema = Type.Object(
  {
    utility: Utility,
    /** KDV rates by class, oldest first */
    kdv: Type.Record(Name, Type.Array(Type.Object({ from: CalendarDate, rate: Decimal }, strict), { minItems: 1, maxItems: 200 })),
    /** tariff documents, held against the rating engine's own schema */
    tariffs: Type.Array(Type.Unknown(), { minItems: 1, maxItems: 1_000 }),
    /** how often current indexes are read */
    pollEveryMs: Type.Integer({ minimum: 1_000, maximum: 31 * 86_400_000 }),
    /** closed calendar months whose stored values are read at the first start */
    historyMonths: Type.Integer({ minimum: 1, maximum: 23 }),
    simulation: Type.Optional(Type.Object({ billClosedMonths: Type.Boolean() }, strict)),
    gateways: Type.Array(
      Type.Object(
        { id: GatewayName, name: Type.String({ minLength: 1, maxLength: 100 }), buses: Type.Array(Bus, { minItems: 1, maxItems: 64 }) },
        strict
      ),
      { minItems: 1, maxItems: 1_000 }
    ),
    participants: Type.Array(Participant, { minItems: 1, maxItems: 100_000 }),
    points: Type.Array(Point, { minItems: 1, maxItems: 100_000 })
  },
  strict
)
export type Site = Static<typeof SiteSchema>
export type SitePoint = Site['points'][number]
export type SiteMeter = SitePoint['meters'][number]
