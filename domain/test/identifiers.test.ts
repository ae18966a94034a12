import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { gatewayId, isNationalId, isTaxNumber } from '../src/identifiers/index.js'

const file = new URL('../../../../shared/billing/id-checks/vectors.json', import.meta.url)

interface Vectors {
  readonly vkn_valid: readonly string[]
  readonly vkn_invalid: readonly string[]
  readonly tckn_valid: readonly string[]
  readonly tckn_invalid: readonly string[]
}

const skip = existsSync(file) ? false : 'the vectors of identifiers are not here'

t.test('published tax numbers and national ids are told from wrong ones', { skip }, (t) => {
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors
  t.ok(vectors.vkn_valid.length > 100 && vectors.tckn_valid.length > 100)
  t.same(
    vectors.vkn_valid.filter((text) => !isTaxNumber(text)),
    []
  )
  t.same(vectors.vkn_invalid.filter(isTaxNumber), [])
  t.same(
    vectors.tckn_valid.filter((text) => !isNationalId(text)),
    []
  )
  t.same(vectors.tckn_invalid.filter(isNationalId), [])
  t.end()
})

t.test('one digit written wrong is noticed in a tax number and in a national id', (t) => {
  // Worked by hand from the rules: the first nine or ten digits give the last.
  const tax = '1234567890'
  const national = '10000000146'
  t.ok(isTaxNumber(tax))
  t.ok(isNationalId(national))
  const typo = (text: string, at: number, digit: number) => `${text.slice(0, at)}${digit}${text.slice(at + 1)}`
  fc.assert(
    fc.property(fc.nat(9), fc.nat(9), (at, digit) => {
      const wrong = typo(tax, at, digit)
      return wrong === tax || at < 9 || !isTaxNumber(wrong)
    })
  )
  fc.assert(
    fc.property(fc.nat(10), fc.nat(9), (at, digit) => {
      const wrong = typo(national, at, digit)
      return wrong === national || !isNationalId(wrong)
    })
  )
  t.end()
})

t.test('a number of another length, with a letter or with foreign digits, is none', (t) => {
  for (const text of ['', '123456789', '12345678901', '123456789x', ' 1234567890', '1234567890\n', '١٢٣٤٥٦٧٨٩٠'])
    t.notOk(isTaxNumber(text), text)
  for (const text of ['', '1000000014', '100000001460', '00000000000', '1000000014x', '10000000146\n']) t.notOk(isNationalId(text), text)
  t.end()
})

t.test("a gateway's name can stand in a topic", (t) => {
  for (const text of ['a', 'cellar-1', 'OSB_2', '7', 'x'.repeat(32)]) t.equal(gatewayId(text), text)
  for (const text of ['', '-a', '_a', 'a/b', 'a+', '#', 'a b', 'ölçüm', 'x'.repeat(33), 'a\n']) {
    t.throws(() => gatewayId(text), { code: 'VALIDATION' }, JSON.stringify(text))
  }
  t.end()
})
