import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@endeks/domain/process'
import { toIso } from '@endeks/domain/time'
import { questions } from './questions.js'

/** Longer than this a question has hung. */
const longestMs = 20 * 60_000

/**
 * `npm run bench [-- QUESTION...] [-- --save]`: each question in a process of its own, one line of JSON a question. `--save`
 * keeps the answers in the question's results.
 */
function main(given: readonly string[]): number {
  const save = given.includes('--save')
  const asked = given.filter((argument) => argument !== '--save')
  const unknown = asked.filter((name) => !questions.some((question) => question === name))
  if (unknown.length > 0) {
    console.error(`no such question: ${unknown.join(', ')}. There are: ${questions.join(', ')}`)
    return 2
  }
  let failed = 0
  for (const question of asked.length === 0 ? questions : asked) {
    console.error(`${question}: takes some minutes`)
    const answer = ask(question)
    if (answer === undefined) failed += 1
    else {
      console.log(answer)
      if (save) keep(question, answer)
    }
  }
  return failed === 0 ? 0 : 1
}

/** @returns the last line that the question wrote, or undefined when it failed */
function ask(question: string): string | undefined {
  const program = fileURLToPath(new URL(`${question}/run.js`, import.meta.url))
  const { status, stdout, error } = spawnSync(process.execPath, [program], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: longestMs
  })
  if (status === 0) return stdout.trimEnd().split('\n').at(-1)
  console.error(`${question} failed${error === undefined ? '' : `: ${error.message}`}`)
  return undefined
}

function keep(question: string, answer: string): void {
  const at = toIso(systemClock.now())
  const folder = fileURLToPath(new URL(`../${question}/results/`, import.meta.url))
  mkdirSync(folder, { recursive: true })
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, load: Math.round(loadavg()[0] ?? 0) }
  const kept = { at, machine, ...(JSON.parse(answer) as Record<string, unknown>) }
  writeFileSync(join(folder, `${at.slice(0, 10)}.json`), `${JSON.stringify(kept, undefined, 2)}\n`)
}

process.exitCode = main(process.argv.slice(2))
