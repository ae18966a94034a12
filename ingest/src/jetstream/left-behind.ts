import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream'
import { consumerName, messagesStream } from './names.js'

/**
 * Finds what is in the stream though the consumer holds it for acknowledged: its process died between the acknowledgement and
 * the removal, or the consumer's floor has passed it by mistake. Which of them it was can't be told, so it is taken once more.
 */
export class LeftBehind {
  readonly #manager: JetStreamManager
  #floorBefore = 0

  constructor(manager: JetStreamManager) {
    this.#manager = manager
  }

  /** What was below the floor already when this was last asked: whoever has committed it had the time to take it out. */
  async *find(): AsyncGenerator<StoredMsg> {
    const [{ state }, { ack_floor: floor }] = await Promise.all([
      this.#manager.streams.info(messagesStream),
      this.#manager.consumers.info(messagesStream, consumerName)
    ])
    const last = Math.min(this.#floorBefore, floor.stream_seq)
    this.#floorBefore = floor.stream_seq
    for (let next = state.first_seq; state.messages > 0 && next <= last; ) {
      const question = { seq: next, next_by_subj: '>' }
      const message = await this.#manager.streams.getMessage(messagesStream, question)
      if (message === null || message.seq > last) return
      yield message
      next = message.seq + 1
    }
  }
}
