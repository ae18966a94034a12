import type { ErrorCode } from '@endeks/domain/errors'
import { type Counts, type CutReason, cutReasons, noCounts, type RefusalReason, refusalReasons } from './broker/reasons.js'

/** What happened since the start, counted. */
export interface Statistics {
  connections: number
  connectsRefused: number
  subscriptionsRefused: number
  connectionsCut: number
  /** of `connectsRefused` and `connectionsCut`, and of TLS handshakes that failed, by reason */
  readonly connectsRefusedBy: Counts<RefusalReason>
  readonly connectionsCutBy: Counts<CutReason>
  /** how often a gateway had used up its allowance, and was not read for a while */
  slowdowns: number
  messages: number
  messagesUnacknowledged: number
  /** of a stream: given before, and not acknowledged then */
  messagesRedelivered: number
  /** of a stream: of no gateway */
  messagesForeign: number
  /** of a stream: taken out by this process, which has stored them */
  messagesTrimmed: number
  /** how often more was held than could be stored in time, and sources stopped reading */
  pressureRises: number
  batches: number
  batchesFailed: number
  readingsStored: number
  readingsKnown: number
  readingsConflicting: number
  readingsUnassigned: number
  readingsAdopted: number
  profiles: number
  /** declarations of lost messages, repetitions included */
  lossesDeclared: number
  deadLetters: number
  deadLettersOverQuota: number
  /** dead letters by their code, kept or not */
  refusals: Partial<Record<ErrorCode, number>>
  /** messages of other makers' gateways that never came, as far as their numbers tell */
  foreignMissing: number
  downlinksSent: number
  downlinksAnswered: number
  downlinksExpired: number
  /** readings that the mirror's receiver has taken, some of them twice */
  mirrorReadings: number
  /** readings that it would not take, which were left out */
  mirrorRefused: number
  /** how often it or the database was out of reach, and all was tried again */
  mirrorFailures: number
}

export function noStatistics(): Statistics {
  return {
    connections: 0,
    connectsRefused: 0,
    subscriptionsRefused: 0,
    connectionsCut: 0,
    connectsRefusedBy: noCounts(refusalReasons),
    connectionsCutBy: noCounts(cutReasons),
    slowdowns: 0,
    messages: 0,
    messagesUnacknowledged: 0,
    messagesRedelivered: 0,
    messagesForeign: 0,
    messagesTrimmed: 0,
    pressureRises: 0,
    batches: 0,
    batchesFailed: 0,
    readingsStored: 0,
    readingsKnown: 0,
    readingsConflicting: 0,
    readingsUnassigned: 0,
    readingsAdopted: 0,
    profiles: 0,
    lossesDeclared: 0,
    deadLetters: 0,
    deadLettersOverQuota: 0,
    refusals: {},
    foreignMissing: 0,
    downlinksSent: 0,
    downlinksAnswered: 0,
    downlinksExpired: 0,
    mirrorReadings: 0,
    mirrorRefused: 0,
    mirrorFailures: 0
  }
}
