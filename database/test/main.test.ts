import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import t from 'tap'
import { testDatabase } from '../src/testing/index.js'

const main = fileURLToPath(new URL('../src/main.js', import.meta.url))
const run = (environment: Readonly<Record<string, string>>, ...words: string[]) =>
  spawnSync(process.execPath, [main, ...words], { env: environment, encoding: 'utf8', timeout: 60_000 })

t.test('"passwords" lets the accounts sign in that it is given one for, and shows none', async (t) => {
  const { adminUrl } = await testDatabase(t)
  const environment = { DATABASE_URL: adminUrl, ENDEKS_ENROLMENT_PASSWORD: 'of who enrols', ENDEKS_API_PASSWORD: '' }
  const checked = run(environment, 'passwords', '--check-config')
  t.same([checked.status, JSON.parse(checked.stdout).passwordsFor], [0, ['endeks_enrolment']])
  const done = run(environment, 'passwords')
  t.same([done.status, done.stdout], [0, 'endeks_enrolment may sign in\n'])
  t.notMatch(`${checked.stdout}${checked.stderr}${done.stderr}`, /of who enrols/)
  const url = new URL(adminUrl)
  url.username = 'endeks_enrolment'
  url.password = encodeURIComponent('of who enrols')
  const client = new pg.Client({ connectionString: url.toString() })
  await client.connect()
  const { rows } = await client.query('select current_user as who')
  await client.end()
  t.same(rows, [{ who: 'endeks_enrolment' }])
})

t.test('without any password nothing is done, and it says which there are', (t) => {
  const { status, stderr } = run({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }, 'passwords')
  t.equal(status, 2)
  t.match(stderr, 'ENDEKS_INGEST_PASSWORD')
  t.end()
})
