import t from 'tap'
import { catalogue } from '../src/errors/index.js'
import { banRules } from './tidy/bans.js'
import { floorRules } from './tidy/floors.js'
import { layoutRules, unusedCodes } from './tidy/layout.js'
import { describe, readRepository } from './tidy/repository.js'

// Goal: the conventions that a compiler does not see. Method: each rule reads the files of the checkout and lists file and line.
const repository = readRepository()

t.test('the checkout is read', (t) => {
  t.ok(repository.packages.length > 5)
  t.ok(repository.sources.some(({ path }) => path === 'domain/test/tidy.test.ts'))
  t.end()
})

for (const rule of [...floorRules, ...banRules, ...layoutRules]) {
  t.test(rule.name, (t) => {
    t.same(rule.check(repository).map(describe), [])
    t.end()
  })
}

t.test('codes of the catalogue are used', (t) => {
  const unused = unusedCodes(repository, Object.keys(catalogue))
  t.ok(unused.length < Object.keys(catalogue).length)
  for (const code of unused) t.comment(`${code} is used nowhere`)
  t.end()
})
