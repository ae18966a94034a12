import { AppError } from '../errors/catalogue.js'
import { failure, type Result, success } from '../result/index.js'

interface Validator<Value> {
  Check(value: unknown): value is Value
  Errors(value: unknown): { instancePath: string; message: string }[]
}

/** A message from its JSON text; MESSAGE_MALFORMED with the first path that is wrong. */
export function parseJson<Value>(text: string, validator: Validator<Value>): Result<Value, AppError> {
  const value = jsonOf(text)
  return value.ok ? checked(value.value, validator) : value
}

/** Any value from its JSON text; MESSAGE_MALFORMED for what is none. */
export function jsonOf(text: string): Result<unknown, AppError> {
  try {
    return success(JSON.parse(text))
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return malformed(`not JSON: ${thrown.message}`)
    throw thrown
  }
}

/** A value held against its schema; MESSAGE_MALFORMED with the first path that is wrong. */
export function checked<Value>(value: unknown, validator: Validator<Value>): Result<Value, AppError> {
  if (validator.Check(value)) return success(value)
  const first = validator.Errors(value)[0]
  return malformed(`${first?.instancePath === '' ? '/' : (first?.instancePath ?? '/')} ${first?.message ?? 'does not fit the schema'}`)
}

export function malformed(message: string): { ok: false; error: AppError } {
  return failure(new AppError('MESSAGE_MALFORMED', message))
}
