import { setTimeout as sleep } from 'node:timers/promises'
import type { MqttClient } from 'mqtt'
import { readingsTopic } from './client.js'
import type { Nats } from './nats.js'
import { connectToNats } from './sources.js'

/** Messages that may be under way at a time, as a gateway's uplink has it. */
const window = 20

/** A gateway that goes to another node when its own is gone, and sends again what was not acknowledged. */
export class ClusterGateway {
  readonly name: string
  readonly acknowledged = new Set<number>()
  readonly #nats: Nats
  #node: number
  #lastAt = performance.now()
  longestPauseMs = 0
  sentAgain = 0

  constructor(nats: Nats, name: string, node: number) {
    this.#nats = nats
    this.name = name
    this.#node = node
  }

  /** Until all of it is acknowledged. */
  async deliver(messages: ReadonlyMap<number, string>): Promise<void> {
    this.#lastAt = performance.now()
    const tried = new Set<number>()
    for (let attempt = 0; this.#left(messages).length > 0; attempt += 1) {
      if (attempt === 1_000) throw new Error(`${this.name} never got rid of its messages`)
      const node = this.#nats.nodes[this.#node % this.#nats.nodes.length]
      const client = node?.child === undefined ? undefined : await connectToNats(this.#nats, this.name, { node }).catch(() => undefined)
      if (client === undefined) await sleep(50)
      else await this.#send(client, this.#left(messages), tried)
      this.#node += 1
    }
  }

  #left(messages: ReadonlyMap<number, string>): [number, string][] {
    return [...messages].filter(([sequence]) => !this.acknowledged.has(sequence))
  }

  /** Until the connection ends or all of it is acknowledged. */
  async #send(client: MqttClient, messages: readonly [number, string][], tried: Set<number>): Promise<void> {
    client.on('error', () => undefined)
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
    const waiting = [...messages]
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined && client.connected; next = waiting.shift()) {
        const [sequence, payload] = next
        if (tried.has(sequence)) this.sentAgain += 1
        tried.add(sequence)
        await client.publishAsync(readingsTopic(this.name), payload, { qos: 1 })
        this.#heard(sequence)
      }
    }
    await Promise.race([Promise.allSettled(Array.from({ length: window }, worker)), closed])
    await client.endAsync(true)
  }

  #heard(sequence: number): void {
    const now = performance.now()
    this.longestPauseMs = Math.max(this.longestPauseMs, now - this.#lastAt)
    this.#lastAt = now
    this.acknowledged.add(sequence)
  }
}
