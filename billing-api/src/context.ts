import type { Pool } from '@endeks/database/pool'
import type { Log } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import type { KeyVault } from './key-vault.js'

/** What every resource works with. */
export interface ApiContext {
  readonly pool: Pool
  readonly clock: Clock
  readonly log: Log
  /** for the meters' keys; undefined where the process was given no secret */
  readonly vault?: KeyVault
}
