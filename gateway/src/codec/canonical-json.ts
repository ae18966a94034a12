import { createHash } from 'node:crypto'
import { AppError } from '@endeks/domain/errors'

/**
 * One text for one value: keys sorted by code unit, no spaces, properties that are undefined left out. What is hashed and
 * announced is this text, so that a profile's hash does not depend on how its file was typed.
 *
 * @throws {AppError} VALIDATION for what JSON cannot hold exactly: a number that is not finite, a bigint, a function
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, each]) => each !== undefined)
    entries.sort(([left], [right]) => (left < right ? -1 : 1))
    return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each)}`).join(',')}}`
  }
  throw new AppError('VALIDATION', `a ${typeof value} has no canonical JSON`)
}

/** SHA-256, in hex, of the profile's canonical JSON: the name under which evidence refers to it. */
export function profileHash(profile: unknown): string {
  return createHash('sha256').update(canonicalJson(profile)).digest('hex')
}
