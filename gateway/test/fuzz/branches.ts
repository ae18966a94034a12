import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { FuzzedCodec } from './engine.js'

const dist = resolve(fileURLToPath(new URL('../..', import.meta.url)))
const longestMs = 10 * 60_000
const mostOutput = 64 * 1024 * 1024

/** What V8 writes about one script: a function's first range is the function, the others are branches in it. */
interface ScriptCoverage {
  readonly url: string
  readonly functions: readonly { readonly functionName: string; readonly ranges: readonly Range[] }[]
}

interface Range {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

interface Options {
  /** whether to list each branch that was not taken */
  readonly uncovered: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly say: (line: string) => void
}

/** Prints, codec by codec, how many branches of its folder its tests of bytes (vectors, properties, fuzz) take. */
export function branchReport(codecs: readonly FuzzedCodec[], options: Options): number {
  for (const { name } of codecs) {
    const scripts = scriptsOf(name, options)
    if (scripts === undefined) return 1
    const folder = pathToFileURL(join(dist, 'src', 'protocols', name, 'codec', '/')).href
    let [taken, all] = [0, 0]
    for (const script of scripts.filter(({ url }) => url.startsWith(folder))) {
      const ranges = rangesOf(script)
      const missed = ranges.filter(({ count }) => count === 0)
      taken += ranges.length - missed.length
      all += ranges.length
      if (options.uncovered && missed.length > 0) for (const line of located(fileURLToPath(script.url), missed)) options.say(line)
    }
    options.say(`${name}: ${taken} of ${all} branches (${((100 * taken) / all).toFixed(1)} %)`)
  }
  return 0
}

/** Runs a codec's tests in one process, so that V8's counts need no merging. Undefined when one fails. */
function scriptsOf(codec: string, { environment, say }: Options): readonly ScriptCoverage[] | undefined {
  const place = mkdtempSync(join(tmpdir(), 'endeks-branches-'))
  try {
    const files = testsOfBytes(join(dist, 'test', 'protocols', codec))
    const program = 'for (const file of process.argv.slice(1)) await import(file)'
    const ran = spawnSync(process.execPath, ['--input-type=module', '--eval', program, ...files], {
      env: { ...environment, NODE_V8_COVERAGE: place, TAP_TIMEOUT: String(longestMs / 1_000) },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: mostOutput,
      timeout: longestMs
    })
    const [written] = readdirSync(place)
    if (ran.status !== 0 || written === undefined) {
      const failed = ran.stdout.split('\n').filter((line) => line.trimStart().startsWith('not ok'))
      say(`${codec}: its tests failed with ${ran.status ?? ran.signal}: ${failed.join('; ')}`)
      return undefined
    }
    return (JSON.parse(readFileSync(join(place, written), 'utf8')) as { readonly result: readonly ScriptCoverage[] }).result
  } finally {
    rmSync(place, { recursive: true })
  }
}

/** The tests that speak to a codec only: what a driver's conversation happens to decode is no proof. */
function testsOfBytes(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(folder, name))
    .filter((path) => !/\/(driver|session|transport)\.js'|'node:net'|\/line\//.test(readFileSync(path, 'utf8')))
    .map((path) => pathToFileURL(path).href)
}

function rangesOf({ functions }: ScriptCoverage): Range[] {
  return functions.flatMap(({ ranges }) => ranges)
}

function located(path: string, ranges: readonly Range[]): string[] {
  const text = readFileSync(path, 'utf8')
  const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')) as SourceMapPayload)
  return ranges.map(({ startOffset, endOffset }) => {
    const before = text.slice(0, startOffset).split('\n')
    const entry = map.findEntry(before.length - 1, before.at(-1)?.length ?? 0)
    const line = 'originalLine' in entry ? entry.originalLine + 1 : 0
    const code = text.slice(startOffset, endOffset).replace(/\s+/g, ' ').slice(0, 100)
    return `  ${basename(path, '.js')}.ts:${line}: ${code}`
  })
}
