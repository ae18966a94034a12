/** How fast what had piled up is sent. */
export interface ReplayRate {
  readonly messagesPerSecond: number
  readonly bytesPerSecond: number
}

/** Half of what a broker takes of a gateway unless told (200 messages and 4 MB a second), so that live values have the other half. */
export const replayDefaults: ReplayRate = { messagesPerSecond: 100, bytesPerSecond: 1_048_576 }

/** A gateway whose live values alone reach the rate still sends a tenth of it from what had piled up, or that would never arrive. */
const leastShare = 0.1

/**
 * Bounds what is replayed: together with the live values, which never wait, no more than the rate. Tokens in two buckets; live values
 * take from the first only.
 */
export class Pace {
  readonly #shared: Bucket
  readonly #least: Bucket
  /** of which the last allowance told */
  #from: Bucket

  constructor(rate: ReplayRate, now: () => number = () => performance.now()) {
    this.#shared = new Bucket(rate, 1 - leastShare, now)
    this.#least = new Bucket(rate, leastShare, now)
    this.#from = this.#shared
  }

  /** A live message left. */
  live(bytes: number): void {
    this.#shared.spend(bytes, 0)
  }

  /** How many messages may be replayed now. */
  allowance(): number {
    this.#from = this.#shared.allowance() > 0 ? this.#shared : this.#least
    return this.#from.allowance()
  }

  /** A message of those that the last `allowance` told of left. More bytes than there are is a debt, for the next ones to wait. */
  replayed(bytes: number): void {
    this.#from.spend(bytes, Number.NEGATIVE_INFINITY)
  }

  /** How long until the next one may, in ms. */
  waitMs(): number {
    return Math.ceil(Math.min(this.#shared.waitMs(), this.#least.waitMs()))
  }
}

/** A share of the rate. Holds what a second allows, but one message at least. */
class Bucket {
  readonly #rate: ReplayRate
  readonly #now: () => number
  readonly #most: number
  #messages: number
  #bytes: number
  #at: number

  constructor({ messagesPerSecond, bytesPerSecond }: ReplayRate, share: number, now: () => number) {
    this.#rate = { messagesPerSecond: messagesPerSecond * share, bytesPerSecond: bytesPerSecond * share }
    this.#now = now
    this.#most = Math.max(1, this.#rate.messagesPerSecond)
    this.#messages = this.#most
    this.#bytes = this.#rate.bytesPerSecond
    this.#at = now()
  }

  allowance(): number {
    this.#refill()
    return this.#bytes > 0 ? Math.max(0, Math.floor(this.#messages)) : 0
  }

  spend(bytes: number, floor: number): void {
    this.#refill()
    this.#messages = Math.max(floor, this.#messages - 1)
    this.#bytes = Math.max(floor, this.#bytes - bytes)
  }

  waitMs(): number {
    this.#refill()
    const forMessage = (1 - this.#messages) / this.#rate.messagesPerSecond
    const forBytes = (1 - this.#bytes) / this.#rate.bytesPerSecond
    return Math.max(0, forMessage, forBytes) * 1_000
  }

  #refill(): void {
    const now = this.#now()
    const seconds = (now - this.#at) / 1_000
    this.#at = now
    this.#messages = Math.min(this.#most, this.#messages + seconds * this.#rate.messagesPerSecond)
    this.#bytes = Math.min(this.#rate.bytesPerSecond, this.#bytes + seconds * this.#rate.bytesPerSecond)
  }
}
