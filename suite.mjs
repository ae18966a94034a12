// All compiled tests, each in a process of its own, two at a time.
// tap's runner would put its module loader before every test and, through NODE_OPTIONS, before every process that a test starts:
// that is more than half of the processor time of a run, for a record of loaded files that nothing here reads.
// It can still run one file: npx tap gateway/dist/test/main.test.js
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const root = import.meta.dirname
const jobs = 2
const timeoutMs = 900_000

/** The longest first, so that none of them is left alone at the end; otherwise by name. */
const longest = ['standalone', 'rating', 'ingest', 'billing-api', 'database']

function testFiles() {
  const workspaces = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const rank = (name) => (longest.includes(name) ? longest.indexOf(name) : longest.length)
  return workspaces
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('.') && name !== 'node_modules')
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
    .flatMap((name) => filesOf(join(name, 'dist', 'test')))
}

function filesOf(folder) {
  try {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    return names
      .filter((name) => name.endsWith('.test.js'))
      .sort()
      .map((name) => join(folder, name))
  } catch (thrown) {
    if (thrown.code === 'ENOENT') return []
    throw thrown
  }
}

t.jobs = jobs
for (const file of testFiles()) {
  t.spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--enable-source-maps', file], {
    name: file,
    cwd: root,
    buffered: true,
    timeout: timeoutMs
  })
}
