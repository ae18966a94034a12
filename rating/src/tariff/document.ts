import Type, { type Static } from 'typebox'
import { ComponentDefinition } from './components/index.js'
import { KdvRow } from './kdv.js'
import { Code, DateText, Name, PrintedAmount, Quantity3 } from './text.js'
import { TariffUnit } from './unit.js'

/** A case with the bill that must come out of it; what is not given is not compared. Either `days` or `from` and `to`. */
export const TariffExample = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    quantity: Quantity3,
    days: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_660 })),
    from: Type.Optional(DateText),
    to: Type.Optional(DateText),
    billedBefore: Type.Optional(Quantity3),
    /** Decides the KDV rates; without it the period's end, or the tariff's first day. */
    accrualDate: Type.Optional(DateText),
    /** Net amounts by component, whole kuruş. */
    charges: Type.Record(Code, PrintedAmount, { additionalProperties: false }),
    /** Quantities of the slices by component. */
    slices: Type.Optional(Type.Record(Code, Type.Array(Quantity3, { maxItems: 50 }), { additionalProperties: false })),
    net: Type.Optional(PrintedAmount),
    tax: Type.Optional(PrintedAmount),
    total: Type.Optional(PrintedAmount)
  },
  { additionalProperties: false }
)
export type TariffExample = Static<typeof TariffExample>

/** Everything of a tariff but its components, which are checked kind by kind so that each problem has its own path. */
export const tariffHead = {
  format: Type.Literal(1),
  code: Code,
  name: Name,
  currency: Type.String({ pattern: '^[A-Z]{3}$' }),
  version: Type.String({ pattern: '^[0-9A-Za-z][0-9A-Za-z.-]{0,39}$' }),
  validFrom: DateText,
  unit: TariffUnit,
  /** KDV rates that differ from the common table, by class: they take its place for that class. */
  taxes: Type.Optional(
    Type.Object(
      { kdv: Type.Record(Code, Type.Array(KdvRow, { minItems: 1, maxItems: 200 }), { additionalProperties: false }) },
      { additionalProperties: false }
    )
  ),
  examples: Type.Optional(Type.Array(TariffExample, { maxItems: 200 }))
}

/** How many components a tariff may have. */
export const mostComponents = 60

/** One dated version of a tariff, as data. */
export const TariffDocument = Type.Object(
  { ...tariffHead, components: Type.Array(ComponentDefinition, { minItems: 1, maxItems: mostComponents }) },
  { additionalProperties: false }
)
export type TariffDocument = Static<typeof TariffDocument>
