import type { Pool } from '@endeks/database/pool'
import type { Log } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'

/** What every resource works with. */
export interface ApiContext {
  readonly pool: Pool
  readonly clock: Clock
  readonly log: Log
}
