import { type EpochMs, epochMs } from '@endeks/domain/time'
import type { AckMessage, CommandMessage } from '@endeks/domain/wire'

/** A command as it is kept on disk. */
export interface KeptCommand {
  /** its place among all that came */
  readonly order: number
  readonly message: CommandMessage
  /** by how much this gateway's clock was ahead of the sender's when it came; negative where it was behind */
  readonly clockAheadMs: number
  /** by this gateway's clock: from here on nobody begins it */
  readonly expiresAt: EpochMs
  /** `started`: the meter may have been told */
  state: 'waiting' | 'started' | 'finished'
  answer?: AckMessage
  acknowledged: boolean
}

/**
 * The earlier of two ends: the deadline as the sender's clock has it, and so long after the receipt as was left when it was
 * sent. A clock that is ahead gives up too early, one that is behind does not begin too late.
 */
export function keptCommand(message: CommandMessage, { order, now }: { readonly order: number; readonly now: EpochMs }): KeptCommand {
  const left = Math.max(0, message.deadline - message.issuedAt)
  const expiresAt = epochMs(Math.min(message.deadline, now + left))
  return { order, message, clockAheadMs: now - message.issuedAt, expiresAt, state: 'waiting', acknowledged: false }
}
