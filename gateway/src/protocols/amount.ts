import { failure, type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from './protocol.js'

/**
 * An amount in the form that a meter takes: a whole number of 10^scaler of its unit.
 *
 * @param amount decimal text, such as "12.5"
 * @returns COMMAND_UNSUPPORTED for another unit, or more digits than the meter has: an amount is never rounded
 */
export function amountFor(
  { amount, unit }: { readonly amount: string; readonly unit: string },
  form: { readonly scaler: number; readonly unit: string }
): Result<bigint, DecodeFailure> {
  if (unit !== form.unit) return refused(`the meter takes its credit in ${form.unit}, not in ${unit}`)
  const [whole = '', fraction = ''] = amount.split('.')
  const digits = BigInt(`${whole}${fraction}`)
  const shift = -fraction.length - form.scaler
  if (shift >= 0) return success(digits * 10n ** BigInt(shift))
  const divisor = 10n ** BigInt(-shift)
  if (digits % divisor !== 0n) return refused(`${amount} ${unit} is no multiple of what the meter takes, 10^${form.scaler} ${form.unit}`)
  return success(digits / divisor)
}

function refused(message: string): Result<never, DecodeFailure> {
  return failure({ code: 'COMMAND_UNSUPPORTED', message })
}
