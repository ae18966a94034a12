import { type EpochMs, fromIso } from '@endeks/domain/time'
import { Chance } from './chance.js'
import type { Schedule } from './schema.js'

const oneIn = 1_000_000

/** Which answer of whom it is: nothing else decides whether a fault strikes. */
export interface Occasion {
  readonly seed: number
  readonly address: string
  /** 1 for the first answer */
  readonly count: number
  readonly at: EpochMs
}

/** @param name tells two faults of one meter apart, so that they do not always strike together */
export function strikes(schedule: Schedule, name: string, { seed, address, count, at }: Occasion): boolean {
  const { from, to, every, chance } = schedule
  if (from !== undefined && at < fromIso(from)) return false
  if (to !== undefined && at >= fromIso(to)) return false
  if (every !== undefined && count % every !== 0) return false
  return chance === undefined || new Chance(seed, address, name, count).below(oneIn) < chance * oneIn
}
