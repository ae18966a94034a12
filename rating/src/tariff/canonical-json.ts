import { AppError } from '@endeks/domain/errors'

/** How deep a value may be nested; a tariff is six deep. */
const deepest = 64

/**
 * JSON in one form only: keys sorted by code unit, no spaces, whole numbers only. What two parties hash they must first write
 * alike; amounts are strings in our documents, so the one thing that writers of JSON disagree on, fractions, does not occur.
 *
 * @see RFC 8785, of which this is the part without fractions
 * @throws {AppError} VALIDATION for what has no such form
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0)
}

function write(value: unknown, depth: number): string {
  if (depth > deepest) throw new AppError('VALIDATION', `a value is nested deeper than ${deepest}`)
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number' && Number.isSafeInteger(value)) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`
  if (typeof value === 'object') {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${write(member, depth + 1)}`).join(',')}}`
  }
  throw new AppError('VALIDATION', `${typeof value === 'number' ? String(value) : typeof value} has no canonical JSON`)
}
