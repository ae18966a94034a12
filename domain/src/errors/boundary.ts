import { AppError, type ErrorCode } from './catalogue.js'

/** Whatever was thrown, as an Error: JavaScript may throw anything. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/**
 * Runs `work` and gives a failure of it our code, keeping the original as `cause`.
 *
 * @throws {AppError} the given code, unless `work` threw an AppError of its own
 */
export async function withCode<Value>(code: ErrorCode, message: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown
    throw new AppError(code, `${message}: ${asError(thrown).message}`, {}, thrown)
  }
}
