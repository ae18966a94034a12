import { fromLocal } from '@endeks/domain/time'
import Type, { type Static, type TSchema } from 'typebox'

/**
 * Decimal text: money, quantities and prices never travel as binary fractions. Answers must hold whatever a reading may be: 18
 * digits x 10^18 or x 10^-18.
 */
export const Decimal = Type.String({ pattern: '^-?\\d{1,40}(\\.\\d{1,18})?$', examples: ['1240.000'] })
/** What a caller may write: no more places than are kept anywhere. */
export const GivenDecimal = Type.String({ pattern: '^-?\\d{1,24}(\\.\\d{1,9})?$', examples: ['1240.000'] })
/** ISO 8601 with zone. A pattern lets 31 February pass, and so does the engine's own parser, which takes it for 3 March. */
export const Instant = Type.Refine(
  Type.String({
    pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?(Z|[+-]\\d{2}:\\d{2})$',
    examples: ['2026-11-01T00:00:00Z']
  }),
  instantExists,
  () => 'is not an instant of the years 1900 to 2199'
)
export const CalendarDate = Type.Refine(
  Type.String({ pattern: '^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$', examples: ['2026-11-01'] }),
  dateExists,
  () => 'is not a day of the years 1900 to 2199'
)
/** Of this century: no utility of ours has billed another. */
export const Month = Type.String({ pattern: '^20\\d{2}-(0[1-9]|1[0-2])$', examples: ['2026-10'] })
/** A surrogate key; decimal text, since it may be wider than a double. */
export const Id = Type.String({ pattern: '^\\d{1,19}$' })
export const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' })
/** One conversation with a meter: its day and its number on it. */
export const exchangePattern = '^\\d{4}-\\d{2}-\\d{2}/\\d{1,19}$'
export const ExchangeName = Type.String({ pattern: exchangePattern, examples: ['2026-10-31/48211'] })
export const RegistryNo = Type.String({ pattern: '^\\d{1,12}$', description: 'sicil no' })
export const Commodity = Type.Union([Type.Literal('water'), Type.Literal('wastewater'), Type.Literal('gas'), Type.Literal('heat')])
export const Names = Type.Object({ tr: Type.String(), en: Type.String() })
export const Measured = Type.Object({ value: Decimal, unit: Type.String({ examples: ['m3', 'kWh'] }) })

/**
 * What a person or a firm is called: a letter or a digit at least, and nothing that controls a terminal, breaks a line, or is not
 * seen (ESC, zero width, direction marks). Two names that look alike must be alike, and a name stands in one line of a bill.
 */
export const GivenName = Type.String({
  minLength: 1,
  maxLength: 200,
  pattern: '^(?=.*[\\p{L}\\p{N}])[^\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]*$',
  examples: ['Işık Boya San. ve Tic. A.Ş.']
})
/** One address of one line. Whether it is anybody's is told only by a letter to it. */
export const Email = Type.String({
  maxLength: 200,
  pattern: '^[^@\\s\\p{Cc}\\p{Cf}]+@[^@\\s\\p{Cc}\\p{Cf}]+$',
  examples: ['muhasebe@example.com']
})

export const strict = { additionalProperties: false } as const

/** One page of a list. `next` is opaque: send it back as `cursor`; null at the end. */
export const Page = <Item extends TSchema>(item: Item) =>
  Type.Object({ items: Type.Array(item), next: Type.Union([Type.String(), Type.Null()]) })
export const Cursor = Type.Optional(Type.String({ maxLength: 200 }))
export const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 50 }))

/** RFC 9457. `code` is the promise to callers; `requestId` finds the request in the log. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.String(),
  requestId: Type.String(),
  problems: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() })))
})
export type Problem = Static<typeof Problem>

function dateExists(text: string): boolean {
  return clockShows(text.slice(0, 10), '00:00:00')
}

function instantExists(text: string): boolean {
  const offset = /([+-])(\d{2}):(\d{2})$/.exec(text)
  if (offset !== null && (Number(offset[2]) > 14 || Number(offset[3]) > 59)) return false
  return clockShows(text.slice(0, 10), text.slice(11, 19))
}

/** Whether a clock ever shows this. */
function clockShows(date: string, time: string): boolean {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number)
  const [hour = 0, minute = 0, second = 0] = time.split(':').map(Number)
  if (!(year >= 1900 && year <= 2199)) return false
  return fromLocal({ year, month, day, hour, minute, second }, 'UTC') !== undefined
}
