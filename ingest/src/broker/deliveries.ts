import { AppError } from '@endeks/domain/errors'
import type { GatewayId } from '@endeks/domain/identifiers'
import { topicFor } from '@endeks/domain/wire'
import { encodePublish } from './publish-packet.js'

export interface DeliveryLimits {
  /** for a gateway to acknowledge a command; beyond it the command counts as not delivered */
  readonly deliverWithinMs: number
  /** sent to one gateway and not yet acknowledged */
  readonly deliveriesAtOnce: number
  readonly commandBytes: number
}

export const defaultDeliveryLimits: DeliveryLimits = { deliverWithinMs: 10_000, deliveriesAtOnce: 20, commandBytes: 64 * 1024 }

const mostMessageId = 65_535

/** What is sent to one connection of a gateway and waits for its acknowledgement. */
class Outbox {
  readonly #write: (bytes: Buffer) => void
  readonly #waiting = new Map<number, (delivered: boolean) => void>()
  #lastId = 0

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write
  }

  get size(): number {
    return this.#waiting.size
  }

  send(topic: string, payload: Buffer, withinMs: number): Promise<boolean> {
    do this.#lastId = (this.#lastId % mostMessageId) + 1
    while (this.#waiting.has(this.#lastId))
    const messageId = this.#lastId
    return new Promise((resolve) => {
      const settle = (delivered: boolean): void => {
        clearTimeout(timer)
        this.#waiting.delete(messageId)
        resolve(delivered)
      }
      const timer = setTimeout(settle, withinMs, false)
      this.#waiting.set(messageId, settle)
      this.#write(encodePublish({ topic, messageId, payload }))
    })
  }

  acknowledge(messageId: number): void {
    this.#waiting.get(messageId)?.(true)
  }

  close(): void {
    for (const settle of [...this.#waiting.values()]) settle(false)
  }
}

/**
 * What the broker itself sends: commands, to gateways that hear them now. Nothing waits here for a gateway that is away; who
 * sends keeps what was not delivered.
 */
export class Deliveries {
  readonly #limits: DeliveryLimits
  readonly #outboxes = new Map<GatewayId, Outbox>()
  readonly #listeners = new Set<(gateway: GatewayId) => void>()

  constructor(limits: DeliveryLimits) {
    this.#limits = limits
  }

  /** @returns how not to be told any more */
  onReachable(listener: (gateway: GatewayId) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  isReachable(gateway: GatewayId): boolean {
    return this.#outboxes.has(gateway)
  }

  /**
   * Sends a command with QoS 1.
   *
   * @returns true when the gateway has acknowledged it; false when it is not connected, not subscribed with QoS 1, has too many
   *   unacknowledged, is cut meanwhile or did not answer in time. It may have arrived then all the same.
   * @throws {AppError} MESSAGE_TOO_LARGE
   */
  async send(gateway: GatewayId, payload: string | Buffer): Promise<boolean> {
    const bytes = Buffer.from(payload)
    const { commandBytes, deliveriesAtOnce, deliverWithinMs } = this.#limits
    if (bytes.length > commandBytes) {
      throw new AppError('MESSAGE_TOO_LARGE', `a command of ${bytes.length} bytes; ${commandBytes} are sent at most`)
    }
    const outbox = this.#outboxes.get(gateway)
    if (outbox === undefined || outbox.size >= deliveriesAtOnce) return false
    return outbox.send(topicFor(gateway, 'cmd'), bytes, deliverWithinMs)
  }

  /** A gateway hears its commands from now on, through `write`. @returns its outbox, for what follows */
  open(gateway: GatewayId, write: (bytes: Buffer) => void): Outbox {
    const outbox = new Outbox(write)
    this.#outboxes.get(gateway)?.close()
    this.#outboxes.set(gateway, outbox)
    for (const listener of this.#listeners) listener(gateway)
    return outbox
  }

  /** It hears them no more. A newer connection of the same gateway stays as it is. */
  close(gateway: GatewayId, outbox: Outbox): void {
    outbox.close()
    if (this.#outboxes.get(gateway) === outbox) this.#outboxes.delete(gateway)
  }
}

export type { Outbox }
