import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { fuzzedDlms } from '../protocols/dlms/fuzz-targets.js'
import { fuzzedMbus } from '../protocols/mbus/fuzz-targets.js'
import { fuzzedModbus } from '../protocols/modbus/fuzz-targets.js'
import { branchReport } from './branches.js'
import { decodeCase, type FuzzedCodec, FuzzFailure, type FuzzReport, fuzz } from './engine.js'
import { mostRetainedBytes } from './fuzz-test.js'

const codecs = [fuzzedDlms, fuzzedMbus, fuzzedModbus]
/** Far above what any case takes: what passes it does more work than its bytes are worth. */
const mostMilliseconds = 5_000
const mostPeakBytes = 1024 * 1024 * 1024
const usage = `usage: npm run fuzz -- [--codec ${codecs.map(({ name }) => name).join('|')}] [--count 1000000] [--seed N]
       npm run fuzz -- --target "NAME" --hex BYTES     repeats one case
       npm run fuzz -- --branches [--uncovered]        branches of the decoders that the tests and the fuzz reach`

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function main(): number {
  const { values } = parseArgs({
    options: {
      codec: { type: 'string' },
      count: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(randomInt(2 ** 32)) },
      target: { type: 'string' },
      hex: { type: 'string' },
      branches: { type: 'boolean', default: false },
      uncovered: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) {
    say(usage)
    return 0
  }
  const chosen = codecs.filter(({ name }) => values.codec === undefined || name === values.codec)
  const [count, seed] = [Number(values.count), Number(values.seed)]
  if (chosen.length === 0 || !Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed)) {
    process.stderr.write(`${usage}\n`)
    return 2
  }
  if (values.branches) return branchReport(chosen, { uncovered: values.uncovered, environment: process.env, say })
  if (values.hex !== undefined) return again(values.target ?? '', Buffer.from(values.hex, 'hex'))
  return chosen.map((codec) => attempt(codec, count, seed)).every(Boolean) ? 0 : 1
}

function again(target: string, bytes: Uint8Array): number {
  for (const { prefix, targets } of codecs)
    for (const each of targets) {
      if (each.name !== target) continue
      say(JSON.stringify(decodeCase(prefix, each, bytes)))
      return 0
    }
  process.stderr.write(`there is no target "${target}": ${codecs.flatMap(({ targets }) => targets.map(({ name }) => name)).join(', ')}\n`)
  return 2
}

function attempt(codec: FuzzedCodec, count: number, seed: number): boolean {
  say(`${codec.name}: ${count} cases, seed ${seed}`)
  try {
    return withinBounds(fuzz(codec, { count, seed }))
  } catch (thrown) {
    if (!(thrown instanceof FuzzFailure)) throw thrown
    say(`FAILED after seed ${seed}: ${thrown.stack ?? thrown.message}`)
    say(`again: --target "${thrown.target}" --hex ${hexOf(thrown.bytes)}`)
    return false
  }
}

function withinBounds({ outcomes, slowest, largest, retainedBytes }: FuzzReport): boolean {
  const peak = process.resourceUsage().maxRSS * 1024
  for (const [code, count] of [...outcomes].sort(([, one], [, other]) => other - one)) say(`  ${String(count).padStart(9)} ${code}`)
  say(`  slowest: ${slowest.milliseconds.toFixed(1)} ms, "${slowest.target}" --hex ${hexOf(slowest.bytes)}`)
  say(`  largest: ${Math.round(largest.cells)} values of ${largest.bytes.length} bytes, "${largest.target}" --hex ${hexOf(largest.bytes)}`)
  say(`  memory: ${megabytes(peak)} at the most, ${megabytes(retainedBytes)} kept`)
  return slowest.milliseconds < mostMilliseconds && retainedBytes < mostRetainedBytes && peak < mostPeakBytes
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

process.exitCode = main()
