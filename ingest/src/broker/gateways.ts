import type { GatewayId } from '@endeks/domain/identifiers'
import type { RefusalReason } from './reasons.js'
import { TokenBucket } from './token-bucket.js'

export interface GatewayLimits {
  /** of any kind: a flood of pings costs as much as one of publishes */
  readonly messagesPerSecond: number
  readonly bytesPerSecond: number
  /** a gateway that was silent may send so many seconds' worth at once */
  readonly burstSeconds: number
  /** with its right credential; as many may also come at once */
  readonly connectsPerMinute: number
  /** a connection that takes the place of one that still lives; as many may also come at once */
  readonly takeOversPerMinute: number
  /** whose counts are remembered */
  readonly gateways: number
}

export const defaultGatewayLimits: GatewayLimits = {
  messagesPerSecond: 200,
  bytesPerSecond: 4 * 1024 * 1024,
  burstSeconds: 5,
  connectsPerMinute: 30,
  takeOversPerMinute: 6,
  gateways: 50_000
}

/** What a gateway may send: kept over its connections, so that a new one does not begin with full buckets. */
export interface Allowance {
  readonly messages: TokenBucket
  readonly bytes: TokenBucket
}

interface Counted extends Allowance {
  readonly connects: TokenBucket
  readonly takeOvers: TokenBucket
}

/** Counts by gateway, which is known by its credential: nobody else's connects can use up what a gateway may do. */
export class Gateways {
  readonly #limits: GatewayLimits
  readonly #counted = new Map<GatewayId, Counted>()

  constructor(limits: GatewayLimits) {
    this.#limits = limits
  }

  /** @param lives whether a connection of it is there already, whose place this one would take */
  admit(gateway: GatewayId, lives: boolean, now: number): Allowance | RefusalReason {
    const counted = this.#counts(gateway, now)
    if (!counted.connects.tryPay(1, now)) return 'gateway-connects'
    if (lives && !counted.takeOvers.tryPay(1, now)) return 'take-overs'
    return counted
  }

  /** Forgets gateways that have nothing to be remembered. */
  sweep(now: number): void {
    for (const [gateway, counted] of this.#counted) {
      const { messages, bytes, connects, takeOvers } = counted
      if ([messages, bytes, connects, takeOvers].every((bucket) => bucket.isFull(now))) this.#counted.delete(gateway)
    }
  }

  #counts(gateway: GatewayId, now: number): Counted {
    const known = this.#counted.get(gateway)
    if (known !== undefined) return known
    const oldest = this.#counted.size >= this.#limits.gateways ? this.#counted.keys().next() : undefined
    if (oldest?.done === false) this.#counted.delete(oldest.value)
    const { messagesPerSecond, bytesPerSecond, burstSeconds, connectsPerMinute, takeOversPerMinute } = this.#limits
    const bucket = (perSecond: number, burst: number) => new TokenBucket({ perSecond, burst }, now)
    const counted: Counted = {
      messages: bucket(messagesPerSecond, Math.max(1, messagesPerSecond * burstSeconds)),
      bytes: bucket(bytesPerSecond, bytesPerSecond * burstSeconds),
      connects: bucket(connectsPerMinute / 60, connectsPerMinute),
      takeOvers: bucket(takeOversPerMinute / 60, takeOversPerMinute)
    }
    this.#counted.set(gateway, counted)
    return counted
  }
}
