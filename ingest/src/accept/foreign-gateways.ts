import type { Clock } from '@endeks/domain/time'
import type { ForeignGateway } from '../formats/foreign-gateway.js'

export interface ForeignGatewayLimits {
  /** how long what was entered is believed to be all that is */
  readonly believeMs: number
  readonly gateways: number
}

export const defaultForeignGatewayLimits: ForeignGatewayLimits = { believeMs: 5_000, gateways: 5_000 }

/** What was entered for gateways of other makers, read once for all messages of some seconds. */
export class ForeignGateways {
  readonly #read: (gateway: string) => Promise<ForeignGateway>
  readonly #clock: Clock
  readonly #limits: ForeignGatewayLimits
  readonly #entries = new Map<string, { readonly readAt: number; readonly entered: Promise<ForeignGateway> }>()

  constructor(read: (gateway: string) => Promise<ForeignGateway>, clock: Clock, limits: Partial<ForeignGatewayLimits> = {}) {
    this.#read = read
    this.#clock = clock
    this.#limits = { ...defaultForeignGatewayLimits, ...limits }
  }

  /**
   * Messages that ask one after the other are answered in this order, read or remembered.
   *
   * @throws whatever reading throws; the next message asks again
   */
  async of(gateway: string): Promise<ForeignGateway> {
    const now = this.#clock.now()
    const known = this.#entries.get(gateway)
    if (known !== undefined && now >= known.readAt && now - known.readAt < this.#limits.believeMs) return known.entered
    const entered = this.#read(gateway)
    this.#entries.delete(gateway)
    const oldest = this.#entries.size >= this.#limits.gateways ? this.#entries.keys().next() : undefined
    if (oldest?.done === false) this.#entries.delete(oldest.value)
    this.#entries.set(gateway, { readAt: now, entered })
    entered.catch(() => {
      if (this.#entries.get(gateway)?.entered === entered) this.#entries.delete(gateway)
    })
    return entered
  }
}
