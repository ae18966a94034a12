import type { Clock, EpochMs } from '@endeks/domain/time'

/** A clock that goes on by so much each time that it is asked. */
export function clock(stepMs = 0): Clock {
  let now = 1_795_000_000_000
  return {
    now: () => {
      now += stepMs
      return now as EpochMs
    }
  }
}
