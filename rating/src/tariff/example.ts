import { AppError } from '@endeks/domain/errors'
import { formatMicro, parseMicro } from '@endeks/domain/money'
import { formatScaled, parseScaled } from '@endeks/domain/units'
import { type Bill, type RateInput, rateBill } from './bill.js'
import { epochDay } from './days.js'
import type { TariffExample } from './document.js'
import type { PreparedTariff } from './prepare.js'
import type { Problem } from './problem.js'

/** What a worked example says, beside what comes out. Empty when it comes out right. */
export function exampleProblems(tariff: PreparedTariff, example: TariffExample, path: string): Problem[] {
  try {
    const bill = rateBill(tariff, exampleInput(tariff, example))
    return [
      ...chargeProblems(tariff, bill, example, path),
      ...sliceProblems(tariff, bill, example, path),
      ...totalProblems(bill, example, path)
    ]
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    return [{ path, message: thrown.message }]
  }
}

/** @throws {AppError} VALIDATION for a date that does not exist, or neither days nor dates */
export function exampleInput(tariff: PreparedTariff, example: TariffExample): RateInput {
  const { places, base } = tariff.scale
  const milli = (text: string): bigint => parseScaled(text, places, 'VALIDATION')
  return {
    consumption: { unit: base, milli: milli(example.quantity) },
    period: periodOf(example),
    billedBefore: milli(example.billedBefore ?? '0'),
    ...(example.accrualDate === undefined ? {} : { accrualDay: epochDay(example.accrualDate) })
  }
}

/** The period of a case: `days`, or `from` and `to`. @throws {AppError} VALIDATION when it is neither or both */
export function periodOf(given: { readonly days?: number; readonly from?: string; readonly to?: string }): RateInput['period'] {
  const { days, from, to } = given
  if (days !== undefined && from === undefined && to === undefined) return { days }
  if (days === undefined && from !== undefined && to !== undefined) return { from: epochDay(from), to: epochDay(to) }
  throw new AppError('VALIDATION', 'a case has either "days" or both "from" and "to"')
}

function differs(path: string, what: string, expected: string, got: string, component?: string): Problem {
  const message = `${what}: expected ${expected}, got ${got}`
  return component === undefined ? { path, message, expected, got } : { path, message, component, expected, got }
}

function chargeProblems(tariff: PreparedTariff, bill: Bill, example: TariffExample, path: string): Problem[] {
  return Object.entries(example.charges).flatMap(([code, expected]) => {
    const at = `${path}/charges/${code}`
    if (!tariff.components.some((component) => component.code === code)) {
      return [{ path: at, message: `there is no component "${code}"`, component: code }]
    }
    const got = bill.charges.find((charge) => charge.component === code)?.netMicro ?? 0n
    return got === parseMicro(expected) ? [] : [differs(at, code, expected, formatMicro(got), code)]
  })
}

function sliceProblems(tariff: PreparedTariff, bill: Bill, example: TariffExample, path: string): Problem[] {
  const { places } = tariff.scale
  return Object.entries(example.slices ?? {}).flatMap(([code, expected]) => {
    const slices = bill.charges.find((charge) => charge.component === code)?.slices ?? []
    const got = slices.filter((slice) => slice.basis === 'consumption').map((slice) => slice.quantity)
    const wanted = expected.map((text) => parseScaled(text, places, 'VALIDATION'))
    if (got.length === wanted.length && got.every((amount, index) => amount === wanted[index])) return []
    const text = got.map((amount) => formatScaled(amount, places, 3)).join(', ')
    return [differs(`${path}/slices/${code}`, `slices of ${code}`, expected.join(', '), text, code)]
  })
}

function totalProblems(bill: Bill, example: TariffExample, path: string): Problem[] {
  const totals = { net: bill.totals.netMicro, tax: bill.totals.taxMicro, total: bill.totals.totalMicro }
  return (['net', 'tax', 'total'] as const).flatMap((key) => {
    const expected = example[key]
    if (expected === undefined || parseMicro(expected) === totals[key]) return []
    return [differs(`${path}/${key}`, key, expected, formatMicro(totals[key]))]
  })
}
