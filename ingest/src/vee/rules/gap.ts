import type { SpanRule } from './rule.js'

/** BILLING.md, rule 7: a long silence. The amount is certain, only its course within the span is not. */
export const gap: SpanRule = {
  name: 'gap',
  severity: 'warn',
  check: ({ from, to, limits }) => (to.at - from.at > limits.gapMs ? { hours: Math.floor((to.at - from.at) / 3_600_000) } : undefined)
}
