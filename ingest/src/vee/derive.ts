import type { EpochMs } from '@endeks/domain/time'
import { differenceOf } from './difference.js'
import type { Exception, IndexReading, RegisterFacts, Segment } from './facts.js'
import type { RuleSet } from './rules/index.js'
import type { ReadingRule, Span } from './rules/rule.js'

export interface Derived {
  readonly segments: readonly Segment[]
  readonly exceptions: readonly Exception[]
}

/**
 * The segments between consecutive usable readings, and what the rules found. Pure and local: whether a reading is usable
 * depends on it alone, and a segment on its two readings alone. So the segments of a span depend on the readings stored in
 * it, never on the order in which they arrived, and may be derived again for any part.
 *
 * @param readings of one register, in the order of their instants, each instant once
 */
export function deriveSegments(readings: readonly IndexReading[], register: RegisterFacts, rules: RuleSet): Derived {
  const segments: Segment[] = []
  const exceptions: Exception[] = []
  let before: IndexReading | undefined
  for (const reading of readings) {
    const refused = refuse(reading, rules.readingRules)
    if (refused !== undefined) {
      exceptions.push(refused)
      continue
    }
    if (before !== undefined) {
      const span: Span = {
        from: before,
        to: reading,
        difference: differenceOf(before, reading, register),
        register,
        limits: rules.limits
      }
      const judged = judge(span, rules)
      exceptions.push(...judged.exceptions)
      if (judged.segment !== undefined) segments.push(judged.segment)
    }
    before = reading
  }
  return { segments, exceptions }
}

/** Whether a reading can bound a segment. */
export function isUsable(reading: IndexReading, rules: RuleSet): boolean {
  return refuse(reading, rules.readingRules) === undefined
}

function refuse(reading: IndexReading, rules: readonly ReadingRule[]): Exception | undefined {
  for (const rule of rules) {
    const details = rule.check(reading)
    if (details !== undefined) return { rule: rule.name, severity: 'warn', from: reading.at, to: reading.at, details }
  }
  return undefined
}

function judge(span: Span, rules: RuleSet): { readonly segment?: Segment; readonly exceptions: readonly Exception[] } {
  const from: EpochMs = span.from.at
  const to: EpochMs = span.to.at
  const exceptions: Exception[] = []
  for (const rule of rules.spanRules) {
    const details = rule.check(span)
    if (details === undefined) continue
    exceptions.push({ rule: rule.name, severity: rule.severity, from, to, details })
    if (rule.severity === 'hold') return { exceptions }
  }
  const { difference } = span
  if (difference.kind !== 'measured') return { exceptions }
  const { amountMilli, fromRaw, toRaw, scaler, meterUnit, unit, rule } = difference
  return { segment: { from, to, amountMilli, fromRaw, toRaw, scaler, meterUnit, unit, quality: 'measured', rule }, exceptions }
}
