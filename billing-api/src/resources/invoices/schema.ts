import Type, { type Static } from 'typebox'
import {
  CalendarDate,
  Cursor,
  Decimal,
  ExchangeName,
  GivenDecimal,
  Hash,
  Id,
  Instant,
  Limit,
  Measured,
  Month,
  Names,
  RegistryNo,
  strict
} from '../shared.js'

export const InvoiceStatus = Type.Union([Type.Literal('open'), Type.Literal('overdue'), Type.Literal('settled')])

export const InvoiceQuery = Type.Object(
  {
    participant: Type.Optional(RegistryNo),
    period: Type.Optional(Month),
    year: Type.Optional(Type.Integer({ minimum: 2000, maximum: 2099 })),
    /** unpaid is open or overdue */
    status: Type.Optional(Type.Union([...InvoiceStatus.anyOf, Type.Literal('unpaid')])),
    number: Type.Optional(Type.String({ maxLength: 16 })),
    issuedFrom: Type.Optional(CalendarDate),
    issuedTo: Type.Optional(CalendarDate),
    grossFrom: Type.Optional(GivenDecimal),
    grossTo: Type.Optional(GivenDecimal),
    cursor: Cursor,
    limit: Limit
  },
  strict
)
export type InvoiceQuery = Static<typeof InvoiceQuery>

export const InvoiceRow = Type.Object({
  id: Id,
  label: Type.String(),
  participant: Type.Object({ registryNo: RegistryNo, name: Type.String() }),
  subscription: Type.String(),
  period: Month,
  issueDate: CalendarDate,
  dueDate: CalendarDate,
  gross: Decimal,
  open: Decimal,
  status: InvoiceStatus
})
export type InvoiceRow = Static<typeof InvoiceRow>
export const InvoicePage = Type.Object({
  items: Type.Array(InvoiceRow),
  next: Type.Union([Type.String(), Type.Null()]),
  /** over the whole filter, not the page */
  totals: Type.Object({ count: Type.Integer(), gross: Decimal, open: Decimal })
})
export type InvoicePage = Static<typeof InvoicePage>

/** A surrogate id, the number on the paper, or the thirteen digits of its barcode. */
export const InvoiceParams = Type.Object({ id: Type.String({ pattern: '^(\\d{1,19}|[A-Z0-9]{3}\\d{13})$' }) })
export const LineParams = Type.Object({ ...InvoiceParams.properties, line: Type.Integer({ minimum: 1, maximum: 1_000 }) })

const Slice = Type.Object({
  /** bounds of the tier for this period's days */
  from: Decimal,
  to: Type.Union([Decimal, Type.Null()]),
  quantity: Decimal,
  rate: Decimal,
  amount: Decimal
})

const Line = Type.Object({
  line: Type.Integer(),
  component: Type.String(),
  name: Names,
  quantity: Type.Union([Measured, Type.Null()]),
  /** null where the line has several tiers: see its slices */
  rate: Type.Union([Decimal, Type.Null()]),
  net: Decimal,
  kdvRate: Decimal,
  kdv: Decimal,
  slices: Type.Array(Slice)
})

export type InvoiceLine = Static<typeof Line>

export const InvoiceDetail = Type.Object({
  ...InvoiceRow.properties,
  currency: Type.String(),
  issuedAt: Instant,
  issuedBy: Type.String(),
  receiver: Type.Object({
    name: Type.String(),
    taxNumber: Type.Union([Type.String(), Type.Null()]),
    taxOffice: Type.Union([Type.String(), Type.Null()]),
    address: Type.Union([Type.String(), Type.Null()]),
    registryNo: RegistryNo,
    properties: Type.Array(Type.String())
  }),
  from: Instant,
  to: Instant,
  days: Type.Integer(),
  consumption: Measured,
  net: Decimal,
  tax: Decimal,
  lines: Type.Array(Line),
  kdv: Type.Array(Type.Object({ rate: Decimal, base: Decimal, tax: Decimal })),
  meters: Type.Array(
    Type.Object({
      serial: Type.String(),
      obis: Type.String(),
      opening: Type.Object({ at: Instant, index: Measured }),
      closing: Type.Object({ at: Instant, index: Measured }),
      amount: Measured
    })
  ),
  collections: Type.Array(Type.Object({ id: Id, label: Type.String(), date: CalendarDate, amount: Decimal })),
  run: Type.Union([Type.Object({ id: Id, digest: Type.Union([Hash, Type.Null()]) }), Type.Null()])
})
export type InvoiceDetail = Static<typeof InvoiceDetail>

const IndexPoint = Type.Object({
  at: Instant,
  index: Measured,
  raw: Decimal,
  scaler: Type.Integer(),
  source: Type.String(),
  /** the SHA-256 of the bytes this index came in; null for a typed reading */
  evidence: Type.Union([Hash, Type.Null()]),
  /** the exchange this index came from, by its own name: two can have the same bytes; null for a typed reading */
  exchange: Type.Union([ExchangeName, Type.Null()])
})

export const Explanation = Type.Object({
  invoice: Type.Object({ id: Id, label: Type.String() }),
  line: Line,
  accrual: Type.Object({
    id: Id,
    date: CalendarDate,
    from: Instant,
    to: Instant,
    days: Type.Integer(),
    consumption: Measured,
    net: Decimal
  }),
  tariff: Type.Object({
    code: Type.String(),
    version: Type.String(),
    validFrom: CalendarDate,
    hash: Hash,
    /** the component as published */
    component: Type.Unknown()
  }),
  supplies: Type.Array(
    Type.Object({
      servicePoint: Type.String(),
      sign: Type.Integer(),
      share: Type.String(),
      amount: Measured,
      registers: Type.Array(
        Type.Object({
          meter: Type.Object({ id: Id, serial: Type.String(), manufacturer: Type.String() }),
          obis: Type.String(),
          opening: IndexPoint,
          closing: IndexPoint,
          amount: Measured,
          segments: Type.Array(
            Type.Object({
              from: Instant,
              to: Instant,
              amount: Measured,
              fromIndex: Measured,
              toIndex: Measured,
              quality: Type.String(),
              rule: Type.String()
            })
          )
        })
      )
    })
  ),
  evidence: Type.Array(
    Type.Object({
      exchange: ExchangeName,
      sha256: Hash,
      gateway: Type.String(),
      bus: Type.String(),
      address: Type.String(),
      protocol: Type.String(),
      identity: Type.Object({
        id: Type.String(),
        manufacturer: Type.Optional(Type.String()),
        version: Type.Optional(Type.Integer()),
        medium: Type.Optional(Type.String())
      }),
      at: Instant,
      zone: Type.String(),
      /** which version of the meter's key opens the bytes; 0 where they are not ciphered */
      keyVersion: Type.Integer(),
      profile: Type.Object({ name: Type.String(), hash: Hash }),
      /** bytes in hexadecimal */
      request: Type.String(),
      response: Type.String(),
      /** what decoding the bytes again gives, now */
      decoded: Type.Union([
        Type.Object({
          ok: Type.Literal(true),
          readings: Type.Array(Type.Object({ obis: Type.String(), at: Instant, index: Measured, raw: Decimal, scaler: Type.Integer() }))
        }),
        Type.Object({ ok: Type.Literal(false), code: Type.String(), message: Type.String() })
      ]),
      /** each billed index that rests on these bytes, and whether they still say so */
      billed: Type.Array(
        Type.Object({
          meter: Type.String(),
          obis: Type.String(),
          at: Instant,
          billed: Measured,
          decoded: Type.Union([Measured, Type.Null()]),
          equal: Type.Boolean()
        })
      )
    })
  ),
  /** every link from the amount down to the bytes, each proved now */
  chain: Type.Array(
    Type.Object({
      link: Type.Union([
        Type.Literal('price'),
        Type.Literal('tariff'),
        Type.Literal('input'),
        Type.Literal('consumption'),
        Type.Literal('index'),
        Type.Literal('bytes'),
        Type.Literal('decoding')
      ]),
      ok: Type.Boolean(),
      expected: Type.String(),
      found: Type.String()
    })
  )
})
export type Explanation = Static<typeof Explanation>
