import type { Difference } from '../difference.js'
import type { Exception, IndexReading, RegisterFacts, Severity } from '../facts.js'

export type Details = Exception['details']

/** Bounds that a utility may want otherwise. */
export interface RuleLimits {
  /** a longer span between two readings is worth a look */
  readonly gapMs: number
}

export const defaultRuleLimits: RuleLimits = { gapMs: 35 * 86_400_000 }

/** Two usable readings in a row and what lies between them. */
export interface Span {
  readonly from: IndexReading
  readonly to: IndexReading
  readonly difference: Difference
  readonly register: RegisterFacts
  readonly limits: RuleLimits
}

/**
 * Judges a reading by itself. One that fails is passed over, as if it were not there. It must not look at other readings: what
 * arrives later would change its judgement, and with it the order of arrival the segments.
 */
export interface ReadingRule {
  readonly name: string
  /** @returns what is wrong, or undefined */
  readonly check: (reading: IndexReading) => Details | undefined
}

/** Judges a span. `hold` keeps it from becoming a segment, `warn` lets it pass and tells. */
export interface SpanRule {
  readonly name: string
  readonly severity: Severity
  readonly check: (span: Span) => Details | undefined
}
