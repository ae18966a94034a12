import { createHash } from 'node:crypto'
import type { CounterStore } from '../protocol.js'
import { Turns } from '../turns.js'
import { maxInvocationCounter } from './codec/cipher-context.js'
import { DlmsFault } from './codec/fault.js'
import { toHex } from './codec/reader.js'

/**
 * What may never repeat is a counter under one key by one sender: together they are the cipher's nonce. So that is what a
 * counter is kept by, not the meter's name: two meters that were given the same key must not be sent the same counter, and a
 * password that changes begins no counter anew. The key is named by a hash of which nothing can be computed back.
 */
function counterName(key: Uint8Array, direction: 'sent' | 'received', sender: Uint8Array): string {
  const name = createHash('sha256').update('endeks dlms counter').update(key).digest('hex').slice(0, 16)
  return `dlms key ${name} ${direction} by ${toHex(sender)}`
}

/** Buses share a store, and two may have meters with one key: what reads a counter and writes it is done before the next begins. */
const turns = new WeakMap<CounterStore, Turns>()

function inTurn<Value>(store: CounterStore, work: () => Promise<Value>): Promise<Value> {
  const own = turns.get(store) ?? new Turns()
  turns.set(store, own)
  return own.take(work)
}

/** Counters of the key of one meter, kept in the store of all. */
export class InvocationCounters {
  readonly #store: CounterStore
  readonly #key: Uint8Array

  constructor(store: CounterStore, key: Uint8Array) {
    this.#store = store
    this.#key = key
  }

  /**
   * Takes counters for messages to come. They are gone from the store before this resolves, sent or not: a kill loses some and
   * repeats none.
   *
   * @param least what the meter will take at least
   * @returns the first of them
   * @throws {DlmsFault} DLMS_COUNTER when the key has not so many left
   */
  reserve(sender: Uint8Array, { least, count }: { readonly least: number; readonly count: number }): Promise<number> {
    const name = counterName(this.#key, 'sent', sender)
    return inTurn(this.#store, async () => {
      const first = Math.max((await this.#store.read(name)) ?? 0, least)
      if (first + count > maxInvocationCounter + 1)
        throw new DlmsFault('DLMS_COUNTER', `the key has sent all its messages (${first}): it must be replaced`)
      await this.#store.write(name, first + count)
      return first
    })
  }

  /** The least counter that is taken from a sender: one more than the last that was. */
  async least(sender: Uint8Array): Promise<number> {
    return (await this.#store.read(counterName(this.#key, 'received', sender))) ?? 0
  }

  /** Keeps what was taken from a sender. */
  heard(sender: Uint8Array, next: number): Promise<void> {
    const name = counterName(this.#key, 'received', sender)
    return inTurn(this.#store, async () => {
      if (next > ((await this.#store.read(name)) ?? 0)) await this.#store.write(name, next)
    })
  }
}
