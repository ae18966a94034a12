import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { testServer } from './fixtures/server.js'

// The description of the API is read in review like code: ENDEKS_UPDATE_GOLDEN=1 writes it anew.
const golden = fileURLToPath(new URL('../../test/golden/openapi.json', import.meta.url))

interface Operation {
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly responses?: Readonly<Record<string, unknown>>
}

t.test('the API is described as agreed', async (t) => {
  const { app } = await testServer(t, { empty: true })
  const found = `${JSON.stringify(app.swagger(), undefined, 2)}\n`
  if (process.env['ENDEKS_UPDATE_GOLDEN'] === '1') writeFileSync(golden, found)
  t.ok(existsSync(golden), 'the golden file is there')
  t.equal(found, readFileSync(golden, 'utf8'))

  const { paths = {} } = app.swagger() as { paths?: Record<string, Record<string, Operation>> }
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const name = `${method} ${path}`
      t.ok(operation.tags?.length === 1 && (operation.summary ?? '').length > 3, `${name} has a tag and a summary`)
      const codes = Object.keys(operation.responses ?? {})
      t.ok(
        codes.some((code) => /^20\d$/.test(code)) && codes.includes('4XX') && codes.includes('5XX'),
        `${name} describes its answers: ${codes.join()}`
      )
    }
  }
  t.ok(Object.keys(paths).length > 20, 'every resource is there')
})
