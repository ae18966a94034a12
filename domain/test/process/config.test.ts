import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import Type from 'typebox'
import { isAppError } from '../../src/errors/index.js'
import { type ConfigProblem, checkConfig, loadConfig, loadJsonFile, maskSecrets, problemsOf } from '../../src/process/index.js'

const Config = Type.Object(
  {
    databaseUrl: Type.String({ minLength: 1 }),
    port: Type.Integer({ minimum: 0, maximum: 65_535, default: 8_080 }),
    verbose: Type.Boolean({ default: false })
  },
  { additionalProperties: false }
)

const names = { databaseUrl: 'DATABASE_URL', port: 'ENDEKS_PORT', verbose: 'ENDEKS_VERBOSE' }

/** The problems that a refusal lists. */
function problems(work: () => unknown): { readonly message: string; readonly listed: readonly ConfigProblem[] } {
  try {
    work()
  } catch (thrown) {
    if (isAppError(thrown, 'CONFIG_INVALID')) {
      return { message: thrown.message, listed: (thrown.details['problems'] ?? []) as readonly ConfigProblem[] }
    }
    throw thrown
  }
  return { message: '', listed: [] }
}

t.test('the environment fills the configuration: text becomes what the schema asks for, the rest its default', (t) => {
  t.same(loadConfig(Config, names, { DATABASE_URL: 'postgres://db', ENDEKS_PORT: '9000', ENDEKS_VERBOSE: 'true', HOME: 'x' }), {
    databaseUrl: 'postgres://db',
    port: 9_000,
    verbose: true
  })
  t.same(loadConfig(Config, names, { DATABASE_URL: 'postgres://db', ENDEKS_PORT: '' }), {
    databaseUrl: 'postgres://db',
    port: 8_080,
    verbose: false
  })
  t.end()
})

t.test('every problem of the environment is listed at once, by the name of its variable', (t) => {
  const { message, listed } = problems(() => loadConfig(Config, names, { ENDEKS_PORT: '70000', ENDEKS_VERBOSE: 'perhaps' }))
  for (const name of ['ENDEKS_PORT', 'ENDEKS_VERBOSE']) {
    t.ok(
      listed.some(({ path }) => path === name),
      name
    )
    t.match(message, name)
  }
  t.match(message, /DATABASE_URL: is missing/)
  t.match(message, /^the environment has \d problems:\n/)
  t.end()
})

t.test('an unknown key is named', (t) => {
  const { listed } = problems(() => checkConfig(Config, { databaseUrl: 'x', port: 1, verbose: false, prot: 2 }, 'a file'))
  t.ok(listed.some(({ path, message }) => path === '/prot' && message === 'is not known here'))
  t.same(problemsOf(Config, { databaseUrl: 'x', port: 1, verbose: false }), [])
  t.same(problemsOf(Type.Object({ framing: Type.Enum(['tcp', 'rtu']) }), { framing: 'rut' }), [
    { path: '/framing', message: 'must be one of "tcp", "rtu"' }
  ])
  t.end()
})

t.test('a file that cannot be read and a file that is no JSON are refused by name', (t) => {
  const folder = t.testdir({ 'good.json': '{"a":1}', 'bad.json': '{"a":' })
  t.same(loadJsonFile(join(folder, 'good.json')), { a: 1 })
  t.match(problems(() => loadJsonFile(join(folder, 'bad.json'))).message, /bad\.json is not JSON/)
  t.match(problems(() => loadJsonFile(join(folder, 'none.json'))).message, /none\.json can't be read/)
  writeFileSync(join(folder, 'empty.json'), '')
  t.match(problems(() => loadJsonFile(join(folder, 'empty.json'))).message, /is not JSON/)
  t.end()
})

t.test('a configuration is shown without its secrets', (t) => {
  t.same(
    maskSecrets({
      adminPassword: 'a',
      apiKey: 'b',
      key: 'c',
      sessionSecret: 'd',
      databaseUrl: 'postgres://endeks:e@db:5432/x',
      port: 1,
      keyboard: 'qwerty'
    }),
    {
      adminPassword: '***',
      apiKey: '***',
      key: '***',
      sessionSecret: '***',
      databaseUrl: 'postgres://endeks:***@db:5432/x',
      port: 1,
      keyboard: 'qwerty'
    }
  )
  t.end()
})
