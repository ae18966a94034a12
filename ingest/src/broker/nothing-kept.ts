import { Readable } from 'node:stream'
import type { Client } from 'aedes'

/** A packet that answers one of ours (MQTT 3.1.1, 3.4). */
export interface Acknowledgement {
  readonly messageId?: number | undefined
}

/**
 * What Aedes calls its persistence, which keeps nothing: no session, no retained message, no will, no queue for whoever is
 * away. A client can't make it grow, and a restart has nothing to lose.
 */
export class NothingKept {
  readonly #acknowledged: (client: Client, messageId: number) => void

  /** @param acknowledged told of every PUBACK and PUBCOMP of a client */
  constructor(acknowledged: (client: Client, messageId: number) => void) {
    this.#acknowledged = acknowledged
  }

  async setup(): Promise<void> {}
  async storeRetained(): Promise<void> {}
  createRetainedStreamCombi(): Readable {
    return Readable.from([])
  }
  async addSubscriptions(): Promise<void> {}
  async removeSubscriptions(): Promise<void> {}
  async cleanSubscriptions(): Promise<void> {}
  async subscriptionsByClient(): Promise<readonly never[]> {
    return []
  }
  async subscriptionsByTopic(): Promise<readonly never[]> {
    return []
  }

  async outgoingEnqueue(): Promise<void> {}
  async outgoingEnqueueCombi(): Promise<void> {}
  async outgoingUpdate(): Promise<void> {}
  outgoingStream(): Readable {
    return Readable.from([])
  }
  async outgoingClearMessageId(client: Client, { messageId }: Acknowledgement): Promise<void> {
    if (messageId !== undefined) this.#acknowledged(client, messageId)
  }

  async incomingStorePacket(): Promise<void> {}
  /** Every publish with QoS 2 is one that is here already: its dead letter is committed, it needs its PUBREC, and takes no room. */
  async incomingGetPacket<Packet>(_client: Client, packet: Packet): Promise<Packet> {
    return packet
  }
  async incomingDelPacket(): Promise<void> {}
  async cleanIncoming(): Promise<void> {}

  async putWill(): Promise<void> {}
  async delWill(): Promise<void> {}
  streamWill(): Readable {
    return Readable.from([])
  }
}

type Done = (() => void) | undefined

/** What Aedes calls its emitter, which routes nothing: no client hears another, whatever it subscribes to. */
export const nothingRouted = {
  on: (_topic: string, _listener: unknown, done: Done) => done?.(),
  removeListener: (_topic: string, _listener: unknown, done: Done) => done?.(),
  emit: (_packet: unknown, done: Done) => done?.(),
  close: (done: Done) => done?.()
}
