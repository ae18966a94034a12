import { median } from './support/quantile.js'

/** What is measured in one run: the product's code, and the least that the same answer costs. */
export interface Comparison {
  /** does `count` pieces of work and returns something that depends on each, so that none is optimised away */
  readonly subject: (count: number) => bigint
  readonly limit: (count: number) => bigint
  readonly count: number
  readonly rounds: number
}

/** Pieces of work a second of processor time: the median round. */
export interface Speeds {
  readonly subject: number
  readonly limit: number
}

/**
 * Measures both in turns, so that a disturbance of the machine or a change of its clock hits both. The first round warms up and
 * doesn't count. Time is what this process had of a processor: the work of others is not in it, that of a garbage collector on a
 * second core is, so that a figure is one core's however busy the machine is.
 *
 * @throws {RangeError} when the two come to different results: then they did not do the same work
 */
export function compare({ subject, limit, count, rounds }: Comparison): Speeds {
  const subjectSpeeds: number[] = []
  const limitSpeeds: number[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const ours = timed(subject, count)
    const bare = timed(limit, count)
    if (ours.result !== bare.result) throw new RangeError(`the subject comes to ${ours.result}, the limit to ${bare.result}`)
    if (round === 0) continue
    subjectSpeeds.push(ours.perSecond)
    limitSpeeds.push(bare.perSecond)
  }
  return { subject: median(subjectSpeeds), limit: median(limitSpeeds) }
}

function timed(work: (count: number) => bigint, count: number): { readonly result: bigint; readonly perSecond: number } {
  const start = process.cpuUsage()
  const result = work(count)
  const { user, system } = process.cpuUsage(start)
  return { result, perSecond: (count / (user + system)) * 1_000_000 }
}
