import type { SpanRule } from './rule.js'

/** BILLING.md, rule 3: an index below the one before, when it can't be a rollover. */
export const negative: SpanRule = {
  name: 'negative',
  severity: 'hold',
  check: ({ from, to, difference }) =>
    difference.kind === 'negative'
      ? { fromRaw: from.raw.toString(), toRaw: to.raw.toString(), amountMilli: difference.amountMilli.toString() }
      : undefined
}
