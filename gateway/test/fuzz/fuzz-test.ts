import { type FuzzedCodec, type FuzzReport, fuzz } from './engine.js'

/** What of a test is needed here. */
interface Told {
  comment(text: string): unknown
  ok(what: boolean, why: string): unknown
}

/** Cheap enough for every run of the suite; `main.ts` takes a million. */
const casesInSuite = 20_000
/** What the collector leaves, and code that was compiled meanwhile. */
export const mostRetainedBytes = 32 * 1024 * 1024

/** The fuzz of the suite: few cases, always the same. */
export function fuzzTest(t: Told, codec: FuzzedCodec, seed: number): FuzzReport {
  const report = fuzz(codec, { count: casesInSuite, seed })
  t.comment(`seed ${seed}, ${report.cases} cases: ${JSON.stringify(Object.fromEntries(report.outcomes))}`)
  t.ok(report.retainedBytes < mostRetainedBytes, `the heap keeps ${report.retainedBytes} bytes more`)
  return report
}
