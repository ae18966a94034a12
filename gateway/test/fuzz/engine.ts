import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Result } from '@endeks/domain/result'
import type { DecodeFailure } from '../../src/protocols/protocol.js'
import { mutated } from './mutation.js'
import { type Random, random } from './random.js'
import { cellsOf } from './weight.js'

export type Outcome = Result<unknown, DecodeFailure>

/** One way into a codec. */
export interface FuzzTarget {
  readonly name: string
  /** good bytes, one for each way through the decoder */
  readonly corpus: readonly Uint8Array[]
  /** makes lengths and check sequences fit again, so that a mutation reaches what they protect */
  readonly mend?: (bytes: Uint8Array, pick: Random) => Uint8Array
  /** an offset may also be one of so many other bytes that the target knows: of the other half of a conversation */
  readonly besideBytes?: number
  /** what comes of the bytes; a stream gives one for each frame. It depends on the bytes alone, so that a case can be repeated */
  readonly decode: (bytes: Uint8Array) => readonly Outcome[]
}

/** All ways into a codec. */
export interface FuzzedCodec {
  readonly name: string
  /** what the codes of its failures begin with */
  readonly prefix: string
  readonly targets: readonly FuzzTarget[]
}

export interface Case {
  readonly target: string
  readonly bytes: Uint8Array
}

export interface FuzzReport {
  readonly cases: number
  /** how often each code came; `value` for bytes that decoded */
  readonly outcomes: ReadonlyMap<string, number>
  readonly slowest: Case & { readonly milliseconds: number }
  readonly largest: Case & { readonly cells: number }
  /** what the heap holds more than before, after garbage collection */
  readonly retainedBytes: number
}

/** What a codec must not do, whatever the bytes. */
export class FuzzFailure extends Error {
  readonly target: string
  readonly bytes: Uint8Array

  constructor({ target, bytes }: Case, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`${target}: ${why}, on ${Buffer.from(bytes).toString('hex')}`, { cause })
    this.name = 'FuzzFailure'
    this.target = target
    this.bytes = bytes
  }
}

/** Values of one answer: a meter's list of objects has some ten thousand, and a compact array may have 262,144 of three cells. */
const mostCells = 1_000_000
const longestMessage = 1_000
/** One case of four is left as it was bent, so that checks of lengths and check sequences see lies too. */
const unmended = 4

/** @throws {FuzzFailure} for bytes on which a codec throws, or gives what is neither a value nor a coded failure */
export function fuzz(codec: FuzzedCodec, { count, seed }: { readonly count: number; readonly seed: number }): FuzzReport {
  const pick = random(seed)
  const outcomes = new Map<string, number>()
  let slowest: FuzzReport['slowest'] = { target: '', bytes: new Uint8Array(0), milliseconds: 0 }
  let largest: FuzzReport['largest'] = { target: '', bytes: new Uint8Array(0), cells: 0 }
  const collect = collector()
  let before = 0
  for (let run = 0; run < count; run += 1) {
    // Tables that a codec fills as it goes are full by then; what still grows would grow for ever.
    if (run === Math.floor(count / 4)) before = heapAfter(collect)
    const target = codec.targets[run % codec.targets.length]
    if (target === undefined) throw new RangeError(`${codec.name} has no targets`)
    const bent = mutated(target.corpus, pick)
    const bytes = target.mend === undefined || pick(unmended) === 0 ? bent : target.mend(bent, pick)
    const { codes, milliseconds, cells } = decodeCase(codec.prefix, target, bytes)
    for (const code of codes) outcomes.set(code, (outcomes.get(code) ?? 0) + 1)
    if (milliseconds > slowest.milliseconds) slowest = { target: target.name, bytes, milliseconds }
    if (cells > largest.cells) largest = { target: target.name, bytes, cells }
  }
  return { cases: count, outcomes, slowest, largest, retainedBytes: heapAfter(collect) - before }
}

/** Gives one case to its target and judges what came. @throws {FuzzFailure} */
export function decodeCase(prefix: string, target: FuzzTarget, bytes: Uint8Array) {
  const started = performance.now()
  try {
    const given = target.decode(bytes)
    const milliseconds = performance.now() - started
    const cells = cellsOf(given)
    if (cells > mostCells) throw new RangeError(`${cells} cells came of ${bytes.length} bytes`)
    return { codes: given.map((outcome) => judged(prefix, outcome, Math.max(bytes.length, target.besideBytes ?? 0))), milliseconds, cells }
  } catch (thrown) {
    throw new FuzzFailure({ target: target.name, bytes }, thrown)
  }
}

function judged(prefix: string, outcome: Outcome, size: number): string {
  if (outcome.ok) return 'value'
  const { code, message, offset } = outcome.error
  if (!code.startsWith(prefix) || !/^[A-Z]+(_[A-Z0-9]+)+$/.test(code)) throw new TypeError(`"${code}" is no code of ${prefix}`)
  if (message === '' || message.length > longestMessage) throw new RangeError(`the message of ${code} has ${message.length} characters`)
  if (offset !== undefined && !(Number.isInteger(offset) && offset >= 0 && offset <= size))
    throw new RangeError(`the offset ${offset} of ${code} is not one of ${size} bytes`)
  return code
}

/** The collector, without asking whoever starts the process for a flag. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new TypeError('the garbage collector can not be called')
  return () => void collect()
}

function heapAfter(collect: () => void): number {
  collect()
  return process.memoryUsage().heapUsed
}
