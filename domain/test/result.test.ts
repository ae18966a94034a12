import t from 'tap'
import { failure, type Result, success } from '../src/result/index.js'

function half(value: number): Result<number, string> {
  return value % 2 === 0 ? success(value / 2) : failure(`${value} is odd`)
}

t.test('a batch goes on past an item that fails', (t) => {
  const values: number[] = []
  const errors: string[] = []
  for (const each of [2, 3, 4].map(half)) {
    if (each.ok) values.push(each.value)
    else errors.push(each.error)
  }
  t.same(values, [1, 2])
  t.same(errors, ['3 is odd'])
  t.end()
})

t.test('a value that is nothing is a success all the same', (t) => {
  t.same(success(undefined), { ok: true, value: undefined })
  t.same(failure(undefined), { ok: false, error: undefined })
  t.end()
})
