import { AppError } from '@endeks/domain/errors'
import { formatMicro, formatNano } from '@endeks/domain/money'
import { formatScaled, parseScaled, type Quantity } from '@endeks/domain/units'
import Type, { type Static } from 'typebox'
import { readLines } from './lines.js'
import {
  type Bill,
  type Charge,
  epochDay,
  formatRatio,
  gasEnergy,
  type PreparedTariff,
  parseRatio,
  periodOf,
  type RateInput,
  rateBill,
  type Slice,
  TariffUnit,
  unitScale
} from './tariff/index.js'
import { problemsOf } from './tariff/problem.js'

/** Bytes of one case. A case has some 150. */
export const longestLine = 65_536

const Decimal = Type.String({ pattern: '^\\d{1,12}(\\.\\d{1,9})?$' })

/** One case: what was consumed, when, and what earlier bills of the same span hold. Either `from` and `to`, or `days`. */
export const QuoteCase = Type.Object(
  {
    quantity: Decimal,
    unit: TariffUnit,
    from: Type.Optional(Type.String({ maxLength: 10 })),
    to: Type.Optional(Type.String({ maxLength: 10 })),
    days: Type.Optional(Type.Integer({ minimum: 0, maximum: 3_660 })),
    billedBefore: Type.Optional(Decimal),
    accrualDate: Type.Optional(Type.String({ maxLength: 10 })),
    /** Gas read in m3 and billed in kWh: kcal/m3, and the factor K (1 without it). */
    heatingValue: Type.Optional(Decimal),
    correctionFactor: Type.Optional(Decimal)
  },
  { additionalProperties: false }
)
export type QuoteCase = Static<typeof QuoteCase>

/** Answers one line: a bill as JSON, or a coded refusal. Never throws for what the line says. */
export function quoteLine(tariff: PreparedTariff, line: string): string {
  try {
    const given = parseCase(line)
    return JSON.stringify(toJson(tariff, rateBill(tariff, toInput(tariff, given))))
  } catch (thrown) {
    if (thrown instanceof AppError) return refusal(thrown.code, thrown.message)
    throw thrown
  }
}

/** Answers every line of the input in order. Waits where the reader of the answers is slower. */
export async function quoteLines(
  tariff: PreparedTariff,
  input: AsyncIterable<Uint8Array>,
  write: (answer: string) => Promise<void>
): Promise<void> {
  for await (const line of readLines(input, longestLine)) {
    const answer =
      line.kind === 'line' ? quoteLine(tariff, line.text) : refusal('MESSAGE_TOO_LARGE', `a line has at most ${longestLine} bytes`)
    await write(`${answer}\n`)
  }
}

function refusal(code: string, message: string): string {
  return JSON.stringify({ ok: false, code, message })
}

function parseCase(line: string): QuoteCase {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (thrown) {
    throw new AppError('VALIDATION', 'the line is not JSON', {}, thrown)
  }
  const problems = problemsOf(QuoteCase, value)
  if (problems.length > 0) {
    const text = problems.slice(0, 20).map((problem) => `${problem.path}: ${problem.message}`)
    throw new AppError('VALIDATION', text.join('; '), { problems })
  }
  return value as QuoteCase
}

function toInput(tariff: PreparedTariff, given: QuoteCase): RateInput {
  const { base, places } = unitScale(given.unit)
  const period = periodOf(given)
  if ('to' in period && period.to <= tariff.validFrom) {
    throw new AppError('RATE_SCHEDULE_GAP', `the tariff is valid from ${tariff.document.validFrom}, the period ends on ${given.to ?? ''}`)
  }
  const amount = (text: string): Quantity => energyOf(given, { unit: base, milli: parseScaled(text, places, 'VALIDATION') })
  return {
    consumption: amount(given.quantity),
    period,
    billedBefore: amount(given.billedBefore ?? '0').milli,
    ...(given.accrualDate === undefined ? {} : { accrualDay: epochDay(given.accrualDate) })
  }
}

/** The same quantity, or its energy where the case says how gas is converted. */
function energyOf(given: QuoteCase, amount: Quantity): Quantity {
  if (given.heatingValue === undefined && given.correctionFactor === undefined) return amount
  if (given.heatingValue === undefined || amount.unit !== 'L') {
    throw new AppError('VALIDATION', '"correctionFactor" goes with "heatingValue", and both with a volume')
  }
  const conversion = { correction: parseRatio(given.correctionFactor ?? '1'), heatingValueKcal: parseRatio(given.heatingValue) }
  return gasEnergy({ unit: 'L', milli: amount.milli }, conversion)
}

function toJson(tariff: PreparedTariff, bill: Bill): Record<string, unknown> {
  const { totals } = bill
  return {
    ok: true,
    tariff: tariff.document.code,
    version: tariff.document.version,
    currency: tariff.document.currency,
    days: bill.days,
    charges: bill.charges.map((charge) => chargeToJson(tariff, charge)),
    kdv: bill.taxes.map((tax) => ({
      rate: formatScaled(tax.rateNano, 9, 2),
      base: formatMicro(tax.baseMicro),
      tax: formatMicro(tax.taxMicro)
    })),
    net: formatMicro(totals.netMicro),
    tax: formatMicro(totals.taxMicro),
    total: formatMicro(totals.totalMicro)
  }
}

function chargeToJson({ scale }: PreparedTariff, charge: Charge): Record<string, unknown> {
  const { quantity, share } = charge
  return {
    component: charge.component,
    ...(quantity === null ? { quantity: null } : { quantity: formatScaled(quantity, scale.places, 3), unit: scale.unit }),
    ...(share === null ? {} : { of: share.of, ratio: formatRatio(share.ratio) }),
    net: formatMicro(charge.netMicro),
    kdvClass: charge.kdvClass,
    kdvRate: formatScaled(charge.kdvRateNano, 9, 2),
    kdv: formatMicro(charge.kdvMicro),
    slices: charge.slices.map((slice) => sliceToJson(scale.places, slice))
  }
}

function sliceToJson(places: number, slice: Slice): Record<string, unknown> {
  return {
    from: formatScaled(slice.from, places, 3),
    to: slice.to === null ? null : formatScaled(slice.to, places, 3),
    quantity: formatScaled(slice.quantity, places, 3),
    rate: formatNano(slice.rateNano),
    ...(slice.flatMicro === 0n ? {} : { flat: formatMicro(slice.flatMicro) }),
    ...(slice.basis === 'consumption' ? {} : { basis: slice.basis }),
    // The denominator is a power of ten here, so the exact amount has finite decimals.
    amount: formatScaled(slice.amount.numerator, slice.amount.denominator.toString().length - 1 + 6, 2)
  }
}
