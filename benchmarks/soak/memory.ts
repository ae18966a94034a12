import { median } from '../support/quantile.js'

/** Memory of one process over a run, in MB, evenly sampled. */
export interface Series {
  readonly name: string
  readonly megabytes: readonly number[]
}

export interface Growth {
  readonly earlyMb: number
  readonly lateMb: number
  /** late to early; 1 is flat */
  readonly ratio: number
}

/**
 * Holds the last tenth against the second and third: in ten minutes, the last minute against the second and third. Before that
 * caches fill and code is compiled; what grows after it goes on growing.
 */
export function growthOf({ megabytes }: Series): Growth {
  const part = (from: number, to: number): number =>
    median(megabytes.slice(Math.floor(megabytes.length * from), Math.ceil(megabytes.length * to)))
  const earlyMb = part(0.1, 0.3)
  const lateMb = part(0.9, 1)
  return { earlyMb, lateMb, ratio: lateMb / earlyMb }
}

/** One line: every value in whole MB. */
export function seriesInWords({ name, megabytes }: Series): string {
  return `${name.padEnd(16)} ${megabytes.map((each) => Math.round(each)).join(' ')}`
}
