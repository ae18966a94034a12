import t from 'tap'
import {
  banRules,
  ddlIsInMigrations,
  noAny,
  noDate,
  noDefaultExport,
  noFocus,
  noMachinePath,
  noRegistry,
  noSuppression,
  nowIsAClock,
  processIsMain,
  sqlIsInStores
} from './bans.js'
import { said } from './planted.js'
import type { Rule } from './repository.js'

// Goal: each ban finds what it bans and lets the lookalike pass. Method: planted lines, one file each.

const count = (rule: Rule, path: string, text: string): number => said(rule, { [path]: text }).length

t.test('tidy code breaks no ban', (t) => {
  const good = { 'rating/src/a.ts': 'export function nowOf(clock: Clock): EpochMs {\n  return clock.now()\n}\n' }
  for (const rule of banRules) t.same(said(rule, good), [], rule.name)
  t.end()
})

t.test("the system's clock is found", (t) => {
  t.same(said(nowIsAClock, { 'rating/src/a.ts': '\nconst now = Date.now()\n' }), [
    "rating/src/a.ts:2 Date.now is the system's clock: take a Clock"
  ])
  t.equal(count(nowIsAClock, 'rating/test/a.ts', 'const now = new Date()'), 1)
  t.equal(count(nowIsAClock, 'rating/src/store/a.ts', 'Temporal.Now.instant()'), 1)
  t.equal(count(nowIsAClock, 'domain/src/process/a.ts', 'const now = Date.now()'), 0)
  t.end()
})

t.test('a Date outside a store is found', (t) => {
  t.same(said(noDate, { 'rating/src/a.ts': 'const day = new Date(instant)' }), [
    'rating/src/a.ts:1 new Date( outside a store: use EpochMs or Temporal'
  ])
  t.equal(count(noDate, 'rating/src/a.ts', "Date.parse('2026-01-01')"), 1)
  t.equal(count(noDate, 'rating/src/store/a.ts', 'const day = new Date(instant)'), 0)
  t.equal(count(noDate, 'billing-api/src/resources/meters/store.ts', 'const day = new Date(instant)'), 0)
  t.equal(count(noDate, 'rating/src/a.ts', 'const oldest = Date.UTC(1990, 0, 1)'), 0)
  t.end()
})

t.test('a process that is taken in hand outside main.ts is found', (t) => {
  t.same(
    said(processIsMain, { 'rating/src/a.ts': "const url = process.env['DATABASE_URL']\nprocess.on('SIGINT', stop)\nprocess.exit(1)" }),
    [
      'rating/src/a.ts:1 process.env outside main.ts',
      'rating/src/a.ts:2 process.on outside main.ts',
      'rating/src/a.ts:3 process.exit outside main.ts'
    ]
  )
  t.equal(count(processIsMain, 'rating/src/main.ts', 'process.exit(1)'), 0)
  t.equal(count(processIsMain, 'rating/src/domain.ts', "child.process.on('exit', end)\nprocess.exitCode = 1"), 0)
  t.end()
})

t.test('SQL and drivers outside a store are found', (t) => {
  t.same(said(sqlIsInStores, { 'rating/src/a.ts': "import { sql } from 'kysely'\nquery('SELECT id FROM account.meter')" }), [
    'rating/src/a.ts:1 kysely outside a store',
    'rating/src/a.ts:2 SQL outside a store: SELECT id FROM account.meter'
  ])
  for (const statement of [
    'insert into account.meter values (1)',
    '\n  UPDATE account.meter SET serial = 1',
    'delete from account.meter',
    'with late as (select id from account.meter) x',
    'select ledger.post($1)',
    'select\n  id\nfrom account.meter'
  ]) {
    t.equal(count(sqlIsInStores, 'rating/src/a.ts', `query(\`${statement}\`)`), 1, statement)
  }
  t.equal(count(sqlIsInStores, 'rating/src/a.ts', "import type pg from 'pg'"), 1)
  t.end()
})

t.test('sentences are no SQL, and stores, builders and tests may hold it', (t) => {
  t.equal(
    count(sqlIsInStores, 'rating/src/a.ts', "'Select a meter from the list'; 'update the tariff and set it'; '/* select x from y */'"),
    0
  )
  t.equal(count(sqlIsInStores, 'rating/src/a.ts', '// SELECT id FROM account.meter'), 0)
  for (const path of ['rating/src/store/a.ts', 'a/src/store.ts', 'database/src/a.ts', 'dashboards/grafana/src/a.ts', 'rating/test/a.ts']) {
    t.equal(count(sqlIsInStores, path, "query('SELECT id FROM account.meter')"), 0, path)
  }
  t.end()
})

t.test('a table that no migration makes is found', (t) => {
  t.same(said(ddlIsInMigrations, { 'rating/src/store/a.ts': "query('CREATE TABLE rating.x (id int)')" }), [
    'rating/src/store/a.ts:1 DDL outside a migration: CREATE TABLE rating.x (id int)'
  ])
  t.equal(count(ddlIsInMigrations, 'rating/src/store/a.ts', "query('CREATE TEMP TABLE x AS VALUES (1)')"), 0)
  t.end()
})

t.test('a default export is found', (t) => {
  t.equal(count(noDefaultExport, 'rating/src/a.ts', 'export default function rate() {}'), 1)
  t.equal(count(noDefaultExport, 'rating/src/a.ts', 'export { rate as default }'), 1)
  t.equal(count(noDefaultExport, 'rating/src/pool/worker.ts', 'export default function rate() {}'), 0)
  t.end()
})

t.test('any is found as a type, not as a word', (t) => {
  for (const text of [
    'let a: any',
    'b as any',
    'Record<string, any>',
    'Array<any>',
    'type X = any',
    'any[]',
    'a | any',
    '() => any',
    'T extends any'
  ]) {
    t.equal(count(noAny, 'rating/src/a.ts', text), 1, text)
  }
  for (const text of ["'as any'", '// as any', 'AbortSignal.any([a])', 'f(first, any)', 'const any = 1', 'let a: anyone']) {
    t.equal(count(noAny, 'rating/src/a.ts', text), 0, text)
  }
  t.end()
})

t.test('a suppressed check and unfinished work are found in comments', (t) => {
  t.same(said(noSuppression, { 'rating/src/a.ts': '// @ts-ignore\nx() // TODO later\n/* biome-ignore lint: x */' }), [
    'rating/src/a.ts:1 "@ts-ignore"',
    'rating/src/a.ts:2 "TODO"',
    'rating/src/a.ts:3 "biome-ignore"'
  ])
  t.equal(count(noSuppression, 'rating/src/a.ts', "const todo = 'TODO'"), 0)
  t.end()
})

t.test('a test left out is found; one that says why it cannot run is not', (t) => {
  for (const text of ["t.only('a', f)", "t.skip('a')", "t.test('a', { skip: true }, f)", "t.test('a', { only: true }, f)", "t.todo('a')"]) {
    t.equal(count(noFocus, 'rating/test/a.test.ts', text), 1, text)
  }
  t.equal(count(noFocus, 'rating/test/a.test.ts', "t.test('a', { skip: missing ? 'no vectors here' : false }, f)"), 0)
  t.equal(count(noFocus, 'rating/src/a.ts', 'stream.skip(2)'), 0)
  t.end()
})

t.test('a path of one machine is found in any file', (t) => {
  const path = (...parts: string[]): string => ['', ...parts].join('/')
  t.same(said(noMachinePath, { 'rating/README.md': `see\n${path('home', 'ayse', 'x')}` }), [
    `rating/README.md:2 "${path('home', 'a')}" is a path of one machine`
  ])
  t.equal(count(noMachinePath, 'rating/src/a.ts', `read('${path('tmp', 'x')}')`), 1)
  t.equal(count(noMachinePath, 'rating/src/a.ts', "'../work/x'; 'https://a.example/home/x'; '/work-orders/1'; join(tmpdir(), 'x')"), 0)
  t.end()
})

t.test("a registry's address is found", (t) => {
  const address = ['https:', '', ['registry', 'example', 'org'].join('.')].join('/')
  t.equal(count(noRegistry, 'rating/README.md', `npm install from ${address}`), 1)
  t.equal(count(noRegistry, '.npmrc', `save-exact=true\n${'registry'}=x`), 1)
  t.equal(count(noRegistry, 'rating/README.md', 'the tax registry = the office'), 0)
  t.end()
})
