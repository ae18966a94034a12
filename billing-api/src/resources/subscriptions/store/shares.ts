import { type EpochMs, fromIso, toIso } from '@endeks/domain/time'
import { sql } from 'kysely'
import { asJson, type Database, only, rows } from '../../../store/query.js'
import { type Problem, refuse } from '../../../store/standing.js'

/** A part of a point's consumption that is wanted from an instant on. */
export interface WantedShare {
  readonly servicePoint: string
  readonly share: string
  readonly from: string
  readonly path: string
}

interface Span {
  readonly numerator: bigint
  readonly denominator: bigint
  readonly from: EpochMs
  readonly to: EpochMs | null
  /** where the request has it; undefined for one that stands */
  readonly path: string | undefined
}

interface Row {
  readonly code: string
  readonly share_numerator: bigint
  readonly share_denominator: bigint
  readonly valid_from: EpochMs
  readonly valid_to: EpochMs | null
}

/** More parts than a point is ever divided into; sums of so many fractions stay small. */
const mostShares = 1_000

/**
 * Only one transaction at a time adds supplies: two that each find half a point free would both take it. A lock of our own,
 * as PostgreSQL locks a row only for a role that may change it, and no role may change a service point.
 */
export async function lockSupplies(database: Database): Promise<void> {
  await only(database, sql<object>`select pg_advisory_xact_lock(hashtextextended('billing-api.supplies', 0))`)
}

/**
 * A point's consumption is shared out, never multiplied: at no instant may the shares that count add up to more than the whole.
 * What is taken off (sign -1) is another matter. Under the lock of `lockSupplies`.
 *
 * @throws {AppError} FACT_OVERLAPS that names the point and how much of it is taken
 */
export async function checkShares(database: Database, wanted: readonly WantedShare[]): Promise<void> {
  const codes = [...new Set(wanted.map((each) => each.servicePoint))]
  const byPoint = new Map<string, Span[]>(codes.map((code) => [code, []]))
  for (const row of await standingShares(database, codes)) {
    byPoint.get(row.code)?.push({
      numerator: row.share_numerator,
      denominator: row.share_denominator,
      from: row.valid_from,
      to: row.valid_to,
      path: undefined
    })
  }
  for (const each of wanted) {
    const [numerator = 1n, denominator = 1n] = each.share.split('/').map(BigInt)
    byPoint.get(each.servicePoint)?.push({ numerator, denominator, from: fromIso(each.from), to: null, path: each.path })
  }
  refuse(
    'FACT_OVERLAPS',
    [...byPoint].flatMap(([code, spans]) => overfull(code, spans))
  )
}

/** A subscription that is closed takes nothing any more, whether or not its supplies were ended. */
async function standingShares(database: Database, codes: readonly string[]): Promise<Row[]> {
  return rows(
    database,
    sql<Row>`
      select point.code, supply.share_numerator, supply.share_denominator, supply.valid_from, least(supply.valid_to, s.closed_at) as valid_to
      from account.supply
      join account.service_point point on point.id = supply.service_point_id
      join account.subscription s on s.id = supply.subscription_id
      where supply.superseded_at is null and supply.sign = 1
        and point.code in (select jsonb_array_elements_text(${asJson(codes)}::jsonb))`
  )
}

/** The first instant at which more than the whole is given away, told of the wanted share that goes too far. */
function overfull(code: string, spans: readonly Span[]): Problem[] {
  const path = spans.find((span) => span.path !== undefined)?.path ?? '/subscriptions'
  if (spans.length > mostShares) return [{ path, message: `the service point ${code} has more than ${mostShares} shares` }]
  const changes = spans.flatMap((span) => (span.to === null ? [span.from] : [span.from, span.to]))
  const instants = [...new Set(changes)].sort((a, b) => a - b)
  for (const at of instants) {
    const inForce = spans.filter((span) => span.from <= at && (span.to === null || span.to > at))
    const last = inForce.findLast((span) => span.path !== undefined)
    if (last?.path === undefined || !exceedsOne(sumOf(inForce))) continue
    const taken = textOf(sumOf(inForce.filter((span) => span !== last)))
    const more = `${last.numerator}/${last.denominator}`
    return [{ path: last.path, message: `of the service point ${code} ${taken} is taken at ${toIso(at)}: ${more} more is over the whole` }]
  }
  return []
}

type Fraction = Pick<Span, 'numerator' | 'denominator'>

function sumOf(spans: readonly Span[]): Fraction {
  return spans.reduce<Fraction>(
    (sum, span) => {
      const numerator = sum.numerator * span.denominator + span.numerator * sum.denominator
      const denominator = sum.denominator * span.denominator
      const divisor = greatestDivisor(numerator, denominator)
      return { numerator: numerator / divisor, denominator: denominator / divisor }
    },
    { numerator: 0n, denominator: 1n }
  )
}

function exceedsOne({ numerator, denominator }: Fraction): boolean {
  return numerator > denominator
}

function textOf({ numerator, denominator }: Fraction): string {
  return `${numerator}/${denominator}`
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  let [larger, smaller] = [a, b]
  while (smaller !== 0n) [larger, smaller] = [smaller, larger % smaller]
  return larger
}
