import t from 'tap'
import { compare } from '../../measure.js'
import { addAll } from '../../rating-core/bare.js'
import { households, rateAll } from '../../rating-core/bills.js'

t.test('the bare arithmetic comes to the same as the rating core, bill by bill', (t) => {
  for (const input of households(300)) {
    const [ours, bare] = [rateAll([input])(1), addAll([input])(1)]
    if (ours !== bare)
      t.equal(
        ours,
        bare,
        JSON.stringify(input, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
      )
  }
  t.end()
})

t.test('a limit that does other work is refused', (t) => {
  t.throws(() => compare({ subject: () => 1n, limit: () => 2n, count: 1, rounds: 1 }), RangeError)
  const { subject, limit } = compare({ subject: BigInt, limit: BigInt, count: 1, rounds: 3 })
  t.ok(subject > 0 && limit > 0)
  t.end()
})
