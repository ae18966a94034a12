// npm start: builds what is not built, then runs the compiled program in this very process, so that a signal meant for it
// reaches it. TypeScript builds only what changed; the web console is built when its sources are newer than its bundle.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// Who started this, before anything takes time: npm can be killed while things are built, and nobody would be left to stop them.
const shellStatus = `/proc/${process.ppid}/status`
const npm = existsSync(shellStatus) ? (/^PPid:\s*(\d+)$/m.exec(readFileSync(shellStatus, 'utf8'))?.[1] ?? '0') : '0'
process.env['ENDEKS_STARTED_BY'] = `${process.ppid} ${npm}`

const root = fileURLToPath(new URL('..', import.meta.url))

function newest(path) {
  const entry = statSync(path, { throwIfNoEntry: false })
  if (entry === undefined) return 0
  if (!entry.isDirectory()) return entry.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newest(`${path}/${name}`)))
}

function run(what, command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) {
    process.stderr.write(`building the ${what} failed\n`)
    process.exit(1)
  }
}

process.stdout.write('building\n')
run('services', process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-b'])
const bundle = newest(`${root}dashboards/dist/web/index.html`)
if (bundle === 0 || newest(`${root}dashboards/staff`) > bundle || newest(`${root}package-lock.json`) > bundle) {
  run('web console', 'npm', ['run', '--silent', '--workspace', 'dashboards', 'build'])
}
await import('./dist/src/main.js')
