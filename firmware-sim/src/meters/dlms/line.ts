import { MeterAssociation } from './association.js'
import type { LogicalDevice, Standing } from './logical-device.js'

/** A request that came over a line, and what the meter at its address says to it. */
export interface Exchange {
  readonly request: Uint8Array
  readonly answer?: { readonly address: string; readonly bytes: Uint8Array }
}

/** One connection to the meters of a bus: bytes in, exchanges out, no socket. */
export interface Line {
  /** @throws {DlmsFault} when the stream can't be found back into */
  receive(chunk: Uint8Array): readonly Exchange[]
  /** The bytes that tell a client something unasked; undefined while the line is busy. */
  notify(from: LogicalDevice, client: number, apdu: Uint8Array): Uint8Array | undefined
}

export type Random = (size: number) => Uint8Array

/** Pairs of a client and a logical device that one connection may carry: the oldest makes room. */
const mostPairs = 1024

/** What a connection keeps for each pair, bounded. */
export class Pairs<Value> {
  readonly #byKey = new Map<string, Value>()

  get(key: string): Value | undefined {
    return this.#byKey.get(key)
  }

  set(key: string, value: Value): Value {
    this.#byKey.delete(key)
    this.#byKey.set(key, value)
    const [oldest] = this.#byKey.keys()
    if (this.#byKey.size > mostPairs && oldest !== undefined) this.#byKey.delete(oldest)
    return value
  }
}

/** The association of one client with what stands at an address; it ends when another meter stands there. */
export class Conversation {
  readonly #logical: LogicalDevice
  readonly #client: number
  readonly #random: Random
  #standing: Standing | undefined
  #association: MeterAssociation | undefined

  constructor(logical: LogicalDevice, client: number, random: Random) {
    this.#logical = logical
    this.#client = client
    this.#random = random
  }

  answer(apdu: Uint8Array): Uint8Array | undefined {
    const { standing, sap } = this.#logical
    if (this.#association === undefined || this.#standing !== standing) {
      this.#standing = standing
      this.#association = new MeterAssociation({ ...standing, client: this.#client, server: sap, random: this.#random })
    }
    return this.#association.answer(apdu)
  }

  /** The line below went down: nothing that was agreed holds. */
  reset(): void {
    this.#association = undefined
  }
}
