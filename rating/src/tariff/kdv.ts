import { AppError } from '@endeks/domain/errors'
import { parseNano } from '@endeks/domain/money'
import { failure, type Result, success } from '@endeks/domain/result'
import Type, { type Static } from 'typebox'
import { type EpochDay, epochDay, formatEpochDay } from './days.js'
import { type Problem, problemsOf } from './problem.js'
import { codePattern, DateText, TaxRate } from './text.js'

/** From which accrual day on a class bears a rate. `source` says who confirmed it. */
export const KdvRow = Type.Object(
  { from: DateText, rate: TaxRate, source: Type.Optional(Type.String({ maxLength: 400 })) },
  { additionalProperties: false }
)
export type KdvRow = Static<typeof KdvRow>

/** KDV rates by class, oldest first. A rate is a dated parameter: the law changes it on a day, for accruals from that day on. */
export const KdvTable = Type.Record(Type.String({ pattern: codePattern }), Type.Array(KdvRow, { minItems: 1, maxItems: 200 }), {
  additionalProperties: false
})
export type KdvTable = Readonly<Record<string, readonly KdvRow[]>>

/** A table that came from a file or a row: every problem with its path, or the table. */
export function checkKdvTable(value: unknown): Result<KdvTable, Problem[]> {
  const problems = problemsOf(KdvTable, value)
  if (problems.length > 0) return failure(problems)
  const table = value as KdvTable
  for (const [kdvClass, rows] of Object.entries(table)) problems.push(...rowProblems(`/${kdvClass}`, rows))
  return problems.length > 0 ? failure(problems) : success(table)
}

/** Dates that do not exist, and rows out of order. */
export function rowProblems(path: string, rows: readonly KdvRow[]): Problem[] {
  const problems: Problem[] = []
  let previous: KdvRow | undefined
  for (const [index, row] of rows.entries()) {
    if (!dateExists(row.from)) problems.push({ path: `${path}/${index}/from`, message: `${row.from} is not a day of the calendar` })
    if (previous !== undefined && previous.from >= row.from) {
      problems.push({ path: `${path}/${index}/from`, message: `${row.from} does not come after ${previous.from}: oldest first` })
    }
    previous = row
  }
  return problems
}

export function dateExists(text: string): boolean {
  try {
    epochDay(text)
    return true
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'VALIDATION') return false
    throw thrown
  }
}

/** The rates of one class, latest first: nearly every bill is of the latest. */
export interface KdvSchedule {
  readonly kdvClass: string
  readonly rows: readonly { readonly from: EpochDay; readonly rateNano: bigint }[]
}

/** @throws {AppError} RATE_SCHEDULE_GAP when the table has no such class */
export function kdvSchedule(table: KdvTable, kdvClass: string): KdvSchedule {
  const rows = Object.hasOwn(table, kdvClass) ? table[kdvClass] : undefined
  if (rows === undefined) throw new AppError('RATE_SCHEDULE_GAP', `no KDV rate is known for the class "${kdvClass}"`, { kdvClass })
  return { kdvClass, rows: rows.map((row) => ({ from: epochDay(row.from), rateNano: parseNano(row.rate) })).reverse() }
}

/**
 * The rate of an accrual day, in billionths.
 *
 * @throws {AppError} RATE_SCHEDULE_GAP when the first rate begins later
 * @see KDVK art. 10: the taxable event of water, gas and electricity is the accrual, so its day decides for the whole of it
 */
export function kdvRateOn(schedule: KdvSchedule, day: EpochDay): bigint {
  for (const row of schedule.rows) if (row.from <= day) return row.rateNano
  throw new AppError('RATE_SCHEDULE_GAP', `no KDV rate of the class "${schedule.kdvClass}" is known for ${formatEpochDay(day)}`, {
    kdvClass: schedule.kdvClass,
    day: formatEpochDay(day)
  })
}
