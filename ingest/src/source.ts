import type { Log } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import type { Incoming } from './accept/prepare.js'
import type { Pressure } from './accept/pressure.js'
import type { Listening } from './broker/listening.js'
import type { Downlinks } from './downlink/downlinks.js'
import type { KillPoint } from './kill-points.js'
import type { Statistics } from './statistics.js'

/** What a source hands messages to, and where it tells what it does. */
export interface SourceDependencies {
  /** resolves when the message is committed: only then may whoever sent it hear that it has arrived */
  readonly accept: (message: Incoming) => Promise<void>
  /** while it is high, nothing more is to be brought */
  readonly pressure: Pressure
  readonly clock: Clock
  readonly log: Log
  readonly statistics: Statistics
  readonly killPoint: KillPoint
}

/** Where messages come from, and where commands go: our own broker, or a stream that another keeps. */
export interface Source extends Downlinks {
  /** Begins to bring messages. @returns where gateways connect to; nothing where they connect elsewhere */
  start(): Promise<Listening>
  /** whether messages are brought at present */
  readonly listening: boolean
  /** gateways that are connected here */
  readonly connected: number
  /** Brings nothing new; what is under way is still acknowledged. */
  refuseMessages(): void
  close(): Promise<void>
}
