import fc from 'fast-check'
import t from 'tap'
import {
  divideRounded,
  formatMicro,
  largestRemainder,
  parseMicro,
  parseNano,
  priceExact,
  scaleExact,
  toMicroRounded
} from '../src/money/index.js'
import { quantity } from '../src/units/index.js'

t.test('half a kuruş rounds up, and a credit mirrors its charge', async (t) => {
  t.equal(divideRounded(5n, 10n), 1n)
  t.equal(divideRounded(-5n, 10n), -1n)
  t.equal(divideRounded(4n, 10n), 0n)
})

t.test('1,240 m3 at 57.4880 is 71,285.12 and a tenth of it 7,128.51', async (t) => {
  const water = priceExact(quantity('L', 1_240_000_000n), { per: 'm3', nano: parseNano('57.488') })
  t.equal(formatMicro(toMicroRounded(water)), '71285.12')
  t.equal(formatMicro(toMicroRounded(scaleExact(water, 1n, 10n))), '7128.51')
})

t.test('one third of a price is exact until it is rounded', async (t) => {
  const third = scaleExact(priceExact(quantity('L', 3_000_000n), { per: 'm3', nano: parseNano('1') }), 1n, 3n)
  t.equal(toMicroRounded(third), parseMicro('1.00'))
})

t.test('the parts of a largest remainder add up to the total', async (_t) => {
  fc.assert(
    fc.property(
      fc.bigInt(-1_000_000n, 1_000_000n),
      fc.array(fc.bigInt(0n, 1_000_000n), { minLength: 1, maxLength: 8 }),
      (total, weights) => {
        const parts = largestRemainder(total * 10_000n, weights, 10_000n)
        return parts.reduce((a, b) => a + b, 0n) === total * 10_000n
      }
    )
  )
})

t.test('decimal text survives the way there and back', async (t) => {
  fc.assert(fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), (micro) => parseMicro(formatMicro(micro)) === micro))
  t.throws(() => parseMicro('1.0000001'), { code: 'AMOUNT_INVALID' })
  t.throws(() => parseMicro('1e3'), { code: 'AMOUNT_INVALID' })
  t.throws(() => parseMicro(''), { code: 'AMOUNT_INVALID' })
})
