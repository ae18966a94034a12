import { exceedsFlow } from '../difference.js'
import type { SpanRule } from './rule.js'

/**
 * BILLING.md, rule 4: more than the meter can physically pass (Q4 of its size) is no consumption. A counter in whole m3 that was
 * read every quarter of an hour seems to take each of them at once, so what counts is what has flowed for certain.
 */
export const flow: SpanRule = {
  name: 'flow',
  severity: 'hold',
  check: ({ from, to, difference, register }) =>
    difference.kind === 'measured' && exceedsFlow(difference.certainMilli, to.at - from.at, register)
      ? { amountMilli: difference.amountMilli.toString(), maxFlowMilliPerHour: register.maxFlowMilliPerHour.toString() }
      : undefined
}
