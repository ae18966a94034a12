import t from 'tap'
import {
  everyWorkspaceIsExplained,
  filesAreShort,
  layoutRules,
  migrationsAreContiguous,
  namesNoIssue,
  noUtils,
  unusedCodes,
  versionsAreExact
} from './layout.js'
import { said } from './planted.js'
import { repositoryOf } from './repository.js'

// Goal: each rule of the layout can fail. Method: a small tidy repository with one thing out of place.

t.test('a tidy repository breaks no rule of the layout', (t) => {
  const good = { 'database/migrations/0001.check.sql': '', 'database/migrations/0001_create_meter.sql': '' }
  for (const rule of layoutRules) t.same(said(rule, good), [], rule.name)
  t.end()
})

t.test('a workspace that says nothing is found', (t) => {
  const root = JSON.stringify({ workspaces: ['domain', 'ingest'] })
  t.same(said(everyWorkspaceIsExplained, { 'package.json': root }), ['ingest/README.md:1 is missing'])
  t.end()
})

t.test('a long file is found', (t) => {
  t.same(said(filesAreShort, { 'rating/src/a.ts': 'a\n'.repeat(451), 'rating/src/b.ts': 'a\n'.repeat(450) }), [
    'rating/src/a.ts:451 has 451 lines'
  ])
  t.end()
})

t.test('a drawer for everything is found', (t) => {
  t.equal(said(noUtils, { 'rating/src/utils.ts': '', 'rating/src/util/a.ts': '', 'rating/src/utility.ts': '' }).length, 2)
  t.end()
})

t.test('a gap, a doublet, a missing check and a misnamed migration are found', (t) => {
  const files = Object.fromEntries(
    ['0001_create_a', '0001.check', '0002_create_b', '0002_create_c', '0002.check', '0004_create_d', 'notes'].map((name) => [
      `database/migrations/${name}.sql`,
      ''
    ])
  )
  t.same(said(migrationsAreContiguous, files), [
    'database/migrations/notes.sql:1 is neither NNNN_verb_noun.sql nor NNNN.check.sql',
    'database/migrations/0002_create_b.sql:1 2 migrations have this number',
    'database/migrations/0003:1 0 migrations have this number',
    'database/migrations/0003:1 0 checks have this number',
    'database/migrations/0004_create_d.sql:1 0 checks have this number'
  ])
  t.end()
})

t.test('a range of versions is found', (t) => {
  const dependencies = { a: '^1.2.3', b: '1.2', c: 'latest', d: '1.2.3', e: '17.10.0-beta.17' }
  t.same(said(versionsAreExact, { 'rating/package.json': JSON.stringify({ name: '@endeks/rating', dependencies }, undefined, 2) }), [
    'rating/package.json:4 a "^1.2.3" is a range',
    'rating/package.json:5 b "1.2" is a range',
    'rating/package.json:6 c "latest" is a range'
  ])
  t.end()
})

t.test('a code that nobody uses is found', (t) => {
  const repository = repositoryOf({
    'domain/src/errors/catalogue.ts': "'ONE' 'TWO' 'THREE'",
    'rating/src/a.ts': "throw new AppError('ONE', '')",
    'dashboards/staff/src/i18n/errors-en.ts': "'THREE'",
    'rating/test/a.test.ts': "'THREE'",
    'database/migrations/0001_a.sql': "using detail = 'TWO'"
  })
  t.same(unusedCodes(repository, ['ONE', 'TWO', 'THREE']), ['THREE'])
  t.end()
})

t.test('a comment that points into a tracker is found', (t) => {
  t.equal(said(namesNoIssue, { 'rating/src/a.ts': '// see issue #12' }).length, 1)
  t.end()
})
