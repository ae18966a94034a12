import type { Clock, EpochMs } from '../time/instant.js'

/** The system's clock. Only entry points take it from here; everything else is given a `Clock`. */
export const systemClock: Clock = { now: () => Date.now() as EpochMs }
