import type { GatewayId } from '@endeks/domain/identifiers'

/** How commands leave for gateways, whatever carries them. */
export interface Downlinks {
  /**
   * Hands a command to a gateway.
   *
   * @returns whether the gateway has said that it has it. It may have it all the same when it has not said so, and takes no harm
   *   from having it again: a command is sent until its gateway has said something, or its time is over
   */
  send(gateway: GatewayId, payload: string): Promise<boolean>
  /** whether it is worth trying now; always true where that can't be told */
  isReachable(gateway: GatewayId): boolean
  /** Calls `listener` when a gateway begins to hear its commands. @returns what ends it */
  onReachable(listener: (gateway: GatewayId) => void): () => void
}
