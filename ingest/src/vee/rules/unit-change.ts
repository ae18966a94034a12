import type { SpanRule } from './rule.js'

/** Two indexes in different units have no difference: the register was set anew, or one of them is wrong. */
export const unitChange: SpanRule = {
  name: 'unit-change',
  severity: 'hold',
  check: ({ difference }) => (difference.kind === 'incomparable' ? { why: difference.why } : undefined)
}
