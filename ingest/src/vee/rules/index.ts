import { flow } from './flow.js'
import { gap } from './gap.js'
import { negative } from './negative.js'
import { defaultRuleLimits, type ReadingRule, type RuleLimits, type SpanRule } from './rule.js'
import { structure } from './structure.js'
import { unitChange } from './unit-change.js'

/** The rules of one group of sources and the bounds they judge by. */
export interface RuleSet {
  readonly readingRules: readonly ReadingRule[]
  readonly spanRules: readonly SpanRule[]
  readonly limits: RuleLimits
}

/** In the order in which they are asked; the first that holds a span decides. */
export const standardRules: RuleSet = {
  readingRules: [structure],
  spanRules: [unitChange, negative, flow, gap],
  limits: defaultRuleLimits
}
