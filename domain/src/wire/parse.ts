import { AppError } from '../errors/catalogue.js'
import { failure, type Result, success } from '../result/index.js'

interface Validator<Value> {
  Check(value: unknown): value is Value
  Errors(value: unknown): { instancePath: string; message: string }[]
}

/** A message from its JSON text; MESSAGE_MALFORMED with the first path that is wrong. */
export function parseJson<Value>(text: string, validator: Validator<Value>): Result<Value, AppError> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return malformed(`not JSON: ${thrown.message}`)
    throw thrown
  }
  if (validator.Check(value)) return success(value)
  const first = validator.Errors(value)[0]
  return malformed(`${first?.instancePath === '' ? '/' : (first?.instancePath ?? '/')} ${first?.message ?? 'does not fit the schema'}`)
}

export function malformed(message: string): { ok: false; error: AppError } {
  return failure(new AppError('MESSAGE_MALFORMED', message))
}
