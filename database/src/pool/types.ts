import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'
import pg from 'pg'

type Parser = (text: string) => unknown

/** Object identifiers of pg_type, which are fixed: catalog/pg_type.dat. */
const oid = {
  int8: 20,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  numeric: 1700,
  int8Array: 1016,
  timestampArray: 1115,
  dateArray: 1182,
  timestamptzArray: 1185,
  intervalArray: 1187,
  numericArray: 1231,
  textArray: 1009
}

const asText: Parser = (text) => text
const textArray: Parser = pg.types.getTypeParser(oid.textArray, 'text')

/** PostgreSQL's text of an array, its entries read one by one; entries of all types here come without nested arrays. */
function arrayOf(parse: Parser): Parser {
  return (text) => {
    const entries = textArray(text)
    if (!Array.isArray(entries)) throw new AppError('INTERNAL', `"${text.slice(0, 40)}" is not an array`)
    return entries.map((entry: unknown) => (typeof entry === 'string' ? parse(entry) : null))
  }
}

const parsers: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [oid.int8, BigInt],
  [oid.numeric, asText],
  [oid.date, asText],
  [oid.timestamp, asText],
  [oid.interval, asText],
  [oid.timestamptz, parseTimestamp],
  [oid.int8Array, arrayOf(BigInt)],
  [oid.numericArray, arrayOf(asText)],
  [oid.dateArray, arrayOf(asText)],
  [oid.timestampArray, arrayOf(asText)],
  [oid.intervalArray, arrayOf(asText)],
  [oid.timestamptzArray, arrayOf(parseTimestamp)]
])

/**
 * How values arrive in this product: int8 as bigint, timestamptz as EpochMs, date and numeric as the text that PostgreSQL
 * wrote, bytea as a Buffer. It belongs to a pool and is not set on the driver, where it would change every other user.
 */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser: ((id: number, format?: 'text' | 'binary') => {
    const parser = format === 'binary' ? undefined : parsers.get(id)
    return parser ?? pg.types.getTypeParser(id, format === 'binary' ? 'binary' : 'text')
  }) as typeof pg.types.getTypeParser
}

const timestampPattern = /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/

/**
 * PostgreSQL's text of a timestamptz (DateStyle ISO) as an instant. Microseconds are cut off, as `EpochMs` has none.
 *
 * @throws {AppError} INTERNAL for infinity and for years before Christ: no instant of ours is one
 */
export function parseTimestamp(text: string): EpochMs {
  const match = timestampPattern.exec(text)
  if (match === null) throw new AppError('INTERNAL', `"${text.slice(0, 40)}" is not an instant that can be read`)
  const part = (index: number): number => Number(match[index] ?? 0)
  const milliseconds = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))
  const offset = ((part(9) * 60 + part(10)) * 60 + part(11)) * 1_000 * (match[8] === '-' ? -1 : 1)
  return (Date.UTC(part(1), part(2) - 1, part(3), part(4), part(5), part(6), milliseconds) - offset) as EpochMs
}
