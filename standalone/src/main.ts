import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { asError, isAppError } from '@endeks/domain/errors'
import { killPointAt, systemClock } from '@endeks/domain/process'
import { readArguments, usage } from './arguments.js'
import { createProgress } from './progress.js'
import { type Running, start } from './run.js'

const shippedSite = fileURLToPath(new URL('../../sites/organised-zone.json', import.meta.url))
const lookForParentMs = 500

/** What Node and the system need of the environment. */
const inheritedNames = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_OPTIONS', 'ENDEKS_KILL_AT']

function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(inheritedNames.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] ?? '']])))
}

function fail(thrown: unknown): never {
  const error = asError(thrown)
  process.stderr.write(`${error.message}\n${isAppError(error) ? `${error.code}\n` : (error.stack ?? '')}`)
  process.exit(isAppError(error, 'CONFIG_INVALID') ? 2 : 1)
}

/**
 * npm that is killed takes nothing along: what it started would go on with nobody to stop it. Between npm and this process
 * stands a shell, so the shell's parent is watched as well, where the system tells it.
 */
function stopWithNpm(stop: (reason: string) => void): void {
  if (process.env['npm_lifecycle_event'] !== 'start') return
  // start.mjs looked before it built: by now npm may be gone already.
  const [shell, npm] = (process.env['ENDEKS_STARTED_BY'] ?? '').split(' ').map(Number)
  if (shell === undefined || npm === undefined) return
  setInterval(() => {
    if (process.ppid !== shell || (parentOf(shell) ?? 0) !== npm) stop('npm is gone')
  }, lookForParentMs).unref()
}

/** The parent of a process; undefined where /proc is not there or the process is not. */
function parentOf(pid: number): number | undefined {
  const status = `/proc/${pid}/status`
  if (!existsSync(status)) return undefined
  const line = /^PPid:\s*(\d+)$/m.exec(readFileSync(status, 'utf8'))
  return line === null ? undefined : Number(line[1])
}

async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    process.stdout.write(usage)
    return
  }
  const progress = createProgress(process.stdout)
  let running: Running | undefined
  const aborting = new AbortController()
  let stopping = false
  const stop = (reason: string, exitCode = 0): void => {
    if (stopping) return
    stopping = true
    progress.step(`stopping (${reason})`)
    aborting.abort()
    starting
      .then(async () => await running?.stop())
      .then(
        () => process.exit(exitCode),
        (thrown: unknown) => fail(thrown)
      )
  }
  process.on('SIGINT', () => stop('Ctrl-C'))
  process.on('SIGTERM', () => stop('SIGTERM'))
  stopWithNpm(stop)
  const killAt = process.env['ENDEKS_KILL_AT']
  const starting = start({
    arguments: readArguments(process.argv.slice(2), shippedSite),
    adminPassword: process.env['ENDEKS_ADMIN_PASSWORD'],
    databaseUrl: process.env['DATABASE_URL'],
    inherited: inheritedEnvironment(),
    clock: systemClock,
    progress,
    killPoint: killPointAt(killAt),
    dieWithChildren: killAt !== undefined,
    signal: aborting.signal,
    onLost: (error) => {
      process.stderr.write(`${error.message}\n`)
      stop(error.code, 1)
    }
  }).then(
    (started) => {
      running = started
      if (!stopping) show(started, progress.step)
    },
    (thrown: unknown) => {
      // A start that was given up fails somewhere: what matters is that everything is stopped again.
      if (!aborting.signal.aborted) fail(thrown)
    }
  )
  await starting
}

function show({ addresses }: Running, step: (text: string) => void): void {
  step('ready; Ctrl-C stops everything, and the next start goes on from here')
  process.stdout.write(`
  web        ${addresses.web}
  API        ${addresses.api}
  documents  ${addresses.docs}
  MQTT       ${addresses.mqtt}
  sign in    ${addresses.admin.login} / ${addresses.admin.password}

`)
}

try {
  await main()
} catch (thrown) {
  if (thrown instanceof TypeError && 'code' in thrown && String(thrown.code).startsWith('ERR_PARSE_ARGS')) {
    process.stderr.write(`${thrown.message}\n\n${usage}`)
    process.exit(2)
  }
  fail(thrown)
}
