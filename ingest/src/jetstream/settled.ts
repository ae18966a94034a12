import type { JetStreamManager } from '@nats-io/jetstream'
import { consumerName, messagesStream } from './names.js'
import { notFound, orMissing } from './streams.js'

const removedAtOnce = 64
/** What is not remembered is left behind in the stream, where it is found. */
const rememberedAtMost = 200_000

/**
 * Messages that this process has committed, until they are out of the stream.
 *
 * Nothing else is taken out. The consumer's floor alone does not say that a message is committed: nats-server 2.9.10 believes the
 * consumer's number that stands in an acknowledgement, and one that a leader gave that is gone lets the floor of the next pass
 * messages that nobody has acknowledged. Above the floor nothing is taken out either: a consumer that looks in vain for a message that
 * is to be given again stops until something wakes it.
 */
export class SettledMessages {
  readonly #sequences = new Set<number>()

  get size(): number {
    return this.#sequences.size
  }

  add(sequence: number): void {
    if (this.#sequences.size < rememberedAtMost) this.#sequences.add(sequence)
  }

  has(sequence: number): boolean {
    return this.#sequences.has(sequence)
  }

  /**
   * Message by message, never by a purge: when any part of a stream is purged, nats-server 2.9.10 forgets all that its consumers
   * have given and not had acknowledged (`consumer.purge` sets `pending` to nil), and what a killed process had would never come
   * again.
   *
   * @returns how many are out, at most `limit`
   */
  async remove(manager: JetStreamManager, limit: number): Promise<number> {
    if (this.#sequences.size === 0) return 0
    const { ack_floor: floor } = await manager.consumers.info(messagesStream, consumerName)
    const acknowledged = [...this.#sequences].filter((sequence) => sequence <= floor.stream_seq).sort((a, b) => a - b)
    const removable = acknowledged.slice(0, limit)
    const waiting = removable.values()
    const worker = async (): Promise<void> => {
      for (const sequence of waiting) {
        // It may have come twice, and the other process was there first.
        await orMissing(notFound.message, manager.streams.deleteMessage(messagesStream, sequence, false))
        this.#sequences.delete(sequence)
      }
    }
    await Promise.all(Array.from({ length: removedAtOnce }, worker))
    return removable.length
  }
}
