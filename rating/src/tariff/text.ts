import Type, { type Static } from 'typebox'

/** What a component or class is called by other components, examples and documents. */
export const codePattern = '^[a-z][a-z0-9-]{0,39}$'
export const Code = Type.String({ pattern: codePattern })

export const Name = Type.Object(
  { tr: Type.String({ minLength: 1, maxLength: 120 }), en: Type.String({ minLength: 1, maxLength: 120 }) },
  { additionalProperties: false }
)
export type Name = Static<typeof Name>

/** A price: not negative, exact in billionths. */
export const Price = Type.String({ pattern: '^\\d{1,9}(\\.\\d{1,9})?$' })

/** An amount per bill, day or month: exact in micro. */
export const Amount = Type.String({ pattern: '^\\d{1,12}(\\.\\d{1,6})?$' })

/** An amount that a document prints, which may be a deduction. */
export const PrintedAmount = Type.String({ pattern: '^-?\\d{1,15}(\\.\\d{1,2})?$' })

/** A quantity in thousandths of the tariff's unit. */
export const Quantity3 = Type.String({ pattern: '^\\d{1,12}(\\.\\d{1,3})?$' })

export const DateText = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' })

/** A share of something else, exact: "1/3" or "0.10". */
export const Ratio = Type.String({ pattern: '^(\\d{1,9}/[1-9]\\d{0,8}|\\d{1,3}(\\.\\d{1,9})?)$' })

/** A tax rate from 0 to 1. */
export const TaxRate = Type.String({ pattern: '^(0(\\.\\d{1,6})?|1)$' })
