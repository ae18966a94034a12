// All compiled tests, in two processes at a time: a workspace in each, or a file where a workspace starts servers of its own.
//
// Why not tap's runner: it puts its module loader before every test and, through NODE_OPTIONS, before every process that a test
// starts, which is more than half of a run's processor time, for a record of loaded files that nothing here reads; and it starts
// Node, tap and TypeBox once for each file, which is most of what a test of a codec costs.
// It runs this file, whose time-out must be longer than the longest test's, and it still runs a single one:
// npx tap gateway/dist/test/main.test.js
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'

const root = import.meta.dirname
const jobs = 2
const timeoutMs = 900_000

/** Their tests start, kill and wait for servers: side by side they end sooner. */
const fileByFile = ['standalone', 'database']

/** From the way's end to its beginning: what starts the whole product takes longest and must not be left alone at the end. */
const workspaces = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).workspaces.reverse()

function testsIn(folder) {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.js'))
  if (files.length === 0) throw new Error(`${folder} has no tests: build first`)
  return files.sort().map((name) => join(folder, name))
}

function runAll() {
  const parts = workspaces.flatMap((workspace) => {
    const folder = join(workspace, 'dist', 'test')
    const files = testsIn(folder)
    return fileByFile.includes(workspace) ? files : [folder]
  })
  t.jobs = jobs
  for (const part of parts) {
    const program = part.endsWith('.js') ? [part] : [relative(root, import.meta.filename), part]
    t.spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--enable-source-maps', ...program], {
      name: part,
      cwd: root,
      buffered: true,
      timeout: timeoutMs
    })
  }
}

/** tap ends a process that has nothing to do for a moment, which is so too while the next file still makes its database. */
async function runFolder(folder) {
  const end = t.end.bind(t)
  t.end = () => t
  for (const file of testsIn(folder)) await import(pathToFileURL(join(root, file)).href)
  end()
}

const folder = process.argv[2]
if (folder === undefined) runAll()
else await runFolder(folder)
