import t from 'tap'
import {
  domainIsBrowserSafe,
  doorsHold,
  exportsAreDoors,
  floorRules,
  floorsHold,
  importsAreDeclared,
  referencesHold,
  relativeImportsStayHome,
  testDoorsHold
} from './floors.js'
import { said } from './planted.js'

// Goal: a rule that can't fail proves nothing. Method: each is shown a small repository with the very thing it bans.

t.test('a tidy repository breaks no floor', (t) => {
  const good = { 'rating/src/a.ts': "import { AppError } from '@endeks/domain/errors'\nimport './b.js'\n" }
  for (const rule of floorRules) t.same(said(rule, good), [], rule.name)
  t.end()
})

t.test('an import from above or beside is found, whatever its form', (t) => {
  const found = (path: string, text: string) => said(floorsHold, { [path]: text })
  t.same(found('rating/src/a.ts', "\nimport { x } from '@endeks/gateway/codec'\n"), [
    'rating/src/a.ts:2 rating may not import @endeks/gateway/codec'
  ])
  t.equal(found('ingest/src/a.ts', "const x = await import('@endeks/gateway/config')").length, 1)
  t.equal(found('gateway/src/a.ts', "export { x } from '@endeks/database/pool'").length, 1)
  t.equal(found('gateway/src/a.ts', "import '@endeks/ingest/service'").length, 1)
  t.equal(found('domain/src/a.ts', "import type { X } from '@endeks/database/schema'").length, 1)
  t.equal(found('domain/src/a.ts', "import.meta.resolve('@endeks/rating/service')").length, 1)
  t.end()
})

t.test('a floor opens the doors it names and no other', (t) => {
  const found = (workspace: string, door: string) => said(floorsHold, { [`${workspace}/src/a.ts`]: `import { x } from '${door}'` }).length
  t.equal(found('firmware-sim', '@endeks/gateway/codec'), 0)
  t.equal(found('firmware-sim', '@endeks/gateway/config'), 1)
  t.equal(found('billing-api', '@endeks/rating/tariff'), 0)
  t.equal(found('billing-api', '@endeks/rating/service'), 1)
  t.equal(found('dashboards', '@endeks/billing-api/contract'), 0)
  t.equal(found('dashboards', '@endeks/billing-api/service'), 1)
  t.equal(found('standalone', '@endeks/billing-api/service'), 0)
  t.end()
})

t.test('text that looks like an import is none', (t) => {
  const text =
    "// import { x } from '@endeks/gateway/codec'\nconst help = \"import x from '@endeks/gateway/codec'\"\nArray.from('@endeks/gateway/codec')\n"
  t.same(said(floorsHold, { 'rating/src/a.ts': text }), [])
  t.end()
})

t.test('a reference upwards is found', (t) => {
  const text = '{\n  "references": [\n    { "path": "../domain" },\n    { "path": "../gateway" }\n  ]\n}\n'
  t.same(said(referencesHold, { 'ingest/tsconfig.json': text }), ['ingest/tsconfig.json:4 ingest may not reference gateway'])
  t.end()
})

t.test('the testing door is shut to what runs in production', (t) => {
  const text = "import { testDatabase } from '@endeks/database/testing'"
  t.same(said(testDoorsHold, { 'rating/src/a.ts': text }), ['rating/src/a.ts:1 @endeks/database/testing outside a test'])
  t.same(said(testDoorsHold, { 'rating/test/a.ts': text, 'benchmarks/question/run.ts': text }), [])
  t.end()
})

t.test('what a browser lacks is found in domain and in the console', (t) => {
  const text = "import { readFileSync } from 'node:fs'"
  t.equal(said(domainIsBrowserSafe, { 'domain/src/units/a.ts': text }).length, 1)
  t.same(said(domainIsBrowserSafe, { 'domain/src/process/a.ts': text }), [])
  t.equal(said(domainIsBrowserSafe, { 'dashboards/staff/src/a.tsx': "import { createLog } from '@endeks/domain/process'" }).length, 1)
  t.end()
})

t.test('a relative way into another workspace is found', (t) => {
  t.same(said(relativeImportsStayHome, { 'rating/src/run/a.ts': "import { x } from '../../../ingest/src/x.js'" }), [
    'rating/src/run/a.ts:1 ../../../ingest/src/x.js leads out of rating'
  ])
  t.same(said(relativeImportsStayHome, { 'rating/test/run/a.ts': "import { x } from '../../src/x.js'" }), [])
  t.end()
})

t.test('a deep import is found', (t) => {
  t.same(said(doorsHold, { 'rating/src/a.ts': "import { x } from '@endeks/domain/dist/src/errors/index.js'" }), [
    'rating/src/a.ts:1 @endeks/domain/dist/src/errors/index.js is no door: its package exports no "./dist/src/errors/index.js"'
  ])
  t.equal(said(doorsHold, { 'rating/src/a.ts': "import { x } from '@endeks/domain'" }).length, 1)
  t.end()
})

t.test('a package that only the neighbour declares is found', (t) => {
  t.same(said(importsAreDeclared, { 'rating/src/a.ts': "import { Temporal } from 'temporal-polyfill/impl'" }), [
    'rating/src/a.ts:1 temporal-polyfill is not among the dependencies'
  ])
  t.equal(said(importsAreDeclared, { 'rating/src/a.ts': "import t from 'tap'" }).length, 1)
  t.same(said(importsAreDeclared, { 'rating/test/a.ts': "import t from 'tap'\nimport 'node:fs'" }), [])
  t.end()
})

t.test('a door for every file, and a door to nothing, are found', (t) => {
  const exports = { './*': './dist/src/*.js', './rates': { types: './dist/src/rates.d.ts', default: './dist/src/rates.js' } }
  const files = { 'rating/package.json': JSON.stringify({ name: '@endeks/rating', exports }, undefined, 2), 'rating/dist/src/rates.js': '' }
  t.same(said(exportsAreDoors, files), [
    'rating/package.json:4 "./*" opens every file',
    'rating/package.json:5 "./rates" leads to ./dist/src/rates.d.ts, which is not built'
  ])
  t.end()
})
