import { AppError } from '../errors/catalogue.js'

/** Milliseconds since 1970-01-01T00:00Z. Branded, so that a duration or a second count can't pass for an instant. */
export type EpochMs = number & { readonly __brand: 'EpochMs' }

/** Where the time comes from. Code takes one as a parameter: tests travel, processes read the system's. */
export interface Clock {
  now(): EpochMs
}

export function epochMs(value: number): EpochMs {
  if (!Number.isSafeInteger(value)) throw new AppError('VALIDATION', `${value} is not an instant in whole milliseconds`)
  return value as EpochMs
}

const instantPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?(Z|[+-]\d{2}:\d{2})$/

/** @throws {AppError} VALIDATION unless the text is an ISO 8601 instant with its zone */
export function fromIso(text: string): EpochMs {
  const value = instantPattern.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(value)) throw new AppError('VALIDATION', `"${text.slice(0, 40)}" is not an instant such as 2026-11-01T00:00:00Z`)
  return value as EpochMs
}

/** `Date.parse` takes 30 February for 2 March. */
function isDay(date: string): boolean {
  const midnight = new Date(`${date}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date)
}

export function toIso(instant: EpochMs): string {
  return new Date(instant).toISOString()
}
