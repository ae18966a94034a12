import { exceedsFlow } from '../difference.js'
import type { SpanRule } from './rule.js'

/** BILLING.md, rule 4: more than the meter can physically pass (Q4 of its size) is no consumption. */
export const flow: SpanRule = {
  name: 'flow',
  severity: 'hold',
  check: ({ from, to, difference, register }) =>
    difference.kind === 'measured' && exceedsFlow(difference.amountMilli, to.at - from.at, register)
      ? { amountMilli: difference.amountMilli.toString(), maxFlowMilliPerHour: register.maxFlowMilliPerHour.toString() }
      : undefined
}
