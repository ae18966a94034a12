import { isIPv6 } from 'node:net'
import type { RefusalReason } from './reasons.js'
import { TokenBucket } from './token-bucket.js'

export interface AddressLimits {
  /** in all */
  readonly connections: number
  /** many gateways may stand behind one address */
  readonly connectionsPerAddress: number
  /** taken, and not yet known who it is: in all and of one address */
  readonly pending: number
  readonly pendingPerAddress: number
  /** as many may also come at once */
  readonly connectsPerMinutePerAddress: number
  /** wrong passwords and the like; as many may also come at once. Beyond it the address is held off */
  readonly faultsPerMinutePerAddress: number
  /** of an address that is held off: beyond it the one that waits longest makes room for the next */
  readonly pendingWhenHeldOff: number
  /** whose counts are remembered */
  readonly addresses: number
}

export const defaultAddressLimits: AddressLimits = {
  connections: 20_000,
  connectionsPerAddress: 5_000,
  pending: 2_000,
  pendingPerAddress: 500,
  connectsPerMinutePerAddress: 3_000,
  faultsPerMinutePerAddress: 60,
  pendingWhenHeldOff: 10,
  addresses: 50_000
}

/** How much a fault counts: a password may be mistyped in a configuration, bytes that are not MQTT are no mistake of a gateway. */
export const faultPoints = { wrongPassword: 1, late: 1, handshake: 2, notMqtt: 5 } as const

interface Counted {
  open: number
  /** those whose owner is not known yet, the oldest first, by what ends them */
  readonly pending: Set<() => void>
  readonly connects: TokenBucket
  readonly faults: TokenBucket
}

/** One connection's place in the counts. */
export interface Admission {
  readonly address: string
  /** Who it is is known: it no longer counts as pending. */
  admitted(): void
  fault(points: number): void
  /** whether its address has so many faults that no password of it is computed for now */
  heldOff(): boolean
  release(): void
}

/**
 * Counts connections by address, before a byte of them is read. An address with too many faults is held off: few of its
 * connections are looked at at a time, and only those get in that are known without a computation. So whoever tries passwords
 * is slowed down to nothing, and the gateways that share an address with him still come in.
 */
export class Addresses {
  readonly #limits: AddressLimits
  readonly #counted = new Map<string, Counted>()
  #open = 0
  #pending = 0

  constructor(limits: AddressLimits) {
    this.#limits = limits
  }

  get open(): number {
    return this.#open
  }

  /**
   * @param end cuts the connection, to make room
   * @returns a place, to be released when the connection is over, or why there is none
   */
  admit(remote: string, end: () => void): Admission | RefusalReason {
    const now = performance.now()
    const { connections, connectionsPerAddress, pending, pendingPerAddress, pendingWhenHeldOff } = this.#limits
    const address = addressKey(remote)
    const counted = this.#counts(address, now)
    if (this.#open >= connections) return 'connections'
    if (this.#pending >= pending) return 'pending'
    if (counted.open >= connectionsPerAddress) return 'address-connections'
    if (!counted.connects.tryPay(1, now)) return 'address-connects'
    if (counted.pending.size >= pendingPerAddress) return 'pending'
    // The gateways there, which have something to say, must come through between those that only take up room.
    if (isHeldOff(counted, now)) for (const endOldest of [...counted.pending].slice(0, 1 - pendingWhenHeldOff)) endOldest()
    return this.#take(address, counted, end)
  }

  /** Forgets addresses that have nothing to be remembered. */
  sweep(now: number): void {
    for (const [address, counted] of this.#counted) if (isIdle(counted, now)) this.#counted.delete(address)
  }

  #take(address: string, counted: Counted, end: () => void): Admission {
    let open = true
    const evict = (): void => {
      admitted()
      end()
    }
    const admitted = (): void => {
      if (counted.pending.delete(evict)) this.#pending -= 1
    }
    counted.open += 1
    counted.pending.add(evict)
    this.#open += 1
    this.#pending += 1
    return {
      address,
      admitted,
      fault: (points) => counted.faults.pay(points, performance.now()),
      heldOff: () => isHeldOff(counted, performance.now()),
      release: () => {
        if (!open) return
        open = false
        admitted()
        counted.open -= 1
        this.#open -= 1
      }
    }
  }

  #counts(address: string, now: number): Counted {
    const known = this.#counted.get(address)
    if (known !== undefined) return known
    if (this.#counted.size >= this.#limits.addresses) this.#forgetOne()
    const perMinute = (count: number) => new TokenBucket({ perSecond: count / 60, burst: count }, now)
    const counted: Counted = {
      open: 0,
      pending: new Set(),
      connects: perMinute(this.#limits.connectsPerMinutePerAddress),
      faults: perMinute(this.#limits.faultsPerMinutePerAddress)
    }
    this.#counted.set(address, counted)
    return counted
  }

  /** Of those that have no connection the one known longest; a world of addresses can't make the counts grow. */
  #forgetOne(): void {
    for (const [address, counted] of this.#counted) {
      if (counted.open > 0) continue
      this.#counted.delete(address)
      return
    }
  }
}

function isHeldOff(counted: Counted, now: number): boolean {
  return counted.faults.available(now) < 1
}

function isIdle(counted: Counted, now: number): boolean {
  return counted.open === 0 && counted.connects.isFull(now) && counted.faults.isFull(now)
}

/** Whoever has one address of IPv6 has 2^64 of them, so the network counts: its first four groups. */
export function addressKey(remote: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(remote)?.[1]
  if (mapped !== undefined) return mapped
  if (!isIPv6(remote)) return remote
  const [head = '', tail] = (remote.split('%')[0] ?? '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0')
  const groups = [...left, ...zeros, ...right].slice(0, 4)
  return `${groups.map((group) => group.toLowerCase().replace(/^0+(?=.)/, '')).join(':')}::/64`
}
