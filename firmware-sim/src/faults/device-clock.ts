import { type EpochMs, epochMs } from '@endeks/domain/time'

const dayMs = 86_400_000

/** A meter's own clock against the true one. */
export interface DeviceClock {
  /** what the meter's clock shows at an instant */
  shown(at: EpochMs): EpochMs
  /** when the meter's clock shows this: the inverse, to the millisecond */
  trueAt(shown: EpochMs): EpochMs
}

export const trueClock: DeviceClock = { shown: (at) => at, trueAt: (shown) => shown }

/**
 * A clock that gains on the true one.
 *
 * @param setAt when it was last right; before that it is right
 * @param secondsPerDay gained a day; less than nothing for a slow one, more than -86,400
 */
export function driftingClock(setAt: EpochMs, secondsPerDay: number): DeviceClock {
  const pace = 1 + (secondsPerDay * 1_000) / dayMs
  return {
    shown: (at) => (at <= setAt ? at : epochMs(Math.round(setAt + (at - setAt) * pace))),
    trueAt: (shown) => (shown <= setAt ? shown : epochMs(Math.round(setAt + (shown - setAt) / pace)))
  }
}
